// Guarded calls of the functions of daunce_model.h.
// SPDX-License-Identifier: Apache-2.0
#include "guarded.h"

struct daunce_outcome daunce_guard_version(void *address) {
  int32_t (*function)(void) = (int32_t(*)(void))address;
  GUARDED(daunce_guard.outcome.code = function());
}

struct daunce_outcome daunce_guard_create(void *address, const char *parameters, void **model) {
  int32_t (*function)(const char *, void **) = (int32_t(*)(const char *, void **))address;
  GUARDED(daunce_guard.outcome.code = function(parameters, model));
}

struct daunce_outcome daunce_guard_destroy(void *address, void *model) {
  void (*function)(void *) = (void (*)(void *))address;
  GUARDED(function(model));
}

struct daunce_outcome daunce_guard_text(void *address, void *model, const char **text) {
  const char *(*function)(void *) = (const char *(*)(void *))address;
  GUARDED(*text = function(model));
}

struct daunce_outcome daunce_guard_initial_state(void *address, void *model, uint64_t seed, double *state) {
  int32_t (*function)(void *, uint64_t, double *) = (int32_t(*)(void *, uint64_t, double *))address;
  GUARDED(daunce_guard.outcome.code = function(model, seed, state));
}

struct daunce_outcome daunce_guard_forecast(
    void *address, void *model, double from, double to, uint64_t seed, double *state) {
  int32_t (*function)(void *, double, double, uint64_t, double *) =
      (int32_t(*)(void *, double, double, uint64_t, double *))address;
  GUARDED(daunce_guard.outcome.code = function(model, from, to, seed, state));
}

struct daunce_outcome daunce_guard_coarse_forecast(void *address, void *model, double from, double to, double *state) {
  int32_t (*function)(void *, double, double, double *) = (int32_t(*)(void *, double, double, double *))address;
  GUARDED(daunce_guard.outcome.code = function(model, from, to, state));
}

struct daunce_outcome daunce_guard_observe(
    void *address, void *model, double time, const double *state, double *values) {
  int32_t (*function)(void *, double, const double *, double *) =
      (int32_t(*)(void *, double, const double *, double *))address;
  GUARDED(daunce_guard.outcome.code = function(model, time, state, values));
}

struct daunce_outcome daunce_guard_array(
    void *address, void *model, const char *name, int64_t count, double *values) {
  int32_t (*function)(void *, const char *, int64_t, double *) =
      (int32_t(*)(void *, const char *, int64_t, double *))address;
  GUARDED(daunce_guard.outcome.code = function(model, name, count, values));
}

struct daunce_outcome daunce_guard_memory_size(void *address, void *model, int64_t *size) {
  int64_t (*function)(void *) = (int64_t(*)(void *))address;
  GUARDED(*size = function(model));
}

struct daunce_outcome daunce_guard_save(void *address, void *model, void *memory) {
  int32_t (*function)(void *, void *) = (int32_t(*)(void *, void *))address;
  GUARDED(daunce_guard.outcome.code = function(model, memory));
}

struct daunce_outcome daunce_guard_restore(void *address, void *model, const void *memory) {
  int32_t (*function)(void *, const void *) = (int32_t(*)(void *, const void *))address;
  GUARDED(daunce_guard.outcome.code = function(model, memory));
}
