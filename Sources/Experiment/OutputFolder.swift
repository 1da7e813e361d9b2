public import DaunceArchive
public import Foundation
public import DaunceMPI

/// Where a stage writes, and what its files say of their origin.
public struct OutputFolder {
  /// The folder.
  public let url: URL
  /// Version, commit, command line, seed and configuration; the title is each file's own.
  public let provenance: Provenance

  /// Makes the folder if it is not there and tries whether it takes a file of a megabyte, on rank 0, before anything is
  /// computed. Collective.
  public init(_ url: URL, provenance: Provenance, communicator: Communicator) throws {
    self.url = url
    self.provenance = provenance
    try communicator.collectively {
      if communicator.isRoot { try Self.prepare(url) }
    }
  }

  private static func prepare(_ url: URL) throws {
    try Folders.make(url.path)
    try Folders.tryWriting(to: url.path, bytes: 1 << 20)
  }

  /// Path of a file in the folder.
  package func path(_ name: String) -> String { url.appending(path: name).path }

  /// A folder inside, made if it is not there.
  func subfolder(_ name: String) throws -> URL {
    let folder = url.appending(path: name)
    try Folders.make(folder.path)
    return folder
  }

  /// Writes a text file that is whole or not there.
  package func write(_ text: String, to name: String) throws {
    try Folders.write(text, to: path(name))
  }
}
