import DaunceExperiment
import Foundation

/// How far a stage is, on standard error: one moving bar where a person watches, a line now and then elsewhere.
final class ProgressLine: ProgressReporter {
  private let isShown: Bool
  private let isBar: Bool
  /// Least seconds between two updates.
  private let interval: TimeInterval
  private var stage = ""
  private var total = 0
  private var start = Date()
  private var lastUpdate = Date.distantPast

  /// - Parameters:
  ///   - isShown: false on all ranks but the first, and with `--quiet`.
  ///   - isBar: whether a terminal is watched.
  init(isShown: Bool, isBar: Bool) {
    self.isShown = isShown
    self.isBar = isBar
    interval = isBar ? 0.1 : 10
  }

  /// Starts a stage of `total` parts.
  func begin(_ stage: String, total: Int) {
    self.stage = stage
    self.total = max(total, 1)
    start = Date()
    // A log needs no line that says that nothing is done yet.
    lastUpdate = isBar ? .distantPast : start
    advance(to: 0)
  }

  /// Reports that `done` parts are done. Cheap when it is too early to show it.
  func advance(to done: Int) {
    guard isShown else { return }
    let now = Date()
    guard now.timeIntervalSince(lastUpdate) >= interval else { return }
    lastUpdate = now
    show(done)
  }

  /// Ends the stage.
  func end() {
    guard isShown else { return }
    show(total)
    if isBar { write("\n") }
  }

  /// Tells something that the user should know, on a line of its own.
  func note(_ message: String) {
    guard isShown else { return }
    write("\(isBar ? "\r\u{1B}[K" : "")\(message)\n")
  }

  private func show(_ done: Int) {
    let seconds = String(format: "%.0f s", Date().timeIntervalSince(start))
    guard isBar else {
      write("\(stage): \(done)/\(total), \(seconds)\n")
      return
    }
    let width = 24
    let filled = min(width, width * done / total)
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
    // Shorter than a terminal's usual line, or the carriage return would not come back to its start.
    let line = "\(stage) [\(bar)] \(done)/\(total), \(seconds)".prefix(79)
    write("\r\u{1B}[K\(line)")
  }

  private func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}
