public import Archive
public import Foundation
public import MPI

/// Where a stage writes, and what its files say of their origin.
public struct OutputFolder {
  public let url: URL
  /// Version, commit, command line, seed and configuration; the title is each file's own.
  public let provenance: Provenance

  /// Makes the folder if it is not there and tries whether files can be made in it, on rank 0, before anything is computed.
  /// Collective.
  public init(_ url: URL, provenance: Provenance, communicator: Communicator) throws {
    self.url = url
    self.provenance = provenance
    try communicator.collectively {
      if communicator.isRoot { try Self.prepare(url) }
    }
  }

  private static func prepare(_ url: URL) throws {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) {
      guard isFolder.boolValue else {
        throw ExperimentError(.inputOutput, "\(url.path): found a file; expected a folder to write to")
      }
    } else {
      do {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      } catch {
        throw ExperimentError(.inputOutput, "\(url.path): cannot create the folder: \(reason(error))")
      }
    }
    // A file's worth of bytes, so that a full disk is found out now and not after the work.
    let trial = url.appending(path: ".daunce-mpi-\(getpid())")
    defer { try? FileManager.default.removeItem(at: trial) }
    do {
      try Data(count: 1 << 20).write(to: trial)
    } catch {
      throw ExperimentError(.inputOutput, "\(url.path): cannot write to the folder: \(reason(error))")
    }
  }

  /// Path of a file in the folder.
  func path(_ name: String) -> String { url.appending(path: name).path }

  /// A folder inside, made if it is not there.
  func subfolder(_ name: String) throws -> URL {
    let folder = url.appending(path: name)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw ExperimentError(.inputOutput, "\(folder.path): cannot create the folder: \(reason(error))")
    }
    return folder
  }

  /// Writes a text file that is whole or not there.
  func write(_ text: String, to name: String) throws {
    let file = url.appending(path: name)
    do {
      try Data(text.utf8).write(to: file, options: .atomic)
    } catch {
      throw ExperimentError(.inputOutput, "\(file.path): cannot write: \(reason(error))")
    }
  }
}

/// The system's own words for why something failed.
private func reason(_ error: any Error) -> String {
  let error = error as NSError
  let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError
  if let underlying, underlying.domain == NSPOSIXErrorDomain { return String(cString: strerror(Int32(underlying.code))) }
  return error.localizedDescription
}
