import Glibc

/// The variables that a program finds.
///
/// A rank of an MPI job has dozens of variables by which its MPI library finds the job. A program that is started by a rank
/// and uses MPI itself would take itself for a rank of that job, and so would an mpirun.
package enum ProcessEnvironment {
  /// Variables of this process now.
  package static var current: [String: String] {
    var variables: [String: String] = [:]
    var next = environ
    while let text = next.pointee {
      add(String(cString: text), to: &variables)
      next += 1
    }
    return variables
  }

  /// Variables of this process when it was started. What it has set since for its own MPI library is not among them.
  package static var atStart: [String: String] {
    guard let bytes = contents(ofFile: "/proc/self/environ"), !bytes.isEmpty else { return current }
    var variables: [String: String] = [:]
    for text in bytes.split(separator: 0) { add(String(decoding: text, as: UTF8.self), to: &variables) }
    return variables
  }

  /// `environment` without what makes a process a rank of a job, and with what is given.
  ///
  /// - Parameters:
  ///   - keepsMPISettings: whether the user's own settings of MPI libraries stay (`OMPI_MCA_btl`, `I_MPI_FABRICS`), for a
  ///     program that calls mpirun itself. What allows root to call mpirun stays in any case.
  ///   - keepsAllocation: whether a batch system's job is still to be seen (`SLURM_JOB_ID`, `PBS_NODEFILE`). An mpirun that
  ///     sees it takes the job's nodes, from the first one on; without it, the node that it runs on.
  ///   - cores: how many threads libraries are told to use; `nil` leaves what is there.
  ///   - variables: the caller's own, which replace all others.
  package static func cleaned(
    _ environment: [String: String], keepsMPISettings: Bool = false, keepsAllocation: Bool = true, cores: Int? = nil,
    adding variables: [String: String] = [:]
  ) -> [String: String] {
    var result = environment.filter { name, _ in
      !isOfRank(name, keepsMPISettings) && (keepsAllocation || !hasPrefix(name, allocation))
    }
    if let cores {
      for name in threadCounts { result[name] = "\(cores)" }
    }
    return result.merging(variables) { $1 }
  }

  private static func isOfRank(_ name: String, _ keepsSettings: Bool) -> Bool {
    if hasPrefix(name, permissions) || places.contains(name) { return false }
    if hasPrefix(name, marks) { return true }
    return hasPrefix(name, libraries) && !(keepsSettings && hasPrefix(name, settings))
  }

  // MARK: Names

  /// Allow root to call mpirun.
  private static let permissions = ["OMPI_ALLOW_RUN_AS_ROOT", "PRTE_ALLOW_RUN_AS_ROOT"]

  /// Say where an MPI library is installed.
  private static let places: Set = [
    "MPI_HOME", "MPI_ROOT", "MPI_DIR", "MPI_BIN", "MPI_LIB", "MPI_INCLUDE", "MPI_MAN", "MPI_COMPILER", "MPI_SUFFIX",
    "MPI_SYSCONFIG", "MPI_FORTRAN_MOD_DIR", "I_MPI_ROOT",
  ]

  /// Begin the names that launchers give to ranks, some of which look like a user's settings: of Open MPI 4 and its
  /// runtime, of PRRTE, of Slurm's steps and tasks, of Cray's, IBM's, Flux's and MVAPICH's launchers.
  private static let marks = [
    "OMPI_MCA_orte_", "OMPI_MCA_ess", "OMPI_MCA_pmix", "OMPI_MCA_initial_wdir", "OMPI_MCA_mpi_yield_when_idle",
    "OMPI_MCA_mpi_oversubscribe", "OMPI_MCA_shmem_RUNTIME_QUERY_hint", "PRTE_MCA_prte_", "PRTE_MCA_ess",
    "PRTE_MCA_pmix", "PMIX_", "PMI_", "PMI2_", "MPI_", "HYDRA_", "HYDI_", "MV2_COMM_WORLD_",
    "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", "SLURM_STEP", "SLURM_GTIDS", "SLURM_TASK_PID",
    "SLURM_LAUNCH_NODE_IPADDR", "SLURM_SRUN_COMM_", "SLURM_PMI", "SLURM_CPU_BIND", "SLURM_MEM_BIND",
    "SLURM_DISTRIBUTION", "PALS_", "ALPS_APP_", "JSM_NAMESPACE_", "FLUX_TASK_", "PBS_TASKNUM", "PBS_NODENUM",
    "PBS_VNODENUM",
  ]

  /// Begin the names of variables of MPI libraries and launchers, a user's settings among them.
  private static let libraries = ["OMPI_", "PRTE_", "I_MPI_"]
  private static let settings = ["OMPI_MCA_", "PRTE_MCA_", "I_MPI_"]

  /// Begin the names by which a program finds a batch system's job.
  private static let allocation = ["SLURM_", "SLURMD_", "PBS_", "LSB_", "LS_SUBCWD", "COBALT_", "OAR_"]

  /// Tell libraries how many threads to use.
  private static let threadCounts = [
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS",
    "JULIA_NUM_THREADS",
  ]

  private static func hasPrefix(_ name: String, _ prefixes: [String]) -> Bool {
    prefixes.contains { name.hasPrefix($0) }
  }

  private static func add(_ text: String, to variables: inout [String: String]) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count == 2, !parts[0].isEmpty { variables[String(parts[0])] = String(parts[1]) }
  }
}

/// All bytes of a file that has no size, as those of the kernel; `nil` if it cannot be read.
func contents(ofFile path: String) -> [UInt8]? {
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { return nil }
  defer { close(file) }
  var bytes: [UInt8] = []
  let isWhole = withUnsafeTemporaryAllocation(byteCount: 1 << 14, alignment: 16) { buffer in
    while true {
      let count = read(file, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return count == 0 }
      bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
  return isWhole ? bytes : nil
}
