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

  package func copy(from source: UnsafePointer<Element>) { start.update(from: source, count: count) }
}
