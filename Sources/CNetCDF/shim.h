#pragma once
#include <dlfcn.h>
#include <netcdf.h>
#include <netcdf_mem.h>
#include <stdint.h>

// HDF5 prints its error stack unless told not to, and a thread-safe build keeps that setting for every thread. Its header
// is not needed for this one call: the library is already loaded by netCDF, and without it there is nothing to silence.
static inline void daunce_silence_hdf5(void) {
  typedef int (*set_auto)(int64_t stack, void *function, void *data);
  static set_auto set = 0;
  if (!set) set = (set_auto)dlsym((void *)0 /* the default search order */, "H5Eset_auto2");
  if (set) set(0 /* the thread's own stack */, 0, 0);
}

// Linux calls that the C library declares for GNU sources alone.
extern long copy_file_range(int from, int64_t *from_offset, int to, int64_t *to_offset, unsigned long count,
                            unsigned int flags);
extern int fallocate(int file, int mode, long offset, long count);

// Copies up to `count` bytes between two files' positions within the kernel.
static inline long daunce_copy_range(int from, int to, unsigned long count) {
  return copy_file_range(from, 0, to, 0, count, 0);
}

// Takes room on the disk beyond a file's end without making it longer.
static inline int daunce_reserve(int file, long offset, long count) {
  return fallocate(file, 1 /* FALLOC_FL_KEEP_SIZE */, offset, count);
}
