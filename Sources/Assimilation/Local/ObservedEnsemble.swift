internal import DaunceEnsemble
internal import DaunceObservations
public import DaunceState

/// The observations of one analysis with every member's h(x): all that a filter knows of observations. Every rank has
/// the same.
public final class ObservedEnsemble {
  /// Number of observations.
  public let count: Int
  /// Number of members.
  public let members: Int
  /// Doubles from one observation's members to the next, as in ``PartialEnsemble/stride``.
  public let stride: Int
  /// Place of every observation (`[count]`).
  public let places: [Place]
  /// Number of every observation's kind, for localization (`[count]`).
  public let kinds: [Int32]
  /// How each observation's error is distributed (`[count]`).
  public let laws: [ErrorLaw]
  /// Observed values (`[count]`).
  public private(set) var values: [Double]
  /// Error variances, positive (`[count]`).
  public private(set) var errorVariances: [Double]
  /// Ensemble mean of h(x) (`[count]`).
  public private(set) var mean: [Double]
  /// Deviations of h(x) from its mean (`[count][stride]`, zero behind the members).
  public let anomalies: UnsafeMutablePointer<Double>

  /// - Parameters:
  ///   - laws: of the errors; `nil`: all are normal.
  ///   - memberValues: h(x) of every member, `[member][count]`.
  public convenience init(
    places: [Place], kinds: [Int32], laws: [ErrorLaw]? = nil, values: [Double], errorVariances: [Double],
    memberValues: [Double], members: Int
  ) {
    self.init(places: places, kinds: kinds, laws: laws, members: members)
    fill(values: values, errorVariances: errorVariances) { m, k in memberValues[m * values.count + k] }
  }

  /// Room for observations of these places and kinds; `fill` comes before any use.
  init(places: [Place], kinds: [Int32], laws: [ErrorLaw]? = nil, members: Int) {
    count = places.count
    self.laws = laws ?? [ErrorLaw](repeating: .gaussian, count: places.count)
    self.members = members
    stride = PartialEnsemble.stride(of: members)
    (self.places, self.kinds) = (places, kinds)
    values = [Double](repeating: 0, count: count)
    errorVariances = values
    mean = values
    let size = max(1, count * stride)
    anomalies = UnsafeMutableRawPointer.allocate(byteCount: size * 8, alignment: 64).bindMemory(
      to: Double.self, capacity: size)
    anomalies.initialize(repeating: 0, count: size)
  }

  /// The error of observation `k`, of which a share acts.
  func error(of k: Int, share: Double = 1) -> ObservationError {
    ObservationError(variance: errorVariances[k], law: laws[k], observed: values[k], share: share)
  }

  /// Takes the observations of a time; nothing is allocated. One whose h(x) is not a finite number in any member is left
  /// without effect.
  ///
  /// - Parameters:
  ///   - values: observed (`[count]`).
  ///   - errorVariances: positive (`[count]`).
  ///   - memberValue: h(x) of a member and an observation.
  func fill(values: [Double], errorVariances: [Double], memberValue: (_ member: Int, _ k: Int) -> Double) {
    for k in 0..<count {
      (self.values[k], self.errorVariances[k]) = (values[k], errorVariances[k])
      let row = anomalies + k * stride
      for m in 0..<members { row[m] = memberValue(m, k) }
      mean[k] = Lanes4.centre(row, members: members)
      if !mean[k].isFinite {
        (row).update(repeating: 0, count: members)
        mean[k] = values[k]
      }
    }
  }

  deinit { anomalies.deallocate() }

  /// The same with h of members that are all here (`[member][stateCount]`).
  func fill(_ observations: ObservationSet, states: [Double], stateCount: Int) {
    states.withUnsafeBufferPointer { states in
      guard let start = states.baseAddress else { return }
      fill(values: observations.values, errorVariances: observations.errorVariances) { m, k in
        observations.network.rows.value(k, at: start + m &* stateCount)
      }
    }
  }

  /// Multiplies the anomalies by `factor`.
  func inflate(by factor: Double) {
    guard factor != 1 else { return }
    for i in 0..<count * stride { anomalies[i] *= factor }
  }
}

/// Rows of members, four at a time.
enum Lanes4 {
  typealias Vector = SIMD4<Double>

  /// Subtracts the mean of `members` numbers, summed around the first, and returns it.
  @inline(__always)
  static func centre(_ row: UnsafeMutablePointer<Double>, members: Int) -> Double {
    let first = row[0]
    var sum = 0.0
    for m in 1..<max(1, members) { sum += row[m] - first }
    let mean = first + sum / Double(members)
    for m in 0..<members { row[m] -= mean }
    return mean
  }

  /// Sum of products, in two chains of four lanes.
  @inline(__always)
  static func dot(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int) -> Double {
    let (a, b) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
    var (even, odd) = (Vector.zero, Vector.zero)
    var i = 0
    let bytes = count &* 8
    while i &+ 64 <= bytes {
      even += a.load(fromByteOffset: i, as: Vector.self) * b.load(fromByteOffset: i, as: Vector.self)
      odd += a.load(fromByteOffset: i &+ 32, as: Vector.self) * b.load(fromByteOffset: i &+ 32, as: Vector.self)
      i &+= 64
    }
    if i < bytes { even += a.load(fromByteOffset: i, as: Vector.self) * b.load(fromByteOffset: i, as: Vector.self) }
    let sum = even + odd
    return (sum[0] + sum[2]) + (sum[1] + sum[3])
  }

  /// Subtracts the mean of `members` numbers, those behind them being zero and staying so, and returns it. Not summed around
  /// the first: for numbers about zero.
  @inline(__always)
  static func takeMean(off row: UnsafeMutablePointer<Double>, members: Int) -> Double {
    let source = UnsafeRawPointer(row)
    var sum = Vector.zero
    for i in Swift.stride(from: 0, to: members &* 8, by: 32) { sum += source.load(fromByteOffset: i, as: Vector.self) }
    let mean = ((sum[0] + sum[2]) + (sum[1] + sum[3])) / Double(members)
    for m in 0..<members { row[m] -= mean }
    return mean
  }

  /// Sum of weights times squares.
  @inline(__always)
  static func weightedSquares(_ w: UnsafePointer<Double>, _ a: UnsafePointer<Double>, _ count: Int) -> Double {
    let (w, a) = (UnsafeRawPointer(w), UnsafeRawPointer(a))
    var sum = Vector.zero
    for i in Swift.stride(from: 0, to: count &* 8, by: 32) {
      let x = a.load(fromByteOffset: i, as: Vector.self)
      sum += w.load(fromByteOffset: i, as: Vector.self) * x * x
    }
    return (sum[0] + sum[2]) + (sum[1] + sum[3])
  }

  /// b = f a + g b
  @inline(__always)
  static func combine(
    _ f: Double, _ a: UnsafePointer<Double>, _ g: Double, to b: UnsafeMutablePointer<Double>, _ count: Int
  ) {
    let (a, b) = (UnsafeRawPointer(a), UnsafeMutableRawPointer(b))
    for i in Swift.stride(from: 0, to: count &* 8, by: 32) {
      let sum = f * a.load(fromByteOffset: i, as: Vector.self) + g * b.load(fromByteOffset: i, as: Vector.self)
      b.storeBytes(of: sum, toByteOffset: i, as: Vector.self)
    }
  }

  /// Adds `factor` times `b` to `a`.
  @inline(__always)
  static func add(_ factor: Double, _ b: UnsafePointer<Double>, to a: UnsafeMutablePointer<Double>, _ count: Int) {
    let (a, b) = (UnsafeMutableRawPointer(a), UnsafeRawPointer(b))
    let f = Vector(repeating: factor)
    var i = 0
    while i < count &* 8 {
      let sum = a.load(fromByteOffset: i, as: Vector.self) + f * b.load(fromByteOffset: i, as: Vector.self)
      a.storeBytes(of: sum, toByteOffset: i, as: Vector.self)
      i &+= 32
    }
  }
}
