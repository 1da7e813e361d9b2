// SPDX-License-Identifier: Apache-2.0
#include "daunce_arithmetic.h"

void daunce_arithmetic_enter(fenv_t *host) {
  fegetenv(host);
  fesetenv(FE_DFL_ENV);
}

void daunce_arithmetic_leave(const fenv_t *host) { fesetenv(host); }
