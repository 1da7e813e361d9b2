import Foundation

extension JobResult {
  /// Lines of the standard output.
  public var lines: [String] { stdout.split(separator: "\n").map(String.init) }

  /// What follows `key: ` in the standard output.
  public func value(_ key: String) -> String? {
    lines.first { $0.hasPrefix("\(key): ") }.map { String($0.dropFirst(key.count + 2)) }
  }
}

/// Whether a process of this number runs; one that has ended and waits for its parent to notice does not.
public func isRunning(_ process: Int) -> Bool {
  guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
  // `number (name) state ...`
  let state = stat.split(separator: ")").last?.split(separator: " ").first
  return state != "Z" && state != "X"
}
