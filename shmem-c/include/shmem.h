/* OpenSHMEM 1.6 for C and C++. Extensions are in shmemx.h, the profiling interface in pshmem.h. */
#ifndef SHMEM_H
#define SHMEM_H

#include "shmem/constants.h"
#include "shmem/tables.h"

#define SHMEMI_PREFIX shmem_
#include "shmem/functions.h"
#undef SHMEMI_PREFIX

#ifdef __cplusplus
extern "C" {
#endif
/* Deprecated: names without the prefix. */
void start_pes(int npes);
int _my_pe(void);
int _num_pes(void);
void *shmalloc(size_t size);
void shfree(void *ptr);
void *shrealloc(void *ptr, size_t size);
void *shmemalign(size_t alignment, size_t size);
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
#if !defined(SHMEMX_NO_OVERLOADS)
#include "shmem/overloads.h"
#endif
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#include "shmem/generic.h"
#endif

#endif
