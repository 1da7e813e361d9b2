import DaunceAgents

/// Numbers that this core multiplies and adds side by side.
protocol MultiplyAdd: Sendable {
  /// Numbers in a vector.
  static var scalarCount: Int { get }
  /// All numbers the same.
  init(all number: Double)
  /// `self m + k`, rounded twice.
  func multiplied(by m: Self, plus k: Self) -> Self
  /// One of the numbers.
  var first: Double { get }
}

extension SIMD8: MultiplyAdd where Scalar == Float {
  init(all number: Double) { self.init(repeating: Float(number)) }
  @inline(__always)
  func multiplied(by m: Self, plus k: Self) -> Self { self * m + k }
  var first: Double { Double(self[0]) }
}

extension SIMD4: MultiplyAdd where Scalar == Double {
  init(all number: Double) { self.init(repeating: number) }
  @inline(__always)
  func multiplied(by m: Self, plus k: Self) -> Self { self * m + k }
  var first: Double { self[0] }
}

/// How many multiplications, each with an addition, this core does a second when nothing has to be loaded, stored or
/// waited for.
enum PeakArithmetic {
  /// Measures for a hundredth of a second: x <- x m + k in independent chains, as many as fill the pipelines: twelve of
  /// wide registers, six where a vector takes two.
  static func multiplyAdds<Vector: MultiplyAdd>(of vector: Vector.Type) -> Double {
    let (six, twelve): ((Int, Vector) -> Vector, (Int, Vector) -> Vector) = (sixChains, twelveChains)
    return max(rate(six, chains: 6), rate(twelve, chains: 12))
  }

  private static func rate<Vector: MultiplyAdd>(_ run: (Int, Vector) -> Vector, chains: Int) -> Double {
    let length = 4000
    // Every run begins with the result of the one before, or the compiler could leave it out.
    var result = Vector(all: 0.5)
    let seconds = Usage.fastest { result = run(length, result) }
    return result.first.isNaN ? 0 : Double(length * chains * Vector.scalarCount) / seconds
  }

  /// Factor, summand and the chains' first values.
  @inline(__always)
  private static func start<Vector: MultiplyAdd>(_ x: Vector) -> (m: Vector, k: Vector) {
    (x.multiplied(by: Vector(all: 0.5), plus: Vector(all: 0)), x.multiplied(by: Vector(all: 1), plus: Vector(all: 1)))
  }

  @inline(never)
  private static func sixChains<Vector: MultiplyAdd>(_ length: Int, _ x: Vector) -> Vector {
    let (m, k) = start(x)
    func first(_ n: Double) -> Vector { k.multiplied(by: m, plus: Vector(all: n)) }
    var (a, b, c, d, e, f) = (first(0), first(1), first(2), first(3), first(4), first(5))
    for _ in 0..<length {
      a = a.multiplied(by: m, plus: k)
      b = b.multiplied(by: m, plus: k)
      c = c.multiplied(by: m, plus: k)
      d = d.multiplied(by: m, plus: k)
      e = e.multiplied(by: m, plus: k)
      f = f.multiplied(by: m, plus: k)
    }
    return blend(blend(blend(a, b), blend(c, d)), blend(e, f))
  }

  @inline(never)
  private static func twelveChains<Vector: MultiplyAdd>(_ length: Int, _ x: Vector) -> Vector {
    let (m, k) = start(x)
    func first(_ n: Double) -> Vector { k.multiplied(by: m, plus: Vector(all: n)) }
    var (a, b, c, d, e, f) = (first(0), first(1), first(2), first(3), first(4), first(5))
    var (g, h, i, j, o, p) = (first(6), first(7), first(8), first(9), first(10), first(11))
    for _ in 0..<length {
      a = a.multiplied(by: m, plus: k)
      b = b.multiplied(by: m, plus: k)
      c = c.multiplied(by: m, plus: k)
      d = d.multiplied(by: m, plus: k)
      e = e.multiplied(by: m, plus: k)
      f = f.multiplied(by: m, plus: k)
      g = g.multiplied(by: m, plus: k)
      h = h.multiplied(by: m, plus: k)
      i = i.multiplied(by: m, plus: k)
      j = j.multiplied(by: m, plus: k)
      o = o.multiplied(by: m, plus: k)
      p = p.multiplied(by: m, plus: k)
    }
    let left = blend(blend(blend(a, b), blend(c, d)), blend(e, f))
    let right = blend(blend(blend(g, h), blend(i, j)), blend(o, p))
    return blend(left, right)
  }

  /// A quarter of the sum, so that results stay of one size.
  @inline(__always)
  private static func blend<Vector: MultiplyAdd>(_ x: Vector, _ y: Vector) -> Vector {
    x.multiplied(by: Vector(all: 0.25), plus: y.multiplied(by: Vector(all: 0.25), plus: Vector(all: 0)))
  }
}
