/* How a call is guarded.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DAUNCE_GUARDED_H
#define DAUNCE_GUARDED_H

#include <setjmp.h>
#include <signal.h>

#include "guard.h"

/* Of the thread that is inside of a library: where to go back to, and why. */
struct daunce_guard {
  sigjmp_buf way_back;
  volatile sig_atomic_t is_inside;
  struct daunce_outcome outcome;
};
extern _Thread_local struct daunce_guard daunce_guard;

/* Whatever a library does to rounding, traps and denormal numbers ends with its call: others' bits do not depend on it. */
#if defined(__x86_64__)
#include <xmmintrin.h>
typedef unsigned int daunce_arithmetic;
#define KEEP(arithmetic) arithmetic = _mm_getcsr() & ~0x3fu
#define RESTORE(arithmetic) \
  if ((_mm_getcsr() & ~0x3fu) != arithmetic) _mm_setcsr(arithmetic)
#else
#include <fenv.h>
typedef fenv_t daunce_arithmetic;
#define KEEP(arithmetic) fegetenv(&arithmetic)
#define RESTORE(arithmetic) fesetenv(&arithmetic)
#endif

/* Does `call`, which may set daunce_guard.outcome.code, and returns how that went. */
#define GUARDED(call)                                                   \
  do {                                                                  \
    daunce_arithmetic arithmetic;                                       \
    KEEP(arithmetic);                                                   \
    daunce_guard.outcome = (struct daunce_outcome){DAUNCE_RETURNED, 0}; \
    if (sigsetjmp(daunce_guard.way_back, 0) == 0) {                     \
      daunce_guard.is_inside = 1;                                       \
      call;                                                             \
      daunce_guard.is_inside = 0;                                       \
    }                                                                   \
    RESTORE(arithmetic);                                                \
    return daunce_guard.outcome;                                        \
  } while (0)

#endif
