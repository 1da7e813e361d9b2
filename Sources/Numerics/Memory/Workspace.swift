/// Scratch memory of a fixed size, allocated once and reused every cycle.
package final class Workspace<Element: BitwiseCopyable> {
  /// The first element.
  package let start: UnsafeMutablePointer<Element>
  /// Number of elements.
  package let count: Int

  /// Memory for `count` elements, all `value`.
  @inlinable
  package init(repeating value: Element, count: Int) {
    start = .allocate(capacity: max(count, 1))
    start.initialize(repeating: value, count: max(count, 1))
    self.count = count
  }

  @inlinable
  deinit { start.deallocate() }

  /// A copy of all elements.
  @inlinable
  package var values: [Element] { Array(UnsafeBufferPointer(start: start, count: count)) }

  /// Takes as many values as there are elements.
  @inlinable
  package func copy(from values: [Element]) {
    precondition(values.count == count, "a workspace takes as many values as it has")
    values.withUnsafeBufferPointer { if let first = $0.baseAddress { start.update(from: first, count: count) } }
  }

  /// Takes the values at `source`, which has as many.
  @inlinable
  package func copy(from source: UnsafePointer<Element>) { start.update(from: source, count: count) }
}
