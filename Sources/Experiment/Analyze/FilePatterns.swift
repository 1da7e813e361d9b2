import DaunceArchive
import Foundation

/// Names of files that a user gave, patterns such as `run/mem*/restart.nc` among them.
enum FilePatterns {
  /// The files, in the order given; those of a pattern in the order of their names, numbers by value.
  ///
  /// - Throws: `ArchiveError` for a pattern that no file fits.
  static func expand(_ names: [String]) throws(ArchiveError) -> [String] {
    var files: [String] = []
    for name in names {
      guard name.contains(where: { "*?[".contains($0) }), access(name, F_OK) != 0 else {
        files.append(name)
        continue
      }
      var found = glob_t()
      defer { globfree(&found) }
      guard glob(name, 0, nil, &found) == 0, found.gl_pathc > 0 else {
        throw ArchiveError(.missingFile, path: name, found: "no file of this pattern", expected: "at least one")
      }
      var matches: [String] = []
      for k in 0..<Int(found.gl_pathc) {
        if let path = found.gl_pathv[k] { matches.append(String(cString: path)) }
      }
      files += matches.sorted { compare($0, $1) }
    }
    return files
  }

  /// `mem2` before `mem10`.
  private static func compare(_ a: String, _ b: String) -> Bool {
    a.compare(b, options: [.numeric, .literal]) == .orderedAscending
  }
}
