/// What this core can do at most, measured in this process with the same compiler settings as everything else.
struct MachineLimits {
  /// Multiplications and additions of doubles a second, in independent chains that neither load nor store.
  let operations: Double
  /// Bytes a second between the core and memory, as STREAM's triad counts them: a_i = b_i + s c_i over arrays that fit
  /// in no cache, 24 bytes an element.
  let bytes: Double

  /// Measures for some tenths of a second.
  init() {
    operations = 2 * PeakArithmetic.multiplyAdds(of: SIMD4<Double>.self)
    bytes = Self.triad()
  }

  private static func triad() -> Double {
    let count = 1 << 23
    let memory = UnsafeMutablePointer<Double>.allocate(capacity: 3 * count)
    memory.initialize(repeating: 1, count: 3 * count)
    defer { memory.deallocate() }
    let (a, b, c) = (memory, memory + count, memory + 2 * count)
    let seconds = Usage.fastest(of: 5) { triad(a, b, c, count) }
    return a[count / 2] == 0 ? 0 : Double(24 * count) / seconds
  }

  @inline(never)
  private static func triad(
    _ a: UnsafeMutablePointer<Double>, _ b: UnsafeMutablePointer<Double>, _ c: UnsafeMutablePointer<Double>, _ count: Int
  ) {
    for i in 0..<count { a[i] = b[i] + 0.5 * c[i] }
  }
}
