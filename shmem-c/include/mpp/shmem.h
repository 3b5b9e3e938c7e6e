/* Where shmem.h was before OpenSHMEM 1.1. */
#include "../shmem.h"
