#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension JobResult {
  /// Lines of the standard output.
  public var lines: [String] { stdout.split(separator: "\n").map(String.init) }

  /// What follows `key: ` in the standard output.
  public func value(_ key: String) -> String? {
    lines.first { $0.hasPrefix("\(key): ") }.map { String($0.dropFirst(key.count + 2)) }
  }
}

/// Whether a process of this number exists.
public func isRunning(_ process: Int32) -> Bool { kill(process, 0) == 0 }
