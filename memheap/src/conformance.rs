//! One set of tests for every component, generic over how a module is made.
