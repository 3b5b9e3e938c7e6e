/* Where shmemx.h was before OpenSHMEM 1.1. */
#include "../shmemx.h"
