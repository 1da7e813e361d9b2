import Foundation
import TestSupport
import Testing

/// Shared libraries of models that tests build: the project's examples and faulty ones.
enum ModelLibraries {
  /// Whether there are compilers for all of them.
  static let canBeBuilt = isInstalled("make", "cc", "g++", "gfortran")

  private static let built = Lock<[String: URL]>([:])

  /// The folder with the examples' libraries, built once by their Makefile.
  static func examples(_ workshop: Workshop) throws -> URL {
    try built.withLock { built in
      if let folder = built["examples"] { return folder }
      let folder = workshop.folder.appending(path: "libraries")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let make = try run(
        command: ["make", "-C", sourceFolder.appending(path: "docs/examples/models").path, "FC=gfortran", "OUT=\(folder.path)"],
        timeout: 120)
      try #require(make.status == 0, "\(make.stdout)\(make.stderr)")
      built["examples"] = folder
      return folder
    }
  }

  /// The faulty library, made with compiler flags of its own.
  static func faulty(_ workshop: Workshop, _ flags: String...) throws -> URL {
    try built.withLock { built in
      let key = flags.joined()
      if let library = built[key] { return library }
      let library = workshop.folder.appending(path: "libfaulty\(built.count).so")
      let source = sourceFolder.appending(path: "Tests/Helpers/FaultyModel/faulty_model.c").path
      let headers = sourceFolder.appending(path: "Sources/CDaunceModel/include").path
      let compiler = try run(
        command: ["cc", "-O1", "-Wno-all", "-fPIC", "-shared", "-I\(headers)"] + flags + ["-o", library.path, source, "-lm"],
        timeout: 60)
      try #require(compiler.status == 0, "\(compiler.stderr)")
      built[key] = library
      return library
    }
  }
}
