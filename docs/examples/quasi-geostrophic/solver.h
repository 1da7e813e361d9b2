/* The equations of two-layer quasi-geostrophic flow (Phillips 1954) at one resolution.
 *
 * Two layers of equal depth on a beta plane, doubly periodic, under an imposed vertical shear S of the mean zonal flow
 * (U1 = S / 2, U2 = -S / 2). With the stream functions psi of the eddies, u = -psi_y, v = psi_x, zeta = laplacian(psi),
 * F = 1 / (2 radius^2) and J(a, b) = a_x b_y - a_y b_x,
 *
 *   q1 = zeta1 + F (psi2 - psi1)                                                                          (1)
 *   q2 = zeta2 + F (psi1 - psi2)                                                                          (2)
 *   q1_t = -J(psi1, q1) - U1 q1_x - (beta + F S) psi1_x                                                   (3)
 *   q2_t = -J(psi2, q2) - U2 q2_x - (beta - F S) psi2_x - drag zeta2                                      (4)
 *
 * Pseudo-spectral without aliasing: the wave numbers within a circle of radius K = (n - 1) / 3 are kept, the mean is
 * zero. Runge-Kutta steps of fourth order; after each, hyperviscosity damps wave number k by
 *
 *   exp(-dissipation time_step (|k| / K)^8)                                                               (5)
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SOLVER_H
#define SOLVER_H

#include <complex.h>
#include <fftw3.h>
#include <stdbool.h>

#ifndef CMPLX /* clang with the GNU library */
#define CMPLX(real, imaginary) __builtin_complex((double)(real), (double)(imaginary))
#endif

typedef double complex number;

/* Units are m and s. */
typedef struct {
  double length, radius, beta, shear, drag, dissipation;
} physics;

/* A wave number that is kept, in waves along a side and in m-1 (m-2 the square). The other half of the plane follows
 * from psi being real: `mirror` is the place of -k in a transform's array, `place` that of k. */
typedef struct {
  int kx, ky;
  double x, y, square;
  int place, mirror;           /* with this solver's cells */
  int full_place, full_mirror; /* with the full model's cells */
} wave;

/* Each array of amplitudes has `count` for the upper layer, then `count` for the lower one. */
typedef struct {
  physics physics;
  double coupling;             /* F, m-2 */
  int n, width, cutoff, count; /* cells along a side, a row's length in memory, K, waves kept */
  wave *waves;
  number *amplitudes; /* the memory of the next six: `start` and slopes are a step's, `before` is the coarse model's */
  number *psi, *q, *start, *slope, *slopes, *before;
  double speed;    /* the largest one of the last tendency's eddies, m s-1 */
  number *pair[3]; /* [y][x] or [ky][kx]: two real fields, one the real and one the imaginary part */
  fftw_plan to_grid, to_waves;
} solver;

/* Makes a solver with n x n cells, whose states have full_n x full_n. Returns false where there is no memory; what was
 * made is to be freed then, too. `s` is zero before. */
bool make_solver(solver *s, int n, int full_n, physics constants);

void free_solver(solver *s);

/* Sets q from psi. */
void potential_vorticity(solver *s);

/* Sets psi from q. */
void stream_function(solver *s);

/* Carries q forward by a time step, in s; in halves, quarters and so on where the flow is too fast for it. */
void advance(solver *s, double step);

/* Sets psi to the waves of `s` in a state of the full model (the upper layer [y][x], then the lower one). */
void read_state(solver *full, solver *s, const double *state);

/* Adds psi to a state of the full model. Returns whether all is finite then. */
bool add_to_state(solver *full, const solver *s, double *state);

#endif
