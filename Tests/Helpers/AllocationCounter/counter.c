// Takes the place of malloc and its relatives in the program that this is linked into, counts, and hands on to glibc's
// own. For tests of what a cycle allocates.
#define _GNU_SOURCE
#include "AllocationCounter.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static atomic_int counting;
static atomic_long own, in_mpi;

// Whether the code at `address` belongs to the MPI library or one of its plugins.
static int is_mpi(const void *address) {
  Dl_info info;
  if (dladdr(address, &info) == 0 || info.dli_fname == NULL) return 0;
  return strstr(info.dli_fname, "libmpi") || strstr(info.dli_fname, "libopen-") || strstr(info.dli_fname, "mca_") ||
         strstr(info.dli_fname, "libevent") || strstr(info.dli_fname, "libpmix");
}

static void count(const void *caller) {
  if (!atomic_load_explicit(&counting, memory_order_relaxed)) return;
  atomic_fetch_add_explicit(is_mpi(caller) ? &in_mpi : &own, 1, memory_order_relaxed);
}

long daunce_allocations(void) {
  atomic_store(&counting, 1);
  return atomic_load(&own);
}

long daunce_mpi_allocations(void) { return atomic_load(&in_mpi); }

// A sanitizer has its own malloc, and counts nothing here.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

void *malloc(size_t size) {
  count(__builtin_return_address(0));
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  count(__builtin_return_address(0));
  return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
  count(__builtin_return_address(0));
  return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  count(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}

void *memalign(size_t alignment, size_t size) {
  count(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  count(__builtin_return_address(0));
  void *result = __libc_memalign(alignment, size);
  if (result == NULL) return ENOMEM;
  *memory = result;
  return 0;
}

#endif
