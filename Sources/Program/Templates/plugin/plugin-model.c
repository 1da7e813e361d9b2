// NAME: a model for daunce-mpi. Replace what says "here" by your own.
#include "daunce_model.h"

#include <math.h>
#include <stdio.h>

// One model; several are alive in one process, so keep everything in here and nothing in global variables.
typedef struct {
  int cells;
  double forcing, dt;
  double *slope;
  char description[2000];
  char error[200];
} Model;

int32_t daunce_model_version(void) { return DAUNCE_MODEL_VERSION; }

int32_t daunce_model_create(const char *parameters, void **model) {
  Model *m = *model = calloc(1, sizeof *m);
  if (!m) return 1;
  m->dt = 0.05;
  m->cells = (int)daunce_parameter(parameters, "cells", 40);  // here: your parameters
  m->forcing = daunce_parameter(parameters, "forcing", 8);
  if (m->cells < 4) {
    snprintf(m->error, sizeof m->error, "cells: found %d, expected 4 or more", m->cells);
    return 1;
  }
  m->slope = calloc((size_t)m->cells, sizeof *m->slope);
  if (!m->slope) return snprintf(m->error, sizeof m->error, "no memory");
  // Here: your fields, their grids, units, typical sizes and bounds.
  snprintf(m->description, sizeof m->description,
           "name: NAME\n"
           "time_step: %g\n"
           "spinup: 20\n"
           "axes:\n"
           "  - {name: x, units: \"1\", period: %d}\n"
           "dimensions:\n"
           "  - {name: x, length: %d}\n"
           "fields:\n"
           "  - {name: u, long_name: what the model is about, units: \"1\", reference: 2.3, scale: 3.6}\n"
           "observing: {field: u, sd: 1, interval: 1}\n"
           "parameters: {cells: %d, forcing: %g}\n",
           m->dt, m->cells, m->cells, m->cells, m->forcing);
  return 0;
}

void daunce_model_destroy(void *model) {
  Model *m = model;
  free(m->slope);
  free(m);
}

const char *daunce_model_description(void *model) { return ((Model *)model)->description; }

const char *daunce_model_error(void *model) { return model ? ((Model *)model)->error : "no memory"; }

// A state to start a spin-up from; the same seed gives the same one.
int32_t daunce_model_initial_state(void *model, uint64_t seed, double *state) {
  Model *m = model;
  for (int i = 0; i < m->cells; i++) state[i] = m->forcing + sin((double)(seed % 9973) * (i + 1));
  return 0;
}

// Here: one time step of your model. The example is Lorenz (1996) by Heun's scheme.
static void tendency(const Model *m, const double *x, double *slope) {
  int n = m->cells;
  for (int i = 0; i < n; i++)
    slope[i] = (x[(i + 1) % n] - x[(i + n - 2) % n]) * x[(i + n - 1) % n] - x[i] + m->forcing;
}

static int step(const Model *m, double *x, double dt) {
  int n = m->cells;
  double guess[n], second[n];
  tendency(m, x, m->slope);
  for (int i = 0; i < n; i++) guess[i] = x[i] + dt * m->slope[i];
  tendency(m, guess, second);
  for (int i = 0; i < n; i++) x[i] += dt / 2 * (m->slope[i] + second[i]);
  return isfinite(x[0]);
}

// From one time to another, both multiples of the time step. Noise, if there is any, comes from the seed alone.
int32_t daunce_model_forecast(void *model, double from, double to, uint64_t seed, double *state) {
  Model *m = model;
  (void)seed;
  for (long steps = lround((to - from) / m->dt); steps > 0; steps--) {
    if (!step(m, state, m->dt / 2) || !step(m, state, m->dt / 2)) {
      snprintf(m->error, sizeof m->error, "the state is not finite after time %g", to - (double)steps * m->dt);
      return 1;
    }
  }
  return 0;
}

// A cheap forecast without noise, which agents correct; leave it out if there is none.
int32_t daunce_model_coarse_forecast(void *model, double from, double to, double *state) {
  Model *m = model;
  for (long steps = lround((to - from) / m->dt); steps > 0; steps--) step(m, state, m->dt);
  return 0;
}
