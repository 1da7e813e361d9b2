import Foundation
import TestSupport
import Testing

/// Programs in Fortran and C that call libdaunce, built against an installation of it.
struct HostPrograms {
  /// The installation's folder.
  let prefix: URL
  /// Where the programs and the tracer's library are.
  let folder: URL

  /// Whether there are compilers, and the library.
  static let canBeBuilt =
    isInstalled("make", "mpicc", "mpif90", "gfortran", "pkg-config")
    && FileManager.default.fileExists(atPath: buildFolder.appending(path: "libdaunce.so").path)

  private static let built = Lock<[HostPrograms]>([])

  /// Installs and builds once.
  static func make(_ workshop: Workshop) throws -> HostPrograms {
    try built.withLock { built in
      if let known = built.first { return known }
      let made = try HostPrograms(workshop)
      built.append(made)
      return made
    }
  }

  private init(_ workshop: Workshop) throws {
    prefix = workshop.folder.appending(path: "prefix")
    folder = workshop.folder.appending(path: "hosts")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let install = try run(script: "launch/install", arguments: [prefix.path, "--skip-build"])
    try #require(install.status == 0, "\(install.stderr)")
    let found = ["PKG_CONFIG_PATH": prefix.appending(path: "lib/pkgconfig").path]
    let make = try run(
      command: ["make", "-C", sourceFolder.appending(path: "docs/examples/library").path, "OUT=\(folder.path)"], timeout: 120,
      environment: found)
    try #require(make.status == 0, "\(make.stdout)\(make.stderr)")
    let flags = try run(command: ["pkg-config", "--cflags", "--libs", "daunce"], environment: found)
    try #require(flags.status == 0, "\(flags.stderr)")
    let source = sourceFolder.appending(path: "Tests/Helpers/LibraryHost/host.c").path
    let compiler = try run(
      command: ["mpicc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", folder.appending(path: "host").path, source]
        + flags.stdout.split(whereSeparator: \.isWhitespace).map(String.init) + ["-lm", "-ldl"])
    try #require(compiler.status == 0, "\(compiler.stderr)")
  }

  /// One of them as `ranks` ranks.
  func job(_ program: String, _ words: [String], ranks: Int, in place: URL) throws -> JobResult {
    try mpirun(ranks: ranks, executable: folder.appending(path: program).path, arguments: words, in: place)
  }
}
