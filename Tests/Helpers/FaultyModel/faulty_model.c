// A model library that does what libraries must not do: `fault` at times from `at` on, in its forecast.
// -DVERSION=2 makes one of another version, -DNO_FORECAST one without that function, -DBAD_DESCRIPTION one that nobody
// can read, -DBY_RANK one that is not the same on all ranks.
// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daunce_model.h"

#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <xmmintrin.h>

enum fault { none, crash, leave, not_a_number, leak, abort_, overflow, refuse, divide, flush, no_creation, crash_in_creation, count_calls,
  remember, below, lose_mass, count_starts };

typedef struct {
  enum fault fault;
  double at, kept;
} Model;

#ifndef VERSION
#define VERSION DAUNCE_MODEL_VERSION
#endif

int32_t daunce_model_version(void) { return VERSION; }

int32_t daunce_model_create(const char *parameters, void **model) {
  Model *m = *model = calloc(1, sizeof *m);
  m->fault = (enum fault)daunce_parameter(parameters, "fault", 0);
  m->at = daunce_parameter(parameters, "at", 0);
  if (m->fault == crash_in_creation) *(volatile int *)NULL = 1;
  return m->fault == no_creation;
}

void daunce_model_destroy(void *model) { free(model); }

const char *daunce_model_error(void *model) {
  (void)model;
  return "the sea is too rough today";
}

const char *daunce_model_description(void *model) {
  (void)model;
#ifdef BAD_DESCRIPTION
  return "name: bad\ntime_step: -1\nfields: [{name: u, scale: big}, {nome: v}]\n";
#elif defined(BY_RANK)
  const char *rank = getenv("OMPI_COMM_WORLD_RANK");
  return rank && *rank == '1' ? "{name: other, time_step: 1, dimensions: [{name: x, length: 5}], fields: [{name: u}]}"
                              : "{name: other, time_step: 1, dimensions: [{name: x, length: 4}], fields: [{name: u}]}";
#else
  return "name: faulty\ntime_step: 1\naxes: [{name: x, period: 4}]\ndimensions: [{name: x, length: 4}]\n"
#ifdef CONTRACT
         "fields: [{name: u, scale: 1, lower: 0}]\ninvariants: [{name: mean, fields: [u]}]\n"
#else
         "fields: [{name: u, scale: 1}]\n"
#endif
         "observing: {sd: 0.1}\n";
#endif
}

int32_t daunce_model_initial_state(void *model, uint64_t seed, double *state) {
  for (int i = 0; i < 4; i++) state[i] = sin((double)(seed % 1000) + i);
#ifdef CONTRACT
  static int starts;
  starts += ((Model *)model)->fault == count_starts;
  for (int i = 0; i < 4; i++) state[i] = 1 + 0.1 * i + starts;
#endif
  (void)model;
  return 0;
}

static double dig(volatile double *above) {
  volatile double room[4096];
  room[0] = above ? above[0] + 1 : 0;
  return dig(room) + room[0];
}

#ifndef NO_FORECAST
int32_t daunce_model_forecast(void *model, double from, double to, uint64_t seed, double *state) {
  Model *m = model;
  (void)to;
#ifdef CONTRACT
  double first = state[0];  // round and round, so that the mean stays
  for (int i = 0; i < 3; i++) state[i] = state[i + 1];
  state[3] = first;
#else
  for (int i = 0; i < 4; i++) state[i] = 0.9 * state[i] + 0.1 * sin((double)((seed >> i) % 1000));
#endif
  if (from < m->at) return 0;
  switch (m->fault) {
  case crash: *(volatile int *)NULL = 1; break;
  case leave: exit(3);
  case not_a_number: state[2] = NAN; break;
  case leak: ((volatile char *)malloc(1000))[0] = 1; break;
  case abort_: abort();
  case overflow: state[0] = dig(NULL); break;
  case refuse: return 1;
  case divide: {
    feenableexcept(FE_DIVBYZERO);
    volatile double zero = 0;
    state[0] = 1 / zero;
    break;
  }
  case flush: _mm_setcsr(_mm_getcsr() | 0xc040); break;  // tiny numbers are 0, and all are rounded up, from now on
  case count_calls: {
    static int calls;
    state[0] += ++calls;
    break;
  }
  case remember: {
    double last = state[1];
    state[1] += m->kept, m->kept = last;
    break;
  }
  case below: state[0] = -1; break;
  case lose_mass: state[0] *= 0.99; break;
  default: break;
  }
  return 0;
}
#endif
