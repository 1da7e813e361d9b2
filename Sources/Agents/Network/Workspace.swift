/// Scratch memory of a fixed size, allocated once and reused every cycle.
package final class Workspace<Element: BitwiseCopyable> {
  package let start: UnsafeMutablePointer<Element>
  package let count: Int

  package init(repeating value: Element, count: Int) {
    start = .allocate(capacity: max(count, 1))
    start.initialize(repeating: value, count: max(count, 1))
    self.count = count
  }

  deinit { start.deallocate() }

  /// A copy of all elements.
  package var values: [Element] { Array(UnsafeBufferPointer(start: start, count: count)) }

  package func copy(from values: [Element]) {
    precondition(values.count == count, "a workspace takes as many values as it has")
    values.withUnsafeBufferPointer { if let first = $0.baseAddress { start.update(from: first, count: count) } }
  }

  package func copy(from source: UnsafePointer<Element>) { start.update(from: source, count: count) }
}
