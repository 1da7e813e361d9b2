// Lorenz (1996), dx_i/dt = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F on a circle, by the classical Runge-Kutta scheme.
// SPDX-License-Identifier: Apache-2.0
#include "daunce_model.h"

#include <math.h>
#include <stdio.h>

typedef struct {
  int n;
  double forcing, dt;
  double *halo, *slope, *sum, *start;  // halo[-2], halo[-1] and halo[n] repeat the other end
  char text[1024], error[200];
} Model;

int32_t daunce_model_version(void) { return DAUNCE_MODEL_VERSION; }

int32_t daunce_model_create(const char *parameters, void **model) {
  Model *m = *model = calloc(1, sizeof *m);
  if (!m) return 1;
  double cells = daunce_parameter(parameters, "cells", 40);
  m->forcing = daunce_parameter(parameters, "forcing", 8);
  m->dt = 0.05;
  if (!(cells >= 4 && cells <= 1e7)) {
    snprintf(m->error, sizeof m->error, "cells: found %g, expected a number from 4 to 1e7", cells);
    return 1;
  }
  int n = m->n = (int)cells;
  double *memory = calloc(4 * (size_t)n + 3, sizeof *memory);
  if (!memory) return snprintf(m->error, sizeof m->error, "no memory for %d cells", n);
  m->halo = memory + 2;
  m->slope = m->halo + n + 1, m->sum = m->slope + n, m->start = m->sum + n;
  snprintf(m->text, sizeof m->text,
           "name: lorenz96-c\n"
           "time_step: 0.05\n"
           "spinup: 20\n"
           "axes: [{name: x, period: %d}]\n"
           "dimensions: [{name: x, length: %d}]\n"
           "fields: [{name: X, long_name: Lorenz-96 variable, scale: 3.64}]\n"
           "observing: {sd: 1}\n"
           "parameters: {cells: %d, forcing: %.17g}\n",
           n, n, n, m->forcing);
  return 0;
}

void daunce_model_destroy(void *model) {
  Model *m = model;
  if (m->halo) free(m->halo - 2);
  free(m);
}

const char *daunce_model_description(void *model) { return ((Model *)model)->text; }

const char *daunce_model_error(void *model) { return model ? ((Model *)model)->error : "no memory"; }

int32_t daunce_model_initial_state(void *model, uint64_t seed, double *state) {
  Model *m = model;
  for (int i = 0; i < m->n; i++) state[i] = m->forcing + 0.01 * sin((double)(seed % 1000003) * (i + 1));
  return 0;
}

static void tendency(Model *m, const double *x) {
  double *h = m->halo;
  int n = m->n;
  if (x != h) memcpy(h, x, (size_t)n * sizeof *x);
  h[-2] = h[n - 2], h[-1] = h[n - 1], h[n] = h[0];
  for (int i = 0; i < n; i++) m->slope[i] = (h[i + 1] - h[i - 2]) * h[i - 1] - h[i] + m->forcing;
}

static void step(Model *m, double *x, double dt) {
  int n = m->n;
  memcpy(m->start, x, (size_t)n * sizeof *x);
  tendency(m, m->start);
  memcpy(m->sum, m->slope, (size_t)n * sizeof *x);
  for (int stage = 0; stage < 3; stage++) {
    double part = stage < 2 ? dt / 2 : dt;
    if (stage > 0) for (int i = 0; i < n; i++) m->sum[i] += 2 * m->slope[i];
    for (int i = 0; i < n; i++) m->halo[i] = m->start[i] + part * m->slope[i];
    tendency(m, m->halo);
  }
  for (int i = 0; i < n; i++) x[i] = m->start[i] + dt / 6 * (m->sum[i] + m->slope[i]);
}

int32_t daunce_model_forecast(void *model, double from, double to, uint64_t seed, double *state) {
  Model *m = model;
  (void)seed;  // no noise
  for (long steps = lround((to - from) / m->dt); steps > 0; steps--) step(m, state, m->dt);
  return 0;
}

int32_t daunce_model_coarse_forecast(void *model, double from, double to, double *state) {
  step(model, state, to - from);
  return 0;
}
