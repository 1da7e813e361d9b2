import CDaunceModel

/// Looks out for memory that a library takes in its forecasts and does not give back: in some runs of sixty-four
/// forecasts in a row, ever further apart. A library that loses memory does so in every one.
package final class HeapWatch {
  /// Told once.
  var warn: ((String) -> Void)?
  private let library: String
  private var calls = 0
  /// Number of the call at which the next run begins.
  private var next = 128
  private var before = 0
  private var taken = 0
  private var isOver = false

  private static let length = 64

  init(of library: String) { self.library = library }

  private var isLooking: Bool { !isOver && calls >= next }

  /// A forecast begins.
  func begin() { if isLooking { before = Self.bytesInUse } }

  /// It is over.
  func end() {
    if isLooking {
      let grown = Self.bytesInUse - before
      taken += grown
      if grown <= 0 {
        postpone()
      } else if calls + 1 == next + Self.length {
        isOver = true
        warn?("\(library) loses \(taken / Self.length) bytes of memory in every forecast")
      }
    }
    calls += 1
  }

  private func postpone() { (next, taken) = (8 * next, 0) }

  /// Of this process's heap.
  package static var bytesInUse: Int { Int(daunce_heap_in_use()) }
}
