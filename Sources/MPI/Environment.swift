import COpenMPI

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// MPI in this process, from its start to its end. One object per process, made by the executable: libraries are given
/// a communicator.
///
/// Without mpirun the process is a group of one rank.
public final class Environment {
  /// All ranks of the job, with messages of our own.
  public let world: Communicator
  /// Name and version of the MPI library.
  public let libraryVersion: String
  /// Name of the machine that this rank runs on.
  public let hostname: String
  /// Number of this rank among those on its machine.
  public let localRank: Int
  /// Number of ranks on this machine.
  public let localSize: Int
  /// The lowest of the ranks on this machine, by its number in `world`: two machines may have the same name.
  public let firstLocalRank: Int

  /// Starts MPI. Only the calling thread may communicate (MPI_THREAD_FUNNELED).
  ///
  /// Where all ranks share this machine, small collectives go through shared memory; `DAUNCE_BOARD=0` in the
  /// environment of all ranks leaves them to MPI.
  ///
  /// Sets variables of the process's environment first, unless the user has: `OMPI_MCA_mpi_yield_when_idle=1` when
  /// there are as many ranks as cores or more (``usableCores``), `OPENBLAS_NUM_THREADS=1`, and for a job on one
  /// machine what spares it the search for networks.
  public init() throws(MPIError) {
    var isInitialised: CInt = 0
    try check(MPI_Initialized(&isInitialised), "MPI_Initialized")
    if isInitialised != 0 { throw .unsupported("MPI can be started only once in a process") }
    Self.prepare()

    var provided: CInt = 0
    try check(MPI_Init_thread(nil, nil, daunce_thread_funneled(), &provided), "MPI_Init_thread")
    let everyone = daunce_comm_world()
    try check(MPI_Comm_set_errhandler(everyone, daunce_errors_return()), "MPI_Comm_set_errhandler")
    if provided < daunce_thread_funneled() {
      throw .unsupported("this MPI library allows no second thread, not even a silent one (MPI_THREAD_FUNNELED)")
    }
    var copy = daunce_comm_null()
    try check(MPI_Comm_dup(everyone, &copy), "MPI_Comm_dup")
    world = try Communicator(owning: copy)
    if let ranks = Self.variable("PMI_SIZE").flatMap({ Int($0) }), ranks > world.size {
      throw .unsupported(
        "\(ranks) processes were started that do not know of each other: this program is built with \(Self.library) and "
          + "needs its mpirun, not another MPI's")
    }

    var node = daunce_comm_null()
    try check(
      MPI_Comm_split_type(everyone, daunce_type_shared(), 0, daunce_info_null(), &node), "MPI_Comm_split_type")
    let neighbours = try Communicator(owning: node)
    (localRank, localSize) = (neighbours.rank, neighbours.size)
    firstLocalRank = Int(try neighbours.allreduce(Int64(world.rank), .min))
    if localSize > 1, localSize == world.size, Self.variable("DAUNCE_BOARD") != "0" {
      world.board = try SharedBoard(on: world.handle, rank: world.rank, size: world.size, cores: Self.usableCores)
    }
    try neighbours.free()

    hostname = text(capacity: daunce_max_processor_name()) { MPI_Get_processor_name($0, $1) } ?? "unknown"
    let version = text(capacity: daunce_max_library_version()) { MPI_Get_library_version($0, $1) }
    libraryVersion = version.map { String($0.prefix { $0 != "\0" && $0 != "\n" }) } ?? "unknown"
  }

  /// Ends MPI in this process. Only after success: it waits for all ranks, so a rank that failed calls
  /// ``abort(code:report:)`` instead.
  public func finalize() throws(MPIError) {
    try world.board?.free()
    world.board = nil
    try check(MPI_Finalize(), "MPI_Finalize")
  }

  /// Ends all ranks of the job with exit code `code`, whatever they wait for; MPI need not have been initialised. Where the
  /// launcher speaks PMIx, as mpirun does, that of Open MPI 4 adds no lines of its own to the report.
  ///
  /// - Parameters:
  ///   - code: exit code, also of mpirun; 1...255.
  ///   - report: tells the user why. When all ranks fail alike, rank 0 does and ends the others before they speak:
  ///     every other rank waits for two seconds or more first, which a busy machine may need for that.
  public static func abort(code: Int32, report: () -> Void = {}) -> Never {
    var (isInitialised, isFinalized): (CInt, CInt) = (0, 0)
    MPI_Initialized(&isInitialised)
    MPI_Finalized(&isFinalized)
    // Nobody else needs to be ended where nobody was launched.
    guard isFinalized == 0, isLaunchedByMPIRun else {
      report()
      exit(code)
    }
    var rank: CInt = 0
    if isInitialised != 0 { MPI_Comm_rank(daunce_comm_world(), &rank) }
    if rank > 0 { usleep(UInt32(min(2_000_000 + 20_000 * Int(rank), 4_000_000))) }
    report()
    // Open MPI 5's mpirun, told to end the job, may leave unread what a rank has just written.
    usleep(200_000)
    if daunce_pmix_abort(code, isInitialised) != 0 { _exit(code) }
    if isInitialised != 0 { MPI_Abort(daunce_comm_world(), code) }
    exit(code)
  }

  /// Whether a launcher (mpirun, or Slurm's srun by PMIx) started this process as one rank of a job.
  ///
  /// Read once, before MPI starts: it sets these variables itself in a process that was not launched.
  public static let isLaunchedByMPIRun =
    ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"].contains { variable($0) != nil }

  /// Sets the variables that libraries read when they start, where the user has not set them:
  ///
  /// - `OMPI_MCA_mpi_yield_when_idle=1` when the job has no core to spare beside those of its ranks (``usableCores``).
  /// A   waiting rank otherwise spins on the core that the others, or any other process, need, and a small reduction
  /// takes   a time slice of the scheduler (some 200 ms) instead of microseconds. To a rank that is alone on its core
  /// yielding   costs little.
  /// - Where all ranks share this machine, shared memory is all that they need: `OMPI_MCA_pml=ob1` and
  ///   `OMPI_MCA_btl=self,vader` spare them the drivers of networks, which take longer to look for their hardware than
  /// a   short job takes. A process without mpirun needs no helper process either
  /// (`OMPI_MCA_ess_singleton_isolated=1`),   and nobody there asks for devices (`HWLOC_COMPONENTS`,
  /// `HWLOC_PLUGINS_PATH`).
  /// - `OPENBLAS_NUM_THREADS=1`: ranks already use the cores. It reaches a BLAS that is loaded from here on and child
  ///   processes; a BLAS linked into the executable has read its settings when it was loaded.
  private static func prepare() {
    let isAlone = !isLaunchedByMPIRun
    let cores = usableCores
    if let ranks = launchedRanks, ranks >= cores {
      setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0)
    }
    if isAlone {
      setenv("OMPI_MCA_ess_singleton_isolated", "1", 0)
      setenv("HWLOC_COMPONENTS", "-pci,-linux:pci,-linux:io", 0)
      setenv("HWLOC_PLUGINS_PATH", "/nonexistent", 0)
    }
    if isAlone || variable("OMPI_COMM_WORLD_SIZE").map({ $0 == variable("OMPI_COMM_WORLD_LOCAL_SIZE") }) == true {
      setenv("OMPI_MCA_pml", "ob1", 0)
      setenv("OMPI_MCA_btl", "self,vader", 0)
    }
    setenv("OPENBLAS_NUM_THREADS", "1", 0)
  }

  /// Ranks on this machine, as the launcher tells before MPI is started.
  private static var launchedRanks: Int? {
    for name in ["OMPI_COMM_WORLD_LOCAL_SIZE", "SLURM_STEP_TASKS_PER_NODE"] {
      // Slurm writes `10(x2)` for ten tasks on each of two nodes.
      if let ranks = variable(name).flatMap({ Int($0.prefix { $0.isNumber }) }) { return ranks }
    }
    return nil
  }

  /// Ranks on this machine, by the launcher's word; 1 where there was none.
  public static var localRanks: Int { launchedRanks ?? 1 }

  static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}
