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
