/// Keeps what a host should know until it asks: a library prints nothing.
package final class HostNotes: ProgressReporter {
  private var notes: [String] = []
  /// Notes that are kept; more are left out.
  private static let limit = 100

  /// Nothing yet.
  package init() {}

  /// Says nothing.
  package func begin(_ stage: String, total: Int) {}
  /// Says nothing.
  package func advance(to done: Int) {}
  /// Says nothing.
  package func end() {}

  /// Keeps a line.
  package func note(_ message: String) {
    if notes.count < Self.limit { notes.append(message) }
  }

  /// What has been kept since the last time, a line each.
  package func take() -> String {
    defer { notes.removeAll() }
    return notes.joined(separator: "\n")
  }
}
