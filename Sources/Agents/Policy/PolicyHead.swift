package import DaunceNetworks
import DaunceNumerics
import Glibc
package import DaunceState

/// Turns a policy network's output into the laws of the actions.
package struct PolicyHead: Sendable {
  /// Law of every control.
  package let laws: [ActionDistribution]
  /// Scale of every control, in the variable's unit.
  let scales: [Double]
  /// Their logarithms.
  let logUnits: [Float]
  /// Largest admissible value of every control, `infinity` where there is none: draws beyond it are moved there, and
  /// their density is that of the law without this bound.
  let upperBounds: [Double]
  /// Whether outputs are in units of the base's spread; see `scaleOutputs`.
  let actsInSpread: Bool
  /// Cells that agents act on; those of all members side by side.
  package let cells: Int
  /// Groups of eight cells in a tile.
  package let vectors: Int

  /// Bounds of the log-scale, relative to the variable's scale.
  static let logScaleRange: ClosedRange<Double> = -5...1
  /// Log-scale of an untrained policy, relative to the variable's scale.
  static let initialLogScale = -2.0

  /// - Parameter members: side by side in a tile, `[control][member][cell]`.
  package init(settings: AgentSettings, layout: StateLayout, members: Int = 1) {
    cells = members * settings.cells(in: layout)
    actsInSpread = settings.base == .analysis
    vectors = (cells + Lanes.scalarCount - 1) / Lanes.scalarCount
    scales = settings.controls.map { layout.fields[$0].scale }
    logUnits = scales.map { Float(log($0)) }
    upperBounds = settings.controls.map { layout.fields[$0].upperBound ?? .infinity }
    laws = settings.controls.map { v in
      guard let lower = layout.fields[v].lowerBound else { return .normal }
      switch settings.bounds {
      case .truncated: return .truncated(lower: lower)
      case .clip: return .clipped(lower: lower)
      case .softplus: return .softplus(lower: lower)
      }
    }
  }

  /// Location and scale of control `k`'s law around `anchor`, from the two raw outputs.
  package func law(_ k: Int, anchor: Double, outputs: (Float, Float)) -> (location: Double, scale: Double) {
    let s = scales[k]
    let logScale = Double(outputs.1) + Self.initialLogScale
    let range = Self.logScaleRange
    // Six scales below the bound nothing but the bound's own neighbourhood is left of a truncated law.
    let location = anchor + s * Double(outputs.0)
    let scale = s * exp(min(max(logScale, range.lowerBound), range.upperBound))
    if case .truncated(let lower) = laws[k] { return (max(location, lower - 6 * scale), scale) }
    return (location, scale)
  }

  /// Turns derivatives by location and log-scale into derivatives by the raw outputs; where an output is at its
  /// limit, only a slope (of a loss to be descended) that leads back inside counts.
  package func slopes(
    _ k: Int, anchor: Double, outputs: (Float, Float), location: Double, logScale: Double
  ) -> (Float, Float) {
    let s = scales[k]
    let raw = Double(outputs.1) + Self.initialLogScale
    let range = Self.logScaleRange
    let atLower = raw <= range.lowerBound && logScale > 0
    let atUpper = raw >= range.upperBound && logScale < 0
    var dLocation = s * location
    if case .truncated(let lower) = laws[k] {
      let scale = s * exp(min(max(raw, range.lowerBound), range.upperBound))
      if anchor + s * Double(outputs.0) < lower - 6 * scale, location > 0 { dLocation = 0 }
    }
    return (Float(dLocation), atLower || atUpper ? 0 : Float(logScale))
  }

  /// Number of controls.
  var controls: Int { laws.count }

  /// The two raw outputs of control `k` at cell `c`.
  @inline(__always)
  package func outputs(_ tile: Activations, _ k: Int, _ c: Int) -> (Float, Float) {
    let (v, lane) = (c / Lanes.scalarCount, c % Lanes.scalarCount)
    return (tile.output[2 * k * vectors + v][lane], tile.output[(2 * k + 1) * vectors + v][lane])
  }

  /// Sets the loss's derivatives by the two raw outputs of control `k` at cell `c`.
  @inline(__always)
  func setSlopes(_ tile: Activations, _ k: Int, _ c: Int, _ slopes: (Float, Float)) {
    let (v, lane) = (c / Lanes.scalarCount, c % Lanes.scalarCount)
    tile.outputSlope[2 * k * vectors + v][lane] = slopes.0
    tile.outputSlope[(2 * k + 1) * vectors + v][lane] = slopes.1
  }

  /// Log-density of one cell's actions, summed over controls.
  ///
  /// - Parameters:
  ///   - actions: `[control][cell]`, as `anchors`.
  package func logDensity(
    _ tile: Activations, cell c: Int, actions: UnsafePointer<Double>, anchors: UnsafePointer<Double>
  ) -> Double {
    var density = 0.0
    for k in 0..<controls {
      let i = k * cells + c
      let (m, s) = law(k, anchor: anchors[i], outputs: outputs(tile, k, c))
      density += laws[k].logDensity(actions[i], location: m, scale: s)
    }
    return density
  }
}
