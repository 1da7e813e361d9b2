#pragma once
#include <mpi.h>

// Open MPI's handles are macros that cast addresses of its own objects, which Swift does not import.
static inline MPI_Comm daunce_comm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Comm daunce_comm_null(void) { return MPI_COMM_NULL; }
