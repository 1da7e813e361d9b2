import DaunceExperiment
import DaunceMPI

/// What `--version` prints, and what files name as their source.
enum Version {
  static let number = Release.version

  /// `daunce-mpi 0.1.0 (commit 0123456789ab)`.
  static let source = "daunce-mpi \(number) (commit \(Build.commit))"

  /// Version, commit, compiler and MPI library.
  static var description: String {
    """
    \(source)
    compiler: \(Build.compiler)
    MPI: \(Environment.library)
    """
  }
}
