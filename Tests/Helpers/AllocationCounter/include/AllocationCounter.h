#pragma once

/// Number of heap allocations of this process so far, by the program and by the libraries that it calls, except those
/// that the MPI library's own code makes. Counted from the first call on.
long daunce_allocations(void);

/// The same of the MPI library's own code.
long daunce_mpi_allocations(void);
