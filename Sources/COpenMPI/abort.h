#pragma once
#include <dlfcn.h>
#include <stddef.h>

// Ends the job by PMIx, on which Open MPI and Slurm's srun start ranks, whether MPI has been initialised or not. MPI_Abort
// does the same but adds lines of its own, and mpirun adds others where a rank ends by itself with a code.
// Returns 1 when the launcher has been told, which ends the others as soon as this process has ended, and 0 where there is no PMIx. What MPI has begun must
// not be begun again.
static inline int daunce_pmix_abort(int code, int is_initialised) {
  void *pmix = dlopen("libpmix.so.2", RTLD_NOW);
  if (pmix == NULL) return 0;
  int (*begin)(void *, void *, size_t) = (int (*)(void *, void *, size_t))dlsym(pmix, "PMIx_Init");
  int (*end)(int, const char *, void *, size_t) = (int (*)(int, const char *, void *, size_t))dlsym(pmix, "PMIx_Abort");
  if (begin == NULL || end == NULL) return 0;
  if (!is_initialised && begin(NULL, NULL, 0) != 0) return 0;
  return end(code, NULL, NULL, 0) == 0;
}
