/* Floating-point modes of whoever calls, kept aside while the library computes with the usual ones.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DAUNCE_ARITHMETIC_H
#define DAUNCE_ARITHMETIC_H

#include <fenv.h>

/* Keeps the modes and flags in `host`, and sets the defaults: rounding to nearest, no traps, tiny numbers as they are. */
void daunce_arithmetic_enter(fenv_t *host);

/* Puts them back. */
void daunce_arithmetic_leave(const fenv_t *host);

#endif
