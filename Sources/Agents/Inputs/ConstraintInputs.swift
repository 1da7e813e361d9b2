import Glibc
import DaunceNumerics
import DaunceState

extension AgentSettings {
  /// A function of the state that agents see, with the band that it is to stay in.
  public struct SeenBand: Sendable, Hashable {
    /// Of the function.
    public let name: String
    /// Limits, in the function's unit.
    public let lower, upper: Double

    /// A function by its name, with a band of positive width.
    public init(name: String, lower: Double, upper: Double) { (self.name, self.lower, self.upper) = (name, lower, upper) }
  }
}

/// What agents see of functions that are held in bands: of each how far the member's own state is from the band's middle,
/// one number for all cells; and for each control the shortest step that would bring the state there if the function were
/// linear, along its gradient, in units of what actions are measured in. Steps are short where fields weigh with their
/// scales.
final class ConstraintInputs {
  private let grid: AgentGrid
  private let settings: AgentSettings
  private let bands: [(function: any StateFunction, centre: Double, inverse: Double)]
  private var gradient: StateGradient

  /// - Parameter functions: among which those of the settings are.
  init(_ settings: AgentSettings, functions: [any StateFunction], grid: AgentGrid) {
    (self.grid, self.settings) = (grid, settings)
    bands = settings.seenBands.map { band in
      guard let function = functions.first(where: { $0.name == band.name }) else {
        preconditionFailure("agents see \(band.name), which the model does not have")
      }
      return (function, (band.lower + band.upper) / 2, 2 / (band.upper - band.lower))
    }
    gradient = StateGradient(count: bands.isEmpty ? 0 : grid.layout.count)
  }

  /// Number of inputs.
  static func count(_ settings: AgentSettings) -> Int { settings.seenBands.count * (2 + settings.controls.count) }

  /// Longest step, and largest distance, that is told as it is.
  static let limit = 4.0

  /// Writes the inputs of all cells.
  func fill(_ view: Features.View, _ out: inout InputRows) {
    for b in bands.indices {
      let distance = gradient.take(bands[b].function, at: view.forecast) - bands[b].centre
      // Half-widths of the band; logarithmic far outside.
      let scaled = distance * bands[b].inverse
      let told = scaled.sign == .minus ? -log1p(abs(scaled)) : log1p(scaled)
      out.row.update(repeating: Float(told), count: grid.cells)
      out.put("\(bands[b].function.name): distance from the middle of its band, logarithmic far off")
      out.row.update(repeating: Float(min(max(scaled, -Self.limit), Self.limit) / 2), count: grid.cells)
      out.put("\(bands[b].function.name): distance from the middle of its band, cut off")
      let squares = weightedSquares
      for (k, v) in settings.controls.enumerated() {
        putStep(k, v, squares > 0 ? -distance / squares : 0, view, &out)
        out.put("\(bands[b].function.name): step of \(grid.layout.fields[v].name) to the middle")
      }
    }
  }

  /// Sum over the controls of the squared gradient times the field's squared scale.
  private var weightedSquares: Double {
    var sum = 0.0
    for v in settings.controls {
      let (first, scale) = (grid.layout.offsets[v], grid.layout.fields[v].scale)
      for c in 0..<grid.cells {
        let slope = gradient.slopes[first + c] * scale
        sum += slope * slope
      }
    }
    return sum
  }

  /// Makes the step of a control the row: `factor` times its scale's square and the gradient, in units of the spread for
  /// agents that correct an analysis, else of the scale.
  private func putStep(_ k: Int, _ v: Int, _ factor: Double, _ view: Features.View, _ out: inout InputRows) {
    let (first, n, scale) = (grid.layout.offsets[v], grid.cells, grid.layout.fields[v].scale)
    let (isInSpread, spread) = (settings.base == .analysis, view.spread + k * n)
    for c in 0..<n {
      let unit = isInSpread ? max(spread[c], AnalysisInputs.leastSpread * scale) : scale
      let step = factor * scale * scale * gradient.slopes[first + c] / unit
      out.row[c] = Float(min(max(step, -Self.limit), Self.limit))
    }
  }
}
