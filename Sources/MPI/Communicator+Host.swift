import COpenMPI

extension Communicator {
  /// Whether MPI has been started in this process and not been ended yet.
  public static var isRunning: Bool {
    var (isInitialised, isFinalized): (CInt, CInt) = (0, 0)
    MPI_Initialized(&isInitialised)
    MPI_Finalized(&isFinalized)
    return isInitialised != 0 && isFinalized == 0
  }

  /// The ranks of a program that has started MPI by itself, with messages of our own: a duplicate, so that nothing of the
  /// program's own communicator is changed or met. Collective.
  ///
  /// Where all ranks share a machine, small collectives go through shared memory, as in ``Environment``.
  ///
  /// - Parameter handle: the program's communicator as Fortran knows it.
  /// - Throws: `MPIError.unsupported` for what is no communicator of one group of ranks, or without MPI.
  public static func host(_ handle: Int32) throws(MPIError) -> Communicator {
    guard isRunning else { throw .unsupported("MPI is not running: found a communicator before MPI_Init or after MPI_Finalize") }
    let given = daunce_comm_from_fortran(handle)
    guard given != nil, given != daunce_comm_null() else {
      throw .unsupported("found \(handle), which is no communicator; expected the Fortran handle of one (MPI_Comm_c2f)")
    }
    var isBetweenGroups: CInt = 0
    try check(MPI_Comm_test_inter(given, &isBetweenGroups), "MPI_Comm_test_inter")
    guard isBetweenGroups == 0 else { throw .unsupported("found an intercommunicator; expected the ranks of one group") }
    var copy = daunce_comm_null()
    try check(MPI_Comm_dup(given, &copy), "MPI_Comm_dup")
    let communicator = try Communicator(owning: copy)
    var node = daunce_comm_null()
    try check(
      MPI_Comm_split_type(copy, daunce_type_shared(), 0, daunce_info_null(), &node), "MPI_Comm_split_type")
    let neighbours = try Communicator(owning: node)
    if neighbours.size > 1, neighbours.size == communicator.size, Environment.variable("DAUNCE_BOARD") != "0" {
      communicator.board = try SharedBoard(
        on: copy, rank: communicator.rank, size: communicator.size, cores: Environment.usableCores)
    }
    try neighbours.free()
    return communicator
  }
}
