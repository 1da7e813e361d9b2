/* The equations of two-layer quasi-geostrophic flow; solver.h tells them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "solver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* ---- Memory ---- */

/* Rows that lie a power of two apart in memory displace one another from the cache. */
static int row_width(int n) { return n + 4; }

static int place(int n, int kx, int ky) { return (ky < 0 ? ky + n : ky) * row_width(n) + (kx < 0 ? kx + n : kx); }

/* Lists the waves within the cutoff where there is a list, and returns how many there are. */
static int list_waves(const solver *s, int full_n) {
  int count = 0;
  double unit = 2 * pi / s->physics.length;
  for (int ky = -s->cutoff; ky <= s->cutoff; ky++) {
    for (int kx = ky > 0 ? 0 : 1; kx <= s->cutoff; kx++) {
      int square = kx * kx + ky * ky;
      if (square > s->cutoff * s->cutoff) continue;
      if (s->waves)
        s->waves[count] = (wave){kx, ky, unit * kx, unit * ky, unit * unit * square,
                                 place(s->n, kx, ky), place(s->n, -kx, -ky),
                                 place(full_n, kx, ky), place(full_n, -kx, -ky)};
      count++;
    }
  }
  return count;
}

bool make_solver(solver *s, int n, int full_n, physics constants) {
  s->physics = constants;
  s->coupling = 1 / (2 * constants.radius * constants.radius);
  s->n = n;
  s->width = row_width(n);
  s->cutoff = (n - 1) / 3;
  s->count = list_waves(s, full_n);

  size_t count = s->count, size = (size_t)n * s->width;
  s->waves = malloc(count * sizeof(wave));
  s->amplitudes = calloc(12 * count, sizeof(number));
  for (int i = 0; i < 3; i++) s->pair[i] = (number *)fftw_alloc_complex(size);
  if (!s->waves || !s->amplitudes || !s->pair[0] || !s->pair[1] || !s->pair[2]) return false;
  for (int i = 0; i < 3; i++) memset(s->pair[i], 0, size * sizeof(number));
  number **arrays[] = {&s->psi, &s->q, &s->start, &s->slope, &s->slopes, &s->before};
  for (size_t i = 0; i < 6; i++) *arrays[i] = s->amplitudes + 2 * i * count;
  list_waves(s, full_n);

  int sides[] = {n, n}, memory[] = {n, s->width};
  number *a = s->pair[0];
  s->to_grid = fftw_plan_many_dft(2, sides, 1, a, memory, 1, 0, a, memory, 1, 0, FFTW_BACKWARD, FFTW_ESTIMATE);
  s->to_waves = fftw_plan_many_dft(2, sides, 1, a, memory, 1, 0, a, memory, 1, 0, FFTW_FORWARD, FFTW_ESTIMATE);
  return s->to_grid && s->to_waves;
}

void free_solver(solver *s) {
  if (s->to_grid) fftw_destroy_plan(s->to_grid);
  if (s->to_waves) fftw_destroy_plan(s->to_waves);
  for (int i = 0; i < 3; i++) fftw_free(s->pair[i]);
  free(s->amplitudes);
  free(s->waves);
}

/* ---- Two real fields in one transform ---- */

static number times_i(number z) { return CMPLX(-cimag(z), creal(z)); }

static void clear(const solver *s, number *pair) { memset(pair, 0, (size_t)s->n * s->width * sizeof(number)); }

/* Gives wave k the amplitudes `first` (of the real part) and `second` (of the imaginary part). */
static void set(number *pair, int place, int mirror, number first, number second) {
  pair[place] = first + times_i(second);
  pair[mirror] = conj(first) + times_i(conj(second));
}

static number first(const number *pair, int place, int mirror) { return 0.5 * (pair[place] + conj(pair[mirror])); }

static number second(const number *pair, int place, int mirror) {
  return times_i(-0.5 * (pair[place] - conj(pair[mirror])));
}

/* ---- Equations ---- */

/* Equations (1) and (2). */
void potential_vorticity(solver *s) {
  for (int i = 0; i < s->count; i++) {
    number psi1 = s->psi[i], psi2 = s->psi[s->count + i];
    s->q[i] = -s->waves[i].square * psi1 + s->coupling * (psi2 - psi1);
    s->q[s->count + i] = -s->waves[i].square * psi2 + s->coupling * (psi1 - psi2);
  }
}

/* Equations (1) and (2), solved for psi. */
void stream_function(solver *s) {
  for (int i = 0; i < s->count; i++) {
    number q1 = s->q[i], q2 = s->q[s->count + i];
    double diagonal = s->waves[i].square + s->coupling;
    double scale = -1 / (s->waves[i].square * (s->waves[i].square + 2 * s->coupling));
    s->psi[i] = scale * (diagonal * q1 + s->coupling * q2);
    s->psi[s->count + i] = scale * (s->coupling * q1 + diagonal * q2);
  }
}

/* Pairs 0 and 1 on the grid: u and v of the upper and the lower layer. */
static void velocities(solver *s) {
  for (int layer = 0; layer < 2; layer++) {
    const number *psi = s->psi + layer * s->count;
    clear(s, s->pair[layer]);
    for (int i = 0; i < s->count; i++) {
      const wave *k = &s->waves[i];
      set(s->pair[layer], k->place, k->mirror, times_i(-k->y * psi[i]), times_i(k->x * psi[i]));
    }
    fftw_execute_dft(s->to_grid, s->pair[layer], s->pair[layer]);
  }
}

/* Pairs 0 and 1 in waves: u v and v^2 - u^2 of the layers; pair 2: J(psi1, psi2) = u1 v2 - v1 u2. */
static void fluxes(solver *s) {
  number *upper = s->pair[0], *lower = s->pair[1], *both = s->pair[2];
  double square = 0;
  for (int i = 0; i < s->n * s->width; i++) {
    double u1 = creal(upper[i]), v1 = cimag(upper[i]), u2 = creal(lower[i]), v2 = cimag(lower[i]);
    upper[i] = CMPLX(u1 * v1, v1 * v1 - u1 * u1);
    lower[i] = CMPLX(u2 * v2, v2 * v2 - u2 * u2);
    both[i] = u1 * v2 - v1 * u2;
    square = fmax(square, fmax(u1 * u1 + v1 * v1, u2 * u2 + v2 * v2));
  }
  s->speed = sqrt(square);
  for (int i = 0; i < 3; i++) fftw_execute_dft(s->to_waves, s->pair[i], s->pair[i]);
}

/* J(psi, zeta) = (d_xx - d_yy)(u v) + d_xy(v^2 - u^2) of a wave of a layer. */
static number self_advection(const number *pair, const wave *k) {
  number uv = first(pair, k->place, k->mirror), difference = second(pair, k->place, k->mirror);
  return (k->y * k->y - k->x * k->x) * uv - k->x * k->y * difference;
}

/* Equations (3) and (4), with J(psi1, q1) = J(psi1, zeta1) + F J(psi1, psi2) and
 * J(psi2, q2) = J(psi2, zeta2) - F J(psi1, psi2). */
static void tendency(solver *s) {
  stream_function(s);
  velocities(s);
  fluxes(s);
  const physics *p = &s->physics;
  double u1 = p->shear / 2, u2 = -p->shear / 2, gradient = s->coupling * p->shear;
  double scale = 1 / ((double)s->n * s->n);
  for (int i = 0; i < s->count; i++) {
    const wave *k = &s->waves[i];
    int j = s->count + i;
    number exchange = s->coupling * first(s->pair[2], k->place, k->mirror);
    number advection1 = scale * (self_advection(s->pair[0], k) + exchange);
    number advection2 = scale * (self_advection(s->pair[1], k) - exchange);
    number mean1 = times_i(k->x * (u1 * s->q[i] + (p->beta + gradient) * s->psi[i]));
    number mean2 = times_i(k->x * (u2 * s->q[j] + (p->beta - gradient) * s->psi[j]));
    s->slope[i] = -advection1 - mean1;
    s->slope[j] = -advection2 - mean2 + p->drag * k->square * s->psi[j];
  }
}

/* Whether a Runge-Kutta step is short enough for the flow: its limit is 2.8 for speed times step times wave number. Steps
 * of a minute have to do for any flow. */
static bool is_short(const solver *s, double step) {
  double fastest = s->speed + fabs(s->physics.shear) / 2;
  return !(fastest * step * s->cutoff * 2 * pi / s->physics.length > 2.5) || step < 60;
}

/* A Runge-Kutta step of fourth order, `step` in s. Returns false, with nothing changed, for one that is too long. */
static bool runge_kutta(solver *s, double step) {
  static const double weight[] = {1. / 6, 1. / 3, 1. / 3, 1. / 6}, reach[] = {0.5, 0.5, 1};
  size_t numbers = 2 * (size_t)s->count;
  memcpy(s->start, s->q, numbers * sizeof(number));
  memset(s->slopes, 0, numbers * sizeof(number));
  for (int stage = 0; stage < 4; stage++) {
    tendency(s);
    if (stage == 0 && !is_short(s, step)) return false;
    for (size_t i = 0; i < numbers; i++) s->slopes[i] += weight[stage] * s->slope[i];
    const number *slope = stage < 3 ? s->slope : s->slopes;
    double far = stage < 3 ? reach[stage] * step : step;
    for (size_t i = 0; i < numbers; i++) s->q[i] = s->start[i] + far * slope[i];
  }
  return true;
}

/* Equation (5). */
static void dissipate(solver *s, double step) {
  double unit = s->cutoff * s->cutoff;
  for (int i = 0; i < s->count; i++) {
    double square = (s->waves[i].kx * s->waves[i].kx + s->waves[i].ky * s->waves[i].ky) / unit;
    double decay = exp(-s->physics.dissipation * step * square * square * square * square);
    s->q[i] *= decay;
    s->q[s->count + i] *= decay;
  }
}

void advance(solver *s, double step) {
  if (runge_kutta(s, step)) {
    dissipate(s, step);
  } else {
    advance(s, step / 2);
    advance(s, step / 2);
  }
}

/* ---- States ---- */

void read_state(solver *full, solver *s, const double *state) {
  int n = full->n;
  number *pair = full->pair[0];
  const double *psi1 = state, *psi2 = state + (size_t)n * n;
  for (int y = 0; y < n; y++)
    for (int x = 0; x < n; x++) pair[y * full->width + x] = CMPLX(psi1[y * n + x], psi2[y * n + x]);
  fftw_execute_dft(full->to_waves, pair, pair);
  double scale = 1 / ((double)n * n);
  for (int i = 0; i < s->count; i++) {
    s->psi[i] = scale * first(pair, s->waves[i].full_place, s->waves[i].full_mirror);
    s->psi[s->count + i] = scale * second(pair, s->waves[i].full_place, s->waves[i].full_mirror);
  }
}

bool add_to_state(solver *full, const solver *s, double *state) {
  int n = full->n;
  number *pair = full->pair[0];
  double *psi1 = state, *psi2 = state + (size_t)n * n;
  clear(full, pair);
  for (int i = 0; i < s->count; i++)
    set(pair, s->waves[i].full_place, s->waves[i].full_mirror, s->psi[i], s->psi[s->count + i]);
  fftw_execute_dft(full->to_grid, pair, pair);
  bool finite = true;
  for (int y = 0; y < n; y++) {
    for (int x = 0; x < n; x++) {
      number value = pair[y * full->width + x];
      psi1[y * n + x] += creal(value);
      psi2[y * n + x] += cimag(value);
      finite = finite && isfinite(psi1[y * n + x]) && isfinite(psi2[y * n + x]);
    }
  }
  return finite;
}
