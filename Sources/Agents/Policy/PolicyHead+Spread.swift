package import DaunceNetworks
import DaunceNumerics

/// Actions of agents that correct a filter's analysis: the network says how far to shift the mean in units of the
/// analysis spread, and by which factor to change that spread. A network that says zero leaves the analysis alone.
///
/// A tile's first inputs are the logarithms of the spread over the field's scale, one a control
/// (``AnalysisInputs``). Outputs are turned into what the laws are made of after every `forward`, and slopes back
/// before every `backward`.
extension PolicyHead {
  /// Largest logarithm of the factor on the spread, and its negative the smallest.
  static let logFactorRange: Float = 1.5

  /// Turns a tile's outputs from units of the spread to the field's scale; nothing for other agents.
  ///
  /// - Parameter input: the tile's input, `[input][vector]`.
  @inline(__always)
  package func scaleOutputs(_ tile: Activations, input: UnsafePointer<Lanes>) {
    forEachAction(input) { logSpread, location, logScale in
      tile.output[location] *= exponential(logSpread)
      let factor = atMost(Self.logFactorRange, atLeast(-Self.logFactorRange, tile.output[logScale]))
      tile.output[logScale] = factor + logSpread - Float(Self.initialLogScale)
    }
  }

  /// Turns slopes by the scaled outputs into those by the network's own; a factor at its limit keeps only a slope (of a
  /// loss to be descended) that leads back inside.
  @inline(__always)
  package func scaleSlopes(_ tile: Activations, input: UnsafePointer<Lanes>) {
    forEachAction(input) { logSpread, location, logScale in
      tile.outputSlope[location] *= exponential(logSpread)
      let factor = tile.output[logScale] - logSpread + Float(Self.initialLogScale)
      let limit = Self.logFactorRange - 1e-4
      let slope = tile.outputSlope[logScale]
      let isHeld = ((factor .> limit) .& (slope .< 0)) .| ((factor .< -limit) .& (slope .> 0))
      tile.outputSlope[logScale] = slope.replacing(with: 0, where: isHeld)
    }
  }

  /// Calls `body` with the logarithm of the spread and where the action's two outputs are.
  @inline(__always)
  private func forEachAction(
    _ input: UnsafePointer<Lanes>, _ body: (_ logSpread: Lanes, _ location: Int, _ logScale: Int) -> Void
  ) {
    guard actsInSpread else { return }
    for k in 0..<controls {
      for v in 0..<vectors { body(input[k * vectors + v], 2 * k * vectors + v, (2 * k + 1) * vectors + v) }
    }
  }
}
