import DaunceArchive
import Foundation

/// What one checkpoint consists of: written last, so a checkpoint with a manifest is whole.
///
/// A section is everything that was saved of one stage at one moment, a file a rank. A section that has not changed since
/// an earlier checkpoint is not written again: its files keep that checkpoint's number.
struct CheckpointManifest: Codable, Equatable {
  struct Section: Codable, Equatable {
    var name: String
    /// Checkpoint that its files were written for.
    var serial: Int
    /// Members that its files hold by ranks, in balanced blocks; 0 for a section that rank 0 has alone.
    var members: Int
    /// Digest of each rank's file (XXH64, hexadecimal).
    var digests: [String]

    /// Name of a rank's file.
    func file(rank: Int) -> String { "\(name).\(serial).rank-\(rank).nc" }
  }

  /// What a job is: it can only be gone on with by the same.
  struct Job: Codable, Equatable {
    /// Version of the program.
    var version: String
    /// The command and its inputs.
    var identity: String
    /// The command line that the job was begun with, for files' `history`.
    var command: String
    /// `key=value` of the whole configuration, in a fixed order.
    var configuration: [String]
  }

  /// Number of the checkpoint, from 1.
  var serial: Int
  var job: Job
  /// Where the job stands, in words.
  var place: String
  var sections: [Section]

  static func file(serial: Int) -> String { "manifest-\(serial).json" }

  /// Number of the checkpoint whose manifest a file name is; `nil` for other files.
  static func serial(of file: String) -> Int? {
    guard file.hasPrefix("manifest-"), file.hasSuffix(".json") else { return nil }
    return Int(file.dropFirst(9).dropLast(5))
  }

  /// All files but the manifest.
  var files: Set<String> {
    Set(sections.flatMap { section in section.digests.indices.map { section.file(rank: $0) } })
  }

}

// MARK: As a file

extension CheckpointManifest {
  /// JSON, and a last line with its digest.
  func text() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let body = String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    return body + "digest \(Self.digest(body))\n"
  }

  /// The manifest in a file's text.
  ///
  /// - Throws: `ExperimentError` naming `path` if the text is not whole.
  init(text: String, path: String) throws {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let body = lines.dropLast(2).joined(separator: "\n") + "\n"
    guard lines.count > 2, lines[lines.count - 2] == "digest \(Self.digest(body))", lines[lines.count - 1].isEmpty else {
      throw ExperimentError(
        .data, path, found: "a manifest that does not end in its own digest",
        expected: "the file as it was written: it is truncated or damaged")
    }
    do {
      self = try JSONDecoder().decode(CheckpointManifest.self, from: Data(body.utf8))
    } catch {
      throw ExperimentError(
        .data, path, found: "a manifest of another form", expected: "one that this version of the program wrote")
    }
    guard sections.allSatisfy({ !$0.digests.isEmpty && $0.members >= 0 && !$0.name.contains("/") }) else {
      throw ExperimentError(.data, path, found: "a section without files", expected: "at least one file of each")
    }
  }

  private static func digest(_ text: String) -> String { String(Digest.xxh64(Array(text.utf8)), radix: 16) }
}

extension CheckpointManifest.Job {
  /// Says what differs between this job, of a checkpoint, and the one that wants to go on; `nil` if nothing does.
  func difference(to other: Self) -> String? {
    if version != other.version { return "program: found version \(other.version); expected \(version)" }
    if identity != other.identity { return "command: found \(other.identity); expected \(identity)" }
    let (own, theirs) = (Self.settings(configuration), Self.settings(other.configuration))
    let differing = Set(own.keys).union(theirs.keys).filter { own[$0] != theirs[$0] }.sorted()
    guard !differing.isEmpty else { return nil }
    let shown = differing.prefix(3).map {
      "key \($0): found \(theirs[$0] ?? "no such key"); expected \(own[$0] ?? "no such key")"
    }
    return shown.joined(separator: "; ") + (differing.count > 3 ? "; and \(differing.count - 3) more" : "")
  }

  private static func settings(_ lines: [String]) -> [String: String] {
    let pairs = lines.compactMap { line -> (String, String)? in
      guard let sign = line.firstIndex(of: "=") else { return nil }
      return (String(line[..<sign]), String(line[line.index(after: sign)...]))
    }
    return Dictionary(pairs) { $1 }
  }
}
