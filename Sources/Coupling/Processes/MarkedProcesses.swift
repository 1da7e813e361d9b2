import Glibc

/// Processes that a program has started, and those that they have: found by a variable that they inherit.
///
/// A signal to a process group misses those that have gone into a group of their own, as the ranks of an mpirun do. Only
/// what has changed user or emptied its environment is not found.
enum MarkedProcesses {
  /// The variable.
  static let name = "DAUNCE_PROCESS"

  /// Numbers of the processes with this mark that have not ended.
  static func numbers(_ mark: String) -> [pid_t] {
    guard let folder = opendir("/proc") else { return [] }
    defer { closedir(folder) }
    let variable = Array("\(name)=\(mark)".utf8)
    var found: [pid_t] = []
    while let entry = readdir(folder) {
      let text = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard let number = pid_t(text), number != getpid() else { continue }
      // One that has ended has no environment.
      guard let bytes = contents(ofFile: "/proc/\(text)/environ") else { continue }
      if contains(bytes, variable) { found.append(number) }
    }
    return found
  }

  /// Whether one of these texts, which zero bytes end, is `text`.
  private static func contains(_ texts: [UInt8], _ text: [UInt8]) -> Bool {
    texts.withUnsafeBytes { texts in
      var rest = texts[...]
      while rest.count > text.count, let begin = UnsafeRawBufferPointer(rebasing: rest).baseAddress {
        if memcmp(begin, text, text.count) == 0, rest[rest.startIndex + text.count] == 0 { return true }
        guard let end = memchr(begin, 0, rest.count) else { return false }
        rest = rest.dropFirst(UnsafeRawPointer(end) - begin + 1)
      }
      return false
    }
  }

  /// Ends them, and those that they start meanwhile.
  static func kill(_ mark: String) {
    for _ in 0..<10 {
      let found = numbers(mark)
      if found.isEmpty { return }
      for number in found { Glibc.kill(number, SIGKILL) }
      usleep(1000)
    }
  }
}
