import Experiment
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

  /// Refuses a processor that cannot run the agents' kernels (Package.swift: `wideVectors`), which would end the process
  /// with no more than a signal.
  static func checkProcessor() throws {
    #if arch(x86_64)
    let path = "/proc/cpuinfo"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8), text.contains("flags"),
      !text.contains(" avx2")
    else { return }
    throw ExperimentError(
      .data,
      "\(path): found a processor without AVX2; expected one that has it. For others take -mavx2 out of Package.swift:"
        + " the results are the same")
    #endif
  }

  /// Whether a person watches standard error. mpirun puts a pipe in between, so `launch/run` passes the answer on.
  static var hasTerminal: Bool {
    ProcessInfo.processInfo.environment["DAUNCE_TERMINAL"].map { $0 == "1" } ?? (isatty(STDERR_FILENO) == 1)
  }
}
