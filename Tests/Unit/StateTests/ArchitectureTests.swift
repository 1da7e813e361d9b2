import Foundation
import Testing

/// The imports of every module against docs/develop/architecture.md.
@Suite struct ArchitectureTests {
  /// Modules of ours that a module may import.
  private static let arrows: [String: Set<String>] = [
    "State": [], "Numerics": [], "MPI": [],
    "Networks": ["Numerics"],
    "Observations": ["State"],
    "Constraints": ["State", "Numerics"],
    "Ensemble": ["MPI", "Observations", "State"],
    "Models": ["State", "Numerics"],
    "Assimilation": ["Constraints", "Ensemble", "Observations", "State", "Numerics", "MPI"],
    "Agents": ["Constraints", "Ensemble", "Networks", "Observations", "State", "Numerics", "MPI"],
    "Uncertainty": ["Ensemble", "Networks", "Numerics", "MPI"],
    "Archive": ["State", "Observations"],
    "Settings": [],
    "Coupling": ["Archive", "Models", "Settings", "State", "Numerics"],
    "Experiment": [
      "MPI", "Constraints", "Ensemble", "State", "Observations", "Numerics", "Models", "Assimilation", "Agents",
      "Archive", "Coupling", "Networks", "Settings", "Uncertainty",
    ],
    "Benchmark": [
      "Experiment", "Settings", "Agents", "Assimilation", "Constraints", "Ensemble", "Models", "MPI", "Networks", "Numerics",
      "Observations", "State",
    ],
    "Program": [
      "Benchmark", "Coupling", "Experiment", "Settings", "Archive", "Assimilation", "Ensemble", "Numerics", "Models", "MPI",
    ],
    "Library": ["Experiment", "MPI"],
    "daunce-mpi": ["Program"],
  ]
  private static let libraries = [
    "COpenMPI": "MPI", "CNetCDF": "Archive", "COpenBLAS": "Numerics", "CNLopt": "Constraints", "Yams": "Settings",
    "CDaunceModel": "Coupling", "CLinux": "Coupling", "CDaunce": "Library",
  ]

  private static let sources = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../Sources").standardizedFileURL

  /// Modules imported by the files below a folder of Sources, with a file of each.
  private static func imports(of room: String) throws -> [String: String] {
    var found: [String: String] = [:]
    let folder = sources.appending(path: room)
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    for case let file as URL in files ?? .init() where file.pathExtension == "swift" {
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        let words = line.split(separator: " ")
        guard let at = words.firstIndex(of: "import"), at <= 1, at + 1 < words.count else { continue }
        found[String(words[at + 1])] = file.lastPathComponent
      }
    }
    return found
  }

  @Test(arguments: arrows.keys.sorted())
  func importsFollowTheArrows(room: String) throws {
    let imports = try Self.imports(of: room)
    try #require(!imports.isEmpty)
    for (module, file) in imports {
      if module.hasPrefix("Daunce") {
        let target = String(module.dropFirst("Daunce".count))
        #expect(Self.arrows[room]?.contains(target) == true, "\(room)/\(file) imports \(module)")
      } else if let owner = Self.libraries[module] {
        #expect(owner == room, "\(room)/\(file) imports \(module)")
      }
    }
  }

  @Test func everyRoomIsInThePicture() throws {
    let rooms = try FileManager.default.contentsOfDirectory(atPath: Self.sources.path)
    #expect(Set(rooms.filter { Self.libraries[$0] == nil }) == Set(Self.arrows.keys))
  }

  /// Every folder with Swift files is told of in the table, and none is so full that it has no idea of its own.
  @Test func everyFolderSaysWhatLivesInIt() throws {
    let picture = try String(
      contentsOf: Self.sources.appending(path: "../docs/develop/architecture.md"), encoding: .utf8)
    var files: [String: Int] = [:]
    let all = FileManager.default.enumerator(atPath: Self.sources.path)
    for case let path as String in all ?? .init() where path.hasSuffix(".swift") {
      files[path.split(separator: "/").dropLast().joined(separator: "/"), default: 0] += 1
    }
    #expect(files.count > 30)
    for (folder, count) in files {
      #expect(picture.contains("| `\(folder)/` | "), "\(folder)")
      #expect(count <= 15, "\(folder) has \(count) files")
    }
  }
}
