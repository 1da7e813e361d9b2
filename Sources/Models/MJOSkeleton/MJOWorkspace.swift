#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import DaunceNumerics
import DaunceState

/// Exact displacement of K (speed 1) and R (speed -1/3) over an interval and over half of it.
final class MJOAdvection {
  private let halves: (k: SpectralShift, r: SpectralShift)
  private let fulls: (k: SpectralShift, r: SpectralShift)

  init(ring: Ring, interval: Double) {
    let cells = interval * Double(ring.cells) / ring.length
    halves = (
      SpectralShift(cells: ring.cells, displacement: cells / 2),
      SpectralShift(cells: ring.cells, displacement: -cells / 6)
    )
    fulls = (
      SpectralShift(cells: ring.cells, displacement: cells),
      SpectralShift(cells: ring.cells, displacement: -cells / 3)
    )
  }

  func half(_ workspace: MJOWorkspace) {
    halves.k.apply(workspace.k)
    halves.r.apply(workspace.r)
  }

  func full(_ workspace: MJOWorkspace) {
    fulls.k.apply(workspace.k)
    fulls.r.apply(workspace.r)
  }
}

/// The fields of one state while it is stepped, each padded to whole vectors, and the local physics on them.
///
/// Padding cells hold the rest state K = R = Z = 0, a = S / H, where nothing happens.
final class MJOWorkspace {
  typealias Lanes = SIMD4<Double>

  private let cells: Int
  private let padded: Int
  private let memory: UnsafeMutablePointer<Double>
  let k: UnsafeMutablePointer<Double>
  let r: UnsafeMutablePointer<Double>
  private let z: UnsafeMutablePointer<Double>
  private let a: UnsafeMutablePointer<Double>
  private let source: UnsafeMutablePointer<Double>
  private let normals: UnsafeMutablePointer<Double>

  init(source values: [Double]) {
    cells = values.count
    padded = (cells + Lanes.scalarCount - 1) / Lanes.scalarCount * Lanes.scalarCount
    memory = .allocate(capacity: 6 * padded)
    memory.initialize(repeating: 0, count: 6 * padded)
    k = memory
    r = memory + padded
    z = memory + 2 * padded
    a = memory + 3 * padded
    source = memory + 4 * padded
    normals = memory + 5 * padded
    for i in 0..<padded {
      source[i] = i < cells ? values[i] : MJOConstants.homogeneousSource
      a[i] = source[i] / MJOConstants.heatingRate
    }
  }

  deinit { memory.deallocate() }

  func load(_ state: borrowing MutableSpan<Double>) {
    state.withUnsafeBufferPointer { buffer in
      precondition(buffer.count == 4 * cells, "a state of the skeleton model has four fields")
      guard let base = buffer.baseAddress else { return }
      for v in 0..<4 { (memory + v * padded).update(from: base + v * cells, count: cells) }
    }
  }

  func store(_ state: inout MutableSpan<Double>) {
    state.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      for v in 0..<4 { (base + v * cells).update(from: memory + v * padded, count: cells) }
    }
  }

  func drawNormals(_ stream: RandomStream, at block: Int) {
    var span = UnsafeMutableBufferPointer(start: normals, count: cells).mutableSpan
    stream.normals(into: &span, at: block)
  }

  /// Local physics without noise over `dt`.
  func localStep(_ dt: Double, floor: Double) {
    let step = LocalStep(dt)
    for i in stride(from: 0, to: padded, by: Lanes.scalarCount) {
      let (first, growth) = begin(i, step)
      let activity = Self.lanes(a, i)
      finish(i, step, first, floored(activity + activity * growth, floor))
    }
  }

  /// Local physics over `dt` with normal noise of the transition's exact variance, dA a e |e - 1| with e = exp(Gamma Q
  /// dt).
  func localStep(_ dt: Double, floor: Double, amplitude: Double) {
    let step = LocalStep(dt)
    for i in stride(from: 0, to: padded, by: Lanes.scalarCount) {
      let (first, growth) = begin(i, step)
      let activity = Self.lanes(a, i)
      let mean = activity + activity * growth
      let magnitude = growth.replacing(with: -growth, where: growth .< 0)
      let deviation = (amplitude * (mean * magnitude)).squareRoot()
      finish(i, step, first, floored(mean + deviation * Self.lanes(normals, i), floor))
    }
  }

  /// Local physics over `dt` with the exact transition of the square-root noise.
  func localStep(_ dt: Double, floor: Double, amplitude: Double, _ random: inout StreamCursor) {
    let step = LocalStep(dt)
    for i in stride(from: 0, to: padded, by: Lanes.scalarCount) {
      let (first, growth) = begin(i, step)
      var activity = Self.lanes(a, i)
      for lane in 0..<min(Lanes.scalarCount, cells - i) {
        let transition = SquareRootTransition(
          start: activity[lane], growth: growth[lane], amplitude: amplitude)
        activity[lane] = transition.sample(&random)
      }
      finish(i, step, first, floored(activity, floor))
    }
  }

  /// Coefficients of the local physics for one length of step.
  private struct LocalStep {
    let half: Double
    /// dQ per unit of f: K and R bring Qt (1/2 + 1/3), Z brings 1 - Qt.
    let moistening = 1 - MJOConstants.moistureGradient / 6
    let growth: Double

    init(_ dt: Double) {
      half = dt / 2
      growth = MJOConstants.growthRate * dt
    }
  }

  /// First half of the heating: its integral, and the growth exp(Gamma Q dt) - 1 with the moisture that it leaves.
  @inline(__always)
  private func begin(_ i: Int, _ step: LocalStep) -> (first: Lanes, growth: Lanes) {
    let heating = Self.lanes(source, i) - MJOConstants.heatingRate * Self.lanes(a, i)
    let first = step.half * heating
    let moisture =
      Self.lanes(z, i) + MJOConstants.moistureGradient * (Self.lanes(k, i) + Self.lanes(r, i))
      + step.moistening * first
    return (first, exponentialLessOne(step.growth * moisture))
  }

  /// Second half of the heating, with the new activity; K, R and Z receive the same integral.
  @inline(__always)
  private func finish(_ i: Int, _ step: LocalStep, _ first: Lanes, _ activity: Lanes) {
    let heating = Self.lanes(source, i) - MJOConstants.heatingRate * activity
    let integral = first + step.half * heating
    Self.put(Self.lanes(k, i) + 0.5 * integral, k, i)
    Self.put(Self.lanes(r, i) + (1.0 / 3) * integral, r, i)
    Self.put(Self.lanes(z, i) + (1 - MJOConstants.moistureGradient) * integral, z, i)
    Self.put(activity, a, i)
  }

  /// Not-a-numbers pass through, so that a broken state shows.
  @inline(__always)
  private func floored(_ activity: Lanes, _ floor: Double) -> Lanes {
    let bound = Lanes(repeating: floor)
    return activity.replacing(with: bound, where: activity .< bound)
  }

  @inline(__always)
  private static func lanes(_ field: UnsafeMutablePointer<Double>, _ i: Int) -> Lanes {
    UnsafeRawPointer(field + i).loadUnaligned(as: Lanes.self)
  }

  @inline(__always)
  private static func put(_ value: Lanes, _ field: UnsafeMutablePointer<Double>, _ i: Int) {
    UnsafeMutableRawPointer(field + i).storeBytes(of: value, as: Lanes.self)
  }
}

/// exp(x) - 1: its Taylor series to x^9 for |x| <= 1/16, where the rest is below 1e-18 of the value, and the C library
/// beyond.
@inline(__always)
private func exponentialLessOne(_ x: SIMD4<Double>) -> SIMD4<Double> {
  var series = SIMD4<Double>(repeating: 1.0 / 362_880)
  series = series * x + 1.0 / 40_320
  series = series * x + 1.0 / 5_040
  series = series * x + 1.0 / 720
  series = series * x + 1.0 / 120
  series = series * x + 1.0 / 24
  series = series * x + 1.0 / 6
  series = series * x + 0.5
  var value = x + x * x * series
  let far = (x .> 0.0625) .| (x .< -0.0625)
  if any(far) {
    for lane in 0..<4 where far[lane] { value[lane] = expm1(x[lane]) }
  }
  return value
}
