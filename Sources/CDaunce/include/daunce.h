/* libdaunce: data assimilation for an MPI program that runs its own ensemble. Version 1 of this interface.
 *
 * A session belongs to one ensemble, spread over the ranks of one communicator. Its settings are told first
 * (daunce_set_...), checked together by daunce_start, and then daunce_assimilate turns forecasts into analyses, in
 * place.
 *
 * Functions that return int32_t return DAUNCE_OK or one of the other codes below, whose reason daunce_error tells.
 * Functions that are called "collective" are called by all ranks of the communicator, in the same order, and return
 * the same code on all of them; the others do not communicate. All calls of a process come from one thread, the one
 * that MPI belongs to.
 *
 * Nothing is printed. MPI is neither initialised nor finalised nor aborted; messages go over a duplicate of the
 * communicator that returns errors. Floating-point modes and the number of BLAS threads are as before after every
 * call.
 *
 * Texts are UTF-8 and end with a zero. Members, cells and ranks are counted from 0. Times are in the unit of the
 * description's time_step. A state is as many doubles as daunce_state_size says: one field after the other in the
 * description's order, then what it calls "observed"; of each field the first dimension of its grid varies slowest.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DAUNCE_H
#define DAUNCE_H

#include <stdint.h>

#define DAUNCE_INTERFACE 1

/* What functions return. */
enum {
  DAUNCE_OK = 0,
  DAUNCE_USAGE = 64,    /* a call that does not fit: arguments, order, members, ranks that disagree */
  DAUNCE_DATA = 65,     /* configuration, description, agents, observations or states that are wrong */
  DAUNCE_LOST = 66,     /* the update has left a member that cannot go on: not finite, negative or far away */
  DAUNCE_INTERNAL = 70, /* MPI failed, or a mistake of the library's own */
  DAUNCE_IO = 74        /* a file that cannot be read */
};

#ifdef __cplusplus
extern "C" {
#endif

typedef struct daunce_session daunce_session;

/* A cheap forecast without noise, in place, from a time to another; returns 0, or any other number for a failure. */
typedef int32_t daunce_coarse_forecast(void *user, double from, double to, double *state);

/* ---- Always ---- */

/* DAUNCE_INTERFACE of the library that is loaded. */
int32_t daunce_interface(void);

/* Name and version: "daunce-mpi 0.1.0". */
const char *daunce_version(void);

/* Why the last function that failed with this session did; "" where none has. With NULL: why the last daunce_create did,
 * or a call with what is no session. Valid until the next failure. */
const char *daunce_error(const daunce_session *session);

/* What a user should know (observations left out, agents used elsewhere than where they learned), a line each, since
 * the last call; "" for nothing. Valid until the next call of this function. */
const char *daunce_notes(daunce_session *session);

/* Collective. A session on the ranks of a communicator, given as Fortran knows it (MPI_Comm_c2f); see daunce_create_c.
 * After a failure *session is NULL. */
int32_t daunce_create(int32_t communicator, daunce_session **session);

/* Collective. Ends a session, gives its memory and communicator back, and sets *session to NULL. After MPI_Finalize the
 * communicator is left alone. */
int32_t daunce_destroy(daunce_session **session);

/* ---- Settings, before daunce_start: alike on all ranks but for the number of members. They are checked there. ---- */

/* The fields, grids and units of the states and the time step: YAML with the keys of docs/guide/own-models.md. */
int32_t daunce_set_description(daunce_session *session, const char *yaml);

/* `count` numbers that the description refers to by a name: coordinates, places, weights. They are copied. */
int32_t daunce_set_array(daunce_session *session, const char *name, int64_t count, const double *values);

/* A configuration with the keys of daunce-mpi: a file, a text in YAML over it, or one of the two (the other is NULL).
 * The section `model` is passed over. */
int32_t daunce_set_configuration(daunce_session *session, const char *file, const char *yaml);

/* One key over those, such as "filter.half_width" and "4"; NULL takes the key back. */
int32_t daunce_set(daunce_session *session, const char *key, const char *value);

/* A filter or nonlinear update by its name (docs/guide/user-guide.md, --method), with agents == NULL; or "rl" with the
 * folder of trained agents. */
int32_t daunce_set_method(daunce_session *session, const char *method, const char *agents);

/* How many members this rank holds: blocks in the order of ranks, whose sizes differ by one at most, larger ones
 * first. Their sum is the key `members`. */
int32_t daunce_set_members(daunce_session *session, int64_t members);

/* Time of the initial states; 0, or the time of the file below, where it is not set. */
int32_t daunce_set_time(daunce_session *session, double time);

/* A file with the initial states, as `daunce-mpi assimilate --initial` reads it; daunce_initial_states hands them
 * over. */
int32_t daunce_set_initial(daunce_session *session, const char *file);

/* A file of observations in any format that `daunce-mpi assimilate --observations` reads; daunce_assimilate takes from
 * it what is due. */
int32_t daunce_set_observations(daunce_session *session, const char *file);

/* For agents with agents.base: coarse-step. They are then handed the last analyses, which this function carries to the
 * observation time. */
int32_t daunce_set_coarse_forecast(daunce_session *session, daunce_coarse_forecast *function, void *user);

/* Collective. Checks everything and makes the update. After a failure settings can be changed and this be called
 * again. */
int32_t daunce_start(daunce_session *session);

/* ---- After daunce_start; without it -1 ---- */

/* Doubles of a state. */
int64_t daunce_state_size(const daunce_session *session);

/* Members of all ranks, and the number of the first one that this rank holds. */
int64_t daunce_members(const daunce_session *session);
int64_t daunce_first_member(const daunce_session *session);

/* Time of the last analysis or of the initial states (not a number before daunce_start), and the time from one cycle
 * to the next (key observations.interval times the time step). */
double daunce_time(const daunce_session *session);
double daunce_interval(const daunce_session *session);

/* The last cycle that has an analysis, 0 before the first; and the last one that the file has observations of, 0
 * without a file. Cycle k ends at the initial time plus k intervals. */
int64_t daunce_cycle(const daunce_session *session);
int64_t daunce_last_observed(const daunce_session *session);

/* The 64 bits that daunce-mpi gives a plugin's daunce_model_forecast for a member on its way to a cycle: with them a
 * host's noise is that of the program. */
int32_t daunce_seed(daunce_session *session, int64_t member, int64_t cycle, uint64_t *seed);

/* The initial states of daunce_set_initial, before the first analysis: member k of this rank to states + k * stride (in
 * doubles, daunce_state_size at least). */
int32_t daunce_initial_states(daunce_session *session, double *states, int64_t stride);

/* Observations for the next daunce_assimilate: alike on all ranks, or on rank 0 alone. Copied; several calls add up.
 * What is wrong with them daunce_assimilate tells, on all ranks. `quantity`: a field's name or CF standard name, or
 * what a network of the configuration observes ("absolute_x"). `values` in its unit, not a number where missing;
 * `deviations` are standard deviations of the errors, in the same unit (`[count]`). `cells` of the field's grid
 * (`[count]`). */
int32_t daunce_observe(
    daunce_session *session, const char *quantity, int64_t count, const int64_t *cells, const double *values,
    const double *deviations);

/* The same at places: as many coordinates as the description has axes, one place after the other (`[count][axis]`);
 * in between cells fields are interpolated. */
int32_t daunce_observe_places(
    daunce_session *session, const char *quantity, int64_t count, const double *places, const double *values,
    const double *deviations);

/* Collective. Turns the forecasts of `time` into analyses, in place. `time` is the initial time plus a whole number of
 * intervals; to get the bits of daunce-mpi call it for every one of them, observed or not. `members` and `size` are
 * what this rank holds and daunce_state_size. With agents of agents.base: coarse-step or persistence states are the
 * last analyses. After an error the states are as they were before the call, and the observations of daunce_observe
 * are forgotten. After DAUNCE_LOST and DAUNCE_INTERNAL what the update keeps from cycle to cycle may have changed: go
 * on with daunce_restore or another session. After all others the call can be repeated. */
int32_t daunce_assimilate(daunce_session *session, double time, int64_t members, int64_t size, double *const *states);

/* Collective. The same for states in one block: member k at states + k * stride (in doubles, at least `size`). */
int32_t daunce_assimilate_block(
    daunce_session *session, double time, int64_t members, int64_t size, double *states, int64_t stride);

/* Collective. Mean and standard deviation (divisor N - 1) of the last analysis over all members, on all ranks
 * (`[daunce_state_size]` each; NULL where one is not wanted). */
int32_t daunce_moments(daunce_session *session, double *mean, double *spread);

/* What the next analysis needs besides the states: cycle, adaptive inflation, agents' memory. daunce_save_size asks
 * for the bytes of this rank (-1 before daunce_start), daunce_save writes them. */
int64_t daunce_save_size(daunce_session *session);
int32_t daunce_save(daunce_session *session, void *bytes, int64_t size);

/* Collective. Takes them back, in a started session of the same settings and the same members on this rank. */
int32_t daunce_restore(daunce_session *session, const void *bytes, int64_t size);

/* daunce_create for a communicator of C, where mpi.h has been included before this file. */
#ifdef MPI_VERSION
static inline int32_t daunce_create_c(MPI_Comm communicator, daunce_session **session) {
  return daunce_create((int32_t)MPI_Comm_c2f(communicator), session);
}
#endif

#ifdef __cplusplus
}
#endif
#endif
