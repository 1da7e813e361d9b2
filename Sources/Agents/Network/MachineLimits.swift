/// What this core can do at most, measured in this process with the same compiler settings as everything else.
public struct MachineLimits: Sendable {
  /// Multiplications and additions of doubles a second, in independent chains that neither load nor store.
  public let operations: Double
  /// Bytes a second between the core and memory, as STREAM's triad counts them: a_i = b_i + s c_i over arrays that fit
  /// in no cache, 24 bytes an element.
  public let bytes: Double

  /// Measures for some tenths of a second.
  public init() {
    operations = Self.peak()
    bytes = Self.triad()
  }

  private typealias Doubles = SIMD4<Double>

  private static func peak() -> Double {
    let length = 4000
    var result = Doubles(repeating: 0.5)
    let seconds = ArithmeticSpeed.fastest { result = chains(length, result) }
    return result[0].isNaN ? 0 : Double(length * 12 * Doubles.scalarCount * 2) / seconds
  }

  // x <- x m + k in twelve chains.
  @inline(never)
  private static func chains(_ length: Int, _ start: Doubles) -> Doubles {
    let (m, k) = (start * 0.5, start + 1)
    var (a, b, c, d, e, f) = (m, k, m + k, m - k, m + 2, k + 2)
    var (g, h, i, j, o, p) = (m + 3, k + 3, m + 4, k + 4, m + 5, k + 5)
    for _ in 0..<length {
      a = a * m + k
      b = b * m + k
      c = c * m + k
      d = d * m + k
      e = e * m + k
      f = f * m + k
      g = g * m + k
      h = h * m + k
      i = i * m + k
      j = j * m + k
      o = o * m + k
      p = p * m + k
    }
    let sum = a + b + c + d + e + f + g + h + i + j + o + p
    return sum * 0.005
  }

  private static func triad() -> Double {
    let count = 1 << 23
    let memory = UnsafeMutablePointer<Double>.allocate(capacity: 3 * count)
    memory.initialize(repeating: 1, count: 3 * count)
    defer { memory.deallocate() }
    let (a, b, c) = (memory, memory + count, memory + 2 * count)
    let seconds = ArithmeticSpeed.fastest(of: 5) { triad(a, b, c, count) }
    return a[count / 2] == 0 ? 0 : Double(24 * count) / seconds
  }

  @inline(never)
  private static func triad(
    _ a: UnsafeMutablePointer<Double>, _ b: UnsafeMutablePointer<Double>, _ c: UnsafeMutablePointer<Double>, _ count: Int
  ) {
    for i in 0..<count { a[i] = b[i] + 0.5 * c[i] }
  }
}
