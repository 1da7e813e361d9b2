/* A forecast model as a shared library for daunce-mpi: the functions that the library exports. Version 1.
 *
 * Functions that return int32_t return 0, or any other number for a failure, whose reason daunce_model_error tells then.
 * Pointers that the library returns stay valid until the model is destroyed or the same function is called again.
 * daunce-mpi calls all functions of a process from one thread.
 *
 * Keep nothing in global variables: several models are alive in one process, and a forecast must depend on nothing but
 * what it is given. What a model has to keep from one forecast to the next besides the state, it hands over by
 * daunce_model_save; then every member has a model of its own.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DAUNCE_MODEL_H
#define DAUNCE_MODEL_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DAUNCE_MODEL_VERSION 1

#if defined(__GNUC__)
#define DAUNCE_EXPORT __attribute__((visibility("default")))
#else
#define DAUNCE_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- What every library has ---- */

/* DAUNCE_MODEL_VERSION of the header that the library was compiled with. */
DAUNCE_EXPORT int32_t daunce_model_version(void);

/* Makes a model. `parameters` are the configuration's, a line "name = value" for each, numbers of a list separated by
 * ", "; see daunce_parameter below. After a failure daunce_model_error is called with what `*model` is then, which may
 * be NULL, and a model that is not NULL is destroyed. */
DAUNCE_EXPORT int32_t daunce_model_create(const char *parameters, void **model);

DAUNCE_EXPORT void daunce_model_destroy(void *model);

/* What the model is: its fields, where they lie, units, bounds, time step; text in YAML, with the keys that
 * docs/guide/own-models.md lists. */
DAUNCE_EXPORT const char *daunce_model_description(void *model);

/* A state of the climate or one that a spin-up leads there (`state`, as many numbers as the fields have cells, one field
 * after the other in the description's order). The same seed gives the same state. */
DAUNCE_EXPORT int32_t daunce_model_initial_state(void *model, uint64_t seed, double *state);

/* Carries `state` from time `from` to time `to`, both multiples of the time step, in the model's unit. The same state,
 * times and seed give the same bits; another seed gives other noise, if there is any. */
DAUNCE_EXPORT int32_t daunce_model_forecast(void *model, double from, double to, uint64_t seed, double *state);

/* Why the last function failed. `model` is NULL where none could be made. */
DAUNCE_EXPORT const char *daunce_model_error(void *model);

/* ---- What a library may have ---- */

/* A cheap forecast without noise, which agents correct. */
DAUNCE_EXPORT int32_t daunce_model_coarse_forecast(void *model, double from, double to, double *state);

/* Observed quantities of a state: writes the fields that the description calls `observed`, one after the other, in
 * their order (`values`). */
DAUNCE_EXPORT int32_t daunce_model_observe(void *model, double time, const double *state, double *values);

/* Numbers that the description refers to by a name: coordinates, places, weights. */
DAUNCE_EXPORT int32_t daunce_model_array(void *model, const char *name, int64_t count, double *values);

/* What the model keeps besides the state: its size in bytes, always the same, and the bytes. All three or none. */
DAUNCE_EXPORT int64_t daunce_model_memory_size(void *model);
DAUNCE_EXPORT int32_t daunce_model_save(void *model, void *memory);
DAUNCE_EXPORT int32_t daunce_model_restore(void *model, const void *memory);

/* ---- For use in a library ---- */

/* The number that `parameters` have for a name, `fallback` where they have none. */
static inline double daunce_parameter(const char *parameters, const char *name, double fallback) {
  size_t length = strlen(name);
  for (const char *line = parameters; line && *line; line = strchr(line, '\n'), line += line != NULL)
    if (strncmp(line, name, length) == 0 && strncmp(line + length, " = ", 3) == 0) return strtod(line + length + 3, NULL);
  return fallback;
}

#ifdef __cplusplus
}
#endif
#endif
