/* Calls of a model library's functions that come back even where the library crashes or ends the process.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DAUNCE_GUARD_H
#define DAUNCE_GUARD_H

#include <stdint.h>

/* How a call ended. */
enum daunce_ending { DAUNCE_RETURNED, DAUNCE_SIGNALLED, DAUNCE_EXITED };

/* `code`: what the function returned (0 for functions that return nothing), the signal, or the exit code. */
struct daunce_outcome {
  enum daunce_ending ending;
  int32_t code;
};

/* Takes over the signals of crashes and `exit`, once a process. Outside of a guarded call signals do what they did
 * before. */
void daunce_guard_install(void);

/* `address` is a function of daunce_model.h as dlsym found it. */
struct daunce_outcome daunce_guard_open(const char *path, void **library, const char **reason);
struct daunce_outcome daunce_guard_version(void *address);
struct daunce_outcome daunce_guard_create(void *address, const char *parameters, void **model);
struct daunce_outcome daunce_guard_destroy(void *address, void *model);
struct daunce_outcome daunce_guard_text(void *address, void *model, const char **text);
struct daunce_outcome daunce_guard_initial_state(void *address, void *model, uint64_t seed, double *state);
struct daunce_outcome daunce_guard_forecast(
    void *address, void *model, double from, double to, uint64_t seed, double *state);
struct daunce_outcome daunce_guard_coarse_forecast(void *address, void *model, double from, double to, double *state);
struct daunce_outcome daunce_guard_observe(
    void *address, void *model, double time, const double *state, double *values);
struct daunce_outcome daunce_guard_array(
    void *address, void *model, const char *name, int64_t count, double *values);
struct daunce_outcome daunce_guard_memory_size(void *address, void *model, int64_t *size);
struct daunce_outcome daunce_guard_save(void *address, void *model, void *memory);
struct daunce_outcome daunce_guard_restore(void *address, void *model, const void *memory);

#endif
