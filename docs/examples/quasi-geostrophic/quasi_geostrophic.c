/* A two-layer quasi-geostrophic model as a shared library for daunce-mpi: parameters, description, forecasts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "daunce_model.h"
#include "solver.h"

#define HOUR 3600.0 /* s */
#define DAY 24.0    /* hours */
#define SPINUP_DAYS 250
#define INITIAL_EDDIES 20000.0 /* standard deviation of psi in an initial state, m2 s-1 */
#define LONGEST 2              /* random eddies have 2 to 5 waves along a side */
#define SHORTEST 5
#define COARSE_STEP 2 /* time steps of the full model in one of the coarse model */

static const double pi = 3.14159265358979323846;

/* ---- Parameters ---- */

enum { N, LENGTH, RADIUS, BETA, SHEAR, DRAG, DISSIPATION, TIME_STEP, NOISE, PARAMETERS };

static const struct {
  const char *name;
  double standard, least, most;
  const char *expected;
} known[PARAMETERS] = {
    [N] = {"n", 64, 16, 1024, "an even number of cells along a side, 16 to 1024"},
    [LENGTH] = {"length", 1600, 1, 1e5, "the length of a side, 1 to 100000 km"},
    [RADIUS] = {"radius", 80, 0.1, 1e5, "the deformation radius, 0.1 to 100000 km"},
    [BETA] = {"beta", 2.2e-11, 0, 1e-8, "the gradient of the Coriolis parameter, 0 to 1e-8 m-1 s-1"},
    [SHEAR] = {"shear", 0.4, -100, 100, "the upper minus the lower layer's mean flow, -100 to 100 m s-1"},
    [DRAG] = {"drag", 0.15, 0, 100, "the lower layer's rate of damping, 0 to 100 per day"},
    [DISSIPATION] = {"dissipation", 5, 0, 1000, "the shortest waves' rate of damping, 0 to 1000 per day"},
    [TIME_STEP] = {"time_step", 2, 0.01, 24, "a time step that divides a day, 0.01 to 24 hours"},
    [NOISE] = {"noise", 0, 0, 1e6, "the noise that a day adds to psi, 0 to 1000000 m2 s-1"},
};

typedef struct {
  double parameters[PARAMETERS];
  solver full, coarse;
  char description[2048], error[256];
} quasi_geostrophic;

/* ---- Random eddies ---- */

/* The number at `counter` of the sequence splitmix64 (Steele, Lea and Flood 2014). */
static uint64_t hash(uint64_t counter) {
  uint64_t z = counter * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* Two independent normal numbers of variance 1/2 (Box and Muller 1958). */
static number normal(uint64_t key) {
  double radius = sqrt(-log(((hash(key) >> 11) + 0.5) * 0x1p-53)), angle = 2 * pi * (hash(~key) >> 11) * 0x1p-53;
  return CMPLX(radius * cos(angle), radius * sin(angle));
}

static bool is_random(wave k) {
  int square = k.kx * k.kx + k.ky * k.ky;
  return square >= LONGEST * LONGEST && square <= SHORTEST * SHORTEST;
}

/* Adds eddies to psi, independent in both layers, whose standard deviation on the grid is `size`. */
static void add_eddies(solver *s, double size, uint64_t seed, int64_t step) {
  int count = 0;
  for (int i = 0; i < s->count; i++) count += is_random(s->waves[i]);
  uint64_t key = hash(hash(seed) + (uint64_t)step);
  for (int i = 0; i < 2 * s->count; i++) {
    wave k = s->waves[i % s->count];
    if (!is_random(k)) continue;
    uint64_t layer = i / s->count, row = SHORTEST + k.ky;
    s->psi[i] += size / sqrt(2 * count) * normal(hash(key + (layer << 32) + (row << 16) + (uint64_t)k.kx));
  }
}

/* ---- Forecasts ---- */

static int fail(quasi_geostrophic *model, const char *reason) {
  snprintf(model->error, sizeof model->error, "quasi-geostrophic: %s", reason);
  return 1;
}

static bool write_state(solver *s, double *state) {
  memset(state, 0, 2 * (size_t)s->n * s->n * sizeof(double));
  return add_to_state(s, s, state);
}

/* The number of time steps between two times, -1 where it is not whole. */
static int64_t steps_between(const quasi_geostrophic *model, double from, double to) {
  double steps = (to - from) / model->parameters[TIME_STEP], whole = round(steps);
  return whole >= 0 && whole < 1e15 && fabs(steps - whole) < 1e-6 * (1 + whole) ? (int64_t)whole : -1;
}

int32_t daunce_model_forecast(void *handle, double from, double to, uint64_t seed, double *state) {
  quasi_geostrophic *model = handle;
  solver *s = &model->full;
  double hours = model->parameters[TIME_STEP], noise = model->parameters[NOISE] * sqrt(hours / DAY);
  int64_t steps = steps_between(model, from, to), start = llround(from / hours);
  if (steps < 0) return fail(model, "the interval of a forecast is not a number of time steps");
  if (steps == 0) return 0;
  read_state(s, s, state);
  potential_vorticity(s);
  for (int64_t i = 0; i < steps; i++) {
    advance(s, hours * HOUR);
    if (noise == 0) continue;
    stream_function(s);
    add_eddies(s, noise, seed, start + i);
    potential_vorticity(s);
  }
  stream_function(s);
  return write_state(s, state) ? 0 : fail(model, "the flow is not finite");
}

/* The waves that the coarse model has not are left as they are: the state gets the change of those that it has. */
int32_t daunce_model_coarse_forecast(void *handle, double from, double to, double *state) {
  quasi_geostrophic *model = handle;
  solver *s = &model->coarse;
  int64_t steps = steps_between(model, from, to), coarse_steps = (steps + COARSE_STEP - 1) / COARSE_STEP;
  if (steps < 0) return fail(model, "the interval of a coarse forecast is not a number of time steps");
  if (steps == 0) return 0;
  double hours = model->parameters[TIME_STEP] * steps / coarse_steps;
  read_state(&model->full, s, state);
  memcpy(s->before, s->psi, 2 * (size_t)s->count * sizeof(number));
  potential_vorticity(s);
  for (int64_t i = 0; i < coarse_steps; i++) advance(s, hours * HOUR);
  stream_function(s);
  for (int i = 0; i < 2 * s->count; i++) s->psi[i] -= s->before[i];
  bool finite = add_to_state(&model->full, s, state);
  return finite ? 0 : fail(model, "the coarse flow is not finite");
}

int32_t daunce_model_initial_state(void *handle, uint64_t seed, double *state) {
  solver *s = &((quasi_geostrophic *)handle)->full;
  memset(s->psi, 0, 2 * (size_t)s->count * sizeof(number));
  add_eddies(s, INITIAL_EDDIES, seed, -1);
  write_state(s, state);
  return 0;
}

/* ---- Making a model ---- */

static const char *const layout =
    "name: quasi-geostrophic\n"
    "time_step: %.17g\n"
    "hours: 1\n"
    "spinup: %.17g\n"
    "axes:\n"
    "  - {name: y, units: km, period: %.17g}\n"
    "  - {name: x, units: km, period: %.17g}\n"
    "dimensions:\n"
    "  - {name: y, length: %d, from: 0, spacing: %.17g}\n"
    "  - {name: x, length: %d, from: 0, spacing: %.17g}\n"
    "fields:\n"
    "  - {name: psi1, long_name: stream function of the upper layer, units: m2 s-1, reference: 0, scale: 88000}\n"
    "  - {name: psi2, long_name: stream function of the lower layer, units: m2 s-1, reference: 0, scale: 32000}\n"
    "observing: {field: psi1, sd: 8000, interval: 12}\n"
    "parameters: {";

static void describe(quasi_geostrophic *model) {
  const double *p = model->parameters;
  int n = (int)p[N];
  double spacing = p[LENGTH] / n;
  char *text = model->description;
  size_t size = sizeof model->description;
  int end = snprintf(text, size, layout, p[TIME_STEP], SPINUP_DAYS * DAY, p[LENGTH], p[LENGTH], n, spacing, n, spacing);
  for (int i = 0; i < PARAMETERS; i++)
    end += snprintf(text + end, size - end, "%s%s: %.15g", i ? ", " : "", known[i].name, p[i]);
  snprintf(text + end, size - end, "}\n");
}

/* Reads the parameters; fails on the first that cannot be used. */
static int read_parameters(quasi_geostrophic *model, const char *text) {
  for (int i = 0; i < PARAMETERS; i++) {
    double value = daunce_parameter(text, known[i].name, known[i].standard), steps = DAY / value;
    bool usable = value >= known[i].least && value <= known[i].most;
    if (i == N) usable = usable && fmod(value, 2) == 0;
    if (i == TIME_STEP) usable = usable && fabs(steps - round(steps)) < 1e-9 * steps;
    model->parameters[i] = value;
    if (usable) continue;
    char reason[200];
    snprintf(reason, sizeof reason, "%s is %g, expected %s", known[i].name, value, known[i].expected);
    return fail(model, reason);
  }
  return 0;
}

static physics si_units(const double *p) {
  double day = DAY * HOUR;
  return (physics){1e3 * p[LENGTH], 1e3 * p[RADIUS], p[BETA], p[SHEAR], p[DRAG] / day, p[DISSIPATION] / day};
}

int32_t daunce_model_version(void) { return DAUNCE_MODEL_VERSION; }

int32_t daunce_model_create(const char *parameters, void **handle) {
  quasi_geostrophic *model = *handle = calloc(1, sizeof *model);
  if (!model) return 1;
  if (read_parameters(model, parameters)) return 1;
  int n = (int)model->parameters[N];
  physics constants = si_units(model->parameters);
  bool made = make_solver(&model->full, n, n, constants) && make_solver(&model->coarse, n / 2, n, constants);
  if (!made) return fail(model, "there is not enough memory");
  describe(model);
  return 0;
}

void daunce_model_destroy(void *handle) {
  quasi_geostrophic *model = handle;
  if (!model) return;
  free_solver(&model->full);
  free_solver(&model->coarse);
  free(model);
}

const char *daunce_model_description(void *handle) { return ((quasi_geostrophic *)handle)->description; }

const char *daunce_model_error(void *handle) {
  return handle ? ((quasi_geostrophic *)handle)->error : "quasi-geostrophic: there is not enough memory";
}
