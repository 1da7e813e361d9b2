import COpenMPI

extension Environment {
  /// Name and version of the MPI library, which may be asked for before MPI is started.
  public static var library: String {
    let version = text(capacity: daunce_max_library_version()) { MPI_Get_library_version($0, $1) }
    return version.map { String($0.prefix { $0 != "\0" && $0 != "\n" && $0 != "," }) } ?? "unknown"
  }
}
