/// Scratch memory of a fixed size, allocated once and reused every cycle.
final class Workspace<Element: BitwiseCopyable> {
  let start: UnsafeMutablePointer<Element>
  let count: Int

  init(repeating value: Element, count: Int) {
    start = .allocate(capacity: max(count, 1))
    start.initialize(repeating: value, count: max(count, 1))
    self.count = count
  }

  deinit { start.deallocate() }

  func copy(from source: UnsafePointer<Element>) { start.update(from: source, count: count) }
}
