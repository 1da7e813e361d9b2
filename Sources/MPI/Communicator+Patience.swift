import COpenMPI
import Glibc

extension Communicator {
  /// Returns when every rank has come here, and sleeps meanwhile: others on this machine need the cores. It is late by two
  /// milliseconds at most.
  public func meetAsleep() throws(MPIError) {
    guard size > 1 else { return }
    record(bytes: 0)
    var request = daunce_request_null()
    try check(MPI_Ibarrier(handle, &request), "MPI_Ibarrier")
    var (isDone, pause): (CInt, UInt32) = (0, 20)
    while true {
      try check(MPI_Test(&request, &isDone, daunce_status_ignore()), "MPI_Test")
      if isDone != 0 { return }
      usleep(pause)
      pause = min(2 * pause, 2000)
    }
  }
}
