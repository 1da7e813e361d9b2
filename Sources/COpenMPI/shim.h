#pragma once
#include <mpi.h>
#include <stdint.h>
#include "abort.h"
#include "board.h"

// Open MPI's handles are macros that cast addresses of its own objects, and some constants are macros of macros or
// anonymous enumerators: Swift imports none of them, or differently in each version. Getters only; what a board in
// shared memory needs of the machine is in board.h.

static inline MPI_Comm daunce_comm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Comm daunce_comm_from_fortran(int32_t handle) { return MPI_Comm_f2c((MPI_Fint)handle); }
static inline MPI_Comm daunce_comm_null(void) { return MPI_COMM_NULL; }
static inline MPI_Win daunce_win_null(void) { return MPI_WIN_NULL; }
static inline MPI_Info daunce_info_null(void) { return MPI_INFO_NULL; }
static inline MPI_Request daunce_request_null(void) { return MPI_REQUEST_NULL; }
static inline MPI_Status *daunce_status_ignore(void) { return MPI_STATUS_IGNORE; }
static inline MPI_Errhandler daunce_errors_return(void) { return MPI_ERRORS_RETURN; }

static inline MPI_Datatype daunce_double(void) { return MPI_DOUBLE; }
static inline MPI_Datatype daunce_float(void) { return MPI_FLOAT; }
static inline MPI_Datatype daunce_int64(void) { return MPI_INT64_T; }
static inline MPI_Datatype daunce_int32(void) { return MPI_INT32_T; }
static inline MPI_Datatype daunce_uint64(void) { return MPI_UINT64_T; }
static inline MPI_Datatype daunce_uint8(void) { return MPI_UINT8_T; }

static inline MPI_Op daunce_sum(void) { return MPI_SUM; }
static inline MPI_Op daunce_max(void) { return MPI_MAX; }
static inline MPI_Op daunce_min(void) { return MPI_MIN; }

static inline void *daunce_in_place(void) { return MPI_IN_PLACE; }

static inline int daunce_success(void) { return MPI_SUCCESS; }
static inline int daunce_undefined(void) { return MPI_UNDEFINED; }
static inline int daunce_thread_funneled(void) { return MPI_THREAD_FUNNELED; }
static inline int daunce_type_shared(void) { return MPI_COMM_TYPE_SHARED; }
static inline int daunce_max_error_string(void) { return MPI_MAX_ERROR_STRING; }
static inline int daunce_max_processor_name(void) { return MPI_MAX_PROCESSOR_NAME; }
static inline int daunce_max_library_version(void) { return MPI_MAX_LIBRARY_VERSION_STRING; }
