#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension Environment {
  /// Cores (hardware threads) of this machine that the ranks here share: those of the batch system's allocation, of a
  /// container's set of CPUs or of `taskset`, not all that the machine has.
  ///
  /// A rank's own mask may be narrower than that, because launchers bind ranks to cores. mpirun itself and its daemons
  /// are not bound, and they are what starts ranks. A limit of CPU time (a cgroup's quota) is not seen.
  ///
  /// Read once, before MPI starts: it sets the launcher's variables itself in a process that was not launched.
  public static let usableCores: Int = {
    if variable("OMPI_COMM_WORLD_LOCAL_SIZE") != nil, let cores = allowedCores(of: "\(getppid())") { return cores }
    if variable("SLURM_STEP_TASKS_PER_NODE") != nil,
      let cores = variable("SLURM_CPUS_ON_NODE").flatMap({ Int($0) }), cores > 0
    {
      return cores
    }
    return allowedCores(of: "self") ?? max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))
  }()

  /// Cores that the kernel lets a process use, by its mask of hexadecimal digits (`ff,ffffffff`); `nil` where there is
  /// none.
  private static func allowedCores(of process: String) -> Int? {
    guard let file = fopen("/proc/\(process)/status", "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 4096)
    while fgets(&line, CInt(line.count), file) != nil {
      let text = line.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
      guard text.hasPrefix("Cpus_allowed:") else { continue }
      let count = text.dropFirst(13).reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
      return count > 0 ? count : nil
    }
    return nil
  }

  /// Whether a rank that waits gives its core away, by a setting of the user's or our own.
  public static var yieldsWhenIdle: Bool {
    variable("OMPI_MCA_mpi_yield_when_idle").map { ["1", "true", "yes", "enabled"].contains($0.lowercased()) } ?? false
  }
}
