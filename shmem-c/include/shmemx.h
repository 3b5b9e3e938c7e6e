/* What this library has beside the standard. */
#ifndef SHMEMX_H
#define SHMEMX_H

#include "shmem.h"

#endif
