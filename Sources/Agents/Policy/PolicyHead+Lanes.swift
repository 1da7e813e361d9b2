package import DaunceNetworks
import DaunceNumerics

/// Laws of eight cells at once, for the losses: in units of the variable's scale and relative to the anchor, so that
/// single precision suffices.
extension PolicyHead {
  /// What `logDensity` leaves behind for the slopes of one control at eight cells.
  package struct Score: BitwiseCopyable {
    /// Derivatives of the log-density by the raw outputs, limits aside.
    package var location: Lanes
    package var logScale: Lanes
    /// Logarithm of the scale, relative to the variable's.
    package var relativeLogScale: Lanes
    /// Least raw location that the law allows.
    package var least: Lanes

    package static let zero = Score(location: .zero, logScale: .zero, relativeLogScale: .zero, least: .zero)
  }

  /// Log-density of the actions at eight cells, summed over controls; the same as of single cells to seven digits.
  ///
  /// - Parameters:
  ///   - v: the cells' group in the tile.
  ///   - actions: `[control][cell]`, as `anchors`.
  ///   - scores: one a control, overwritten.
  package func logDensity(
    _ tile: Activations, vector v: Int, actions: UnsafePointer<Double>, anchors: UnsafePointer<Double>,
    scores: UnsafeMutablePointer<Score>
  ) -> Lanes {
    var density = Lanes.zero
    for k in 0..<controls {
      density += logDensity(tile, k, v, actions + k * cells, anchors + k * cells, &scores[k])
    }
    return density
  }

  @inline(__always)
  private func logDensity(
    _ tile: Activations, _ k: Int, _ v: Int, _ actions: UnsafePointer<Double>, _ anchors: UnsafePointer<Double>,
    _ score: inout Score
  ) -> Lanes {
    let range = Self.logScaleRange
    let raw = tile.output[2 * k * vectors + v]
    let logScale = atMost(
      Float(range.upperBound),
      atLeast(Float(range.lowerBound), tile.output[(2 * k + 1) * vectors + v] + Float(Self.initialLogScale)))
    let anchor = load(anchors, v)
    let action = relative(load(actions, v) - anchor, k)
    let inverse = exponential(-logScale)
    let constant = Float(ActionDistribution.halfLogTwoPi) + logUnits[k]
    score.relativeLogScale = logScale
    score.least = Lanes(repeating: -.infinity)
    switch laws[k] {
    case .normal, .clipped:
      let z = (action - raw) * inverse
      score.location = z * inverse
      score.logScale = z * z - 1
      return -0.5 * z * z - logScale - constant
    case .truncated(let lower):
      let bound = relative(lower - anchor, k)
      score.least = bound - 6 * exponential(logScale)
      let m = raw.replacing(with: score.least, where: raw .< score.least)
      let z = (action - m) * inverse
      let alpha = (bound - m) * inverse
      let tail = TailLanes(alpha)
      score.location = (z - tail.inverseMills) * inverse
      score.logScale = z * z - 1 - tail.inverseMills * alpha
      return -0.5 * z * z - logScale - constant - tail.logUpper
    case .softplus:
      return cellByCell(tile, k, v, actions, anchors, &score)
    }
  }

  /// The same by the functions of single cells.
  private func cellByCell(
    _ tile: Activations, _ k: Int, _ v: Int, _ actions: UnsafePointer<Double>, _ anchors: UnsafePointer<Double>,
    _ score: inout Score
  ) -> Lanes {
    var density = Lanes.zero
    for lane in 0..<min(Lanes.scalarCount, cells - v * Lanes.scalarCount) {
      let c = v * Lanes.scalarCount + lane
      let (m, s) = law(k, anchor: anchors[c], outputs: outputs(tile, k, c))
      let (location, logScale) = laws[k].scoreFunction(actions[c], location: m, scale: s)
      score.location[lane] = Float(scales[k] * location)
      score.logScale[lane] = Float(logScale)
      density[lane] = Float(laws[k].logDensity(actions[c], location: m, scale: s))
    }
    return density
  }

  /// Writes a loss's derivatives by the raw outputs of control `k` into the tile, from those by location and log-scale
  /// of the law; where an output is at its limit, only a slope that leads back inside counts.
  @inline(__always)
  package func setSlopes(_ tile: Activations, _ k: Int, vector v: Int, score: Score, location: Lanes, logScale: Lanes) {
    let range = Self.logScaleRange
    let isBelow = (tile.output[2 * k * vectors + v] .< score.least) .& (location .> 0)
    let rawLogScale = tile.output[(2 * k + 1) * vectors + v] + Float(Self.initialLogScale)
    let atLower = (rawLogScale .<= Float(range.lowerBound)) .& (logScale .> 0)
    let atUpper = (rawLogScale .>= Float(range.upperBound)) .& (logScale .< 0)
    tile.outputSlope[2 * k * vectors + v] = location.replacing(with: 0, where: isBelow)
    tile.outputSlope[(2 * k + 1) * vectors + v] = logScale.replacing(with: 0, where: atLower .| atUpper)
  }

  /// Sets the slopes of the negative log-likelihood of all cells' actions by the raw outputs, of the tile's last input.
  ///
  /// - Parameters:
  ///   - input: of the tile.
  ///   - actions: `[control][cell]`, as `anchors`.
  ///   - scores: room for one of every control.
  /// - Returns: the log-likelihood.
  func setLossSlopes(
    _ tile: Activations, input: UnsafePointer<Lanes>, actions: UnsafePointer<Double>, anchors: UnsafePointer<Double>,
    scores: UnsafeMutablePointer<Score>
  ) -> Double {
    scaleOutputs(tile, input: input)
    var likelihood = 0.0
    for v in 0..<vectors {
      let present = presence(v)
      let density = logDensity(tile, vector: v, actions: actions, anchors: anchors, scores: scores)
      likelihood += Double((density * present).sum())
      for k in 0..<controls {
        let score = scores[k]
        setSlopes(tile, k, vector: v, score: score, location: -present * score.location, logScale: -present * score.logScale)
      }
    }
    scaleSlopes(tile, input: input)
    return likelihood
  }

  /// 1 for the group's cells, 0 for what pads the tile.
  @inline(__always)
  package func presence(_ v: Int) -> Lanes {
    let count = cells - v * Lanes.scalarCount
    guard count < Lanes.scalarCount else { return Lanes(repeating: 1) }
    var present = Lanes.zero
    for lane in 0..<count { present[lane] = 1 }
    return present
  }

  /// Eight cells' numbers, zero beyond the last cell.
  @inline(__always)
  func load(_ row: UnsafePointer<Double>, _ v: Int) -> SIMD8<Double> {
    let start = v * Lanes.scalarCount
    guard start + Lanes.scalarCount > cells else {
      return UnsafeRawPointer(row + start).loadUnaligned(as: SIMD8<Double>.self)
    }
    var values = SIMD8<Double>.zero
    for lane in 0..<cells - start { values[lane] = row[start + lane] }
    return values
  }

  /// In units of the control's scale.
  @inline(__always)
  private func relative(_ x: SIMD8<Double>, _ k: Int) -> Lanes { Lanes(x * (1 / scales[k])) }
}

/// The upper tail of the standard normal law at eight points up to 6 or so.
struct TailLanes {
  /// `phi(x) / Q(x)`.
  let inverseMills: Lanes
  /// `log Q(x)`.
  let logUpper: Lanes

  @inline(__always)
  init(_ x: Lanes) {
    let isUpper = x .> 0
    // Beyond 13 the other tail is nothing in single precision.
    let t = atMost(13, x.replacing(with: -x, where: .!isUpper))
    let exponent = -0.5 * t * t
    let density = 0.398_942_28 * exponential(exponent)
    let ratio = millsRatio(t)
    // Q = phi R above 0, and 1 - phi R below.
    let divisor = (1 - density * ratio).replacing(with: ratio, where: isUpper)
    inverseMills = density.replacing(with: 1, where: isUpper) / divisor
    logUpper = logarithm(divisor) + Lanes.zero.replacing(with: exponent - 0.918_938_53, where: isUpper)
  }
}

/// Mills' ratio `Q(t) / phi(t)` of the standard normal law for `t >= 0`, relative error below 4e-7: a polynomial in
/// `1 / (1 + 0.3 t)`, fitted to the smallest largest relative error.
@inline(__always)
private func millsRatio(_ t: Lanes) -> Lanes {
  let u = 1 / (1 + 0.3 * t)
  var p: Lanes = 0.182_916_62 + u * -0.031_170_369
  p = -0.369_239_13 + u * p
  p = 0.249_785_93 + u * p
  p = -0.039_043_052 + u * p
  p = 0.171_457_15 + u * p
  p = 0.215_361_35 + u * p
  p = 0.273_252_42 + u * p
  p = 0.299_993_31 + u * p
  p = 0.300_000_03 + u * p
  return u * p
}
