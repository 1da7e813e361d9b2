import Foundation

/// What the launcher's environment says about this process, before MPI is started.
enum Launch {
  /// Rank of this process; 0 without a launcher.
  static let rank: Int = {
    let environment = ProcessInfo.processInfo.environment
    for name in ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"] {
      if let rank = environment[name].flatMap({ Int($0) }) { return rank }
    }
    return 0
  }()

  /// Whether a person watches standard error. mpirun puts a pipe in between, so `launch/run` passes the answer on.
  static var hasTerminal: Bool {
    ProcessInfo.processInfo.environment["DAUNCE_TERMINAL"].map { $0 == "1" } ?? (isatty(STDERR_FILENO) == 1)
  }

  /// The most memory that this process has had so far, in kilobytes.
  static var peakMemory: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss
  }
}
