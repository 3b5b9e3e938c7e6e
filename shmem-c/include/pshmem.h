/* The profiling interface of OpenSHMEM 1.6 (chapter 10): every routine under a second name, for tools that
 * replace the first. */
#ifndef PSHMEM_H
#define PSHMEM_H

#include "shmem/constants.h"
#include "shmem/tables.h"

#define SHMEMI_PREFIX pshmem_
#include "shmem/functions.h"
#undef SHMEMI_PREFIX

#ifdef __cplusplus
extern "C" {
#endif
void pstart_pes(int npes);
int p_my_pe(void);
int p_num_pes(void);
void *pshmalloc(size_t size);
void pshfree(void *ptr);
void *pshrealloc(void *ptr, size_t size);
void *pshmemalign(size_t alignment, size_t size);
#ifdef __cplusplus
}
#endif

#endif
