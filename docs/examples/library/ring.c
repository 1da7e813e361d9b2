/* The shortest program that calls libdaunce: ten values on a ring that is turned by one cell a step, six members, and three
 * observations of its own on rank 0.
 *
 *   mpirun -np 2 ./ring
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <mpi.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "daunce.h"

enum { cells = 10, members = 6, cycles = 20 };

static const char description[] =
    "{name: ring, time_step: 1, axes: [{name: x, period: 10}], dimensions: [{name: x, length: 10}], "
    "fields: [{name: u, scale: 1}]}";

static daunce_session *session;

static void check(int32_t code) {
  if (code == DAUNCE_OK) return;
  fprintf(stderr, "ring: %s (code %d)\n", daunce_error(session), (int)code);
  MPI_Abort(MPI_COMM_WORLD, 1);
}

static double truth(int cell, int time) { return sin(2 * 3.14159265358979 * (cell - time) / cells); }

int main(int argc, char **argv) {
  int rank, ranks;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  int held = members / ranks + (rank < members % ranks);

  check(daunce_create_c(MPI_COMM_WORLD, &session));
  check(daunce_set_description(session, description));
  check(daunce_set_configuration(session, NULL, "{members: 6, filter: {half_width: 2, inflation: 1.02}}"));
  check(daunce_set_method(session, "letkf", NULL));
  check(daunce_set_members(session, held));
  check(daunce_start(session));

  double states[members][cells], *pointers[members], mean[cells], spread[cells];
  for (int k = 0; k < held; k++) {
    pointers[k] = states[k];
    for (int i = 0; i < cells; i++) states[k][i] = sin(7.0 * (i + 1) * (k + 1 + (double)daunce_first_member(session)));
  }
  for (int time = 1; time <= cycles; time++) {
    for (int k = 0; k < held; k++) { /* the model */
      double last = states[k][cells - 1];
      for (int i = cells - 1; i > 0; i--) states[k][i] = states[k][i - 1];
      states[k][0] = last;
    }
    if (rank == 0) {
      int64_t observed[3] = {0, 3, 7};
      double values[3], deviations[3] = {0.1, 0.1, 0.1};
      for (int k = 0; k < 3; k++) values[k] = truth((int)observed[k], time);
      check(daunce_observe(session, "u", 3, observed, values, deviations));
    }
    check(daunce_assimilate(session, time, held, cells, pointers));
  }
  check(daunce_moments(session, mean, spread));
  double error = 0;
  for (int i = 0; i < cells; i++) error += pow(mean[i] - truth(i, cycles), 2) / cells;
  if (rank == 0) printf("ring: error of the mean %.17g\n", sqrt(error));
  check(daunce_destroy(&session));
  MPI_Finalize();
  return 0;
}
