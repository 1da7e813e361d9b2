package import DaunceConstraints
import DaunceModels
import DaunceSettings
package import DaunceState

extension ExperimentContext {
  /// The energy that the configuration holds in a band, `nil` for none.
  package var energy: (any StateFunction)? {
    let name = configuration.energy.rawValue
    return traits.energies.first { $0.name == name }
  }

  /// The band in which analyses' energy has to stay: the configured one, or the given quantiles of the training
  /// truths' energy, widened. No test truth is looked at.
  ///
  /// - Throws: when the energy is the same everywhere, or the quantiles are: such a band has no width.
  package func energyBand(from truths: [Trajectory]) throws -> Band? {
    guard let energy else { return nil }
    if let band = configuration.constraints.band {
      return Band(function: energy, lower: band.lower, upper: band.upper)
    }
    return try band(of: energy, from: truths)
  }

  /// The bands that agents are held in: the energy's, and those of `constraints.further`.
  ///
  /// - Throws: as `energyBand`.
  func agentBands(_ energy: Band?, from truths: [Trajectory]) throws -> [Band] {
    let further = traits.energies.filter { function in
      configuration.constraints.further.contains { $0.rawValue == function.name }
    }
    return try (energy.map { [$0] } ?? []) + further.map { try band(of: $0, from: truths) }
  }

  /// Quantiles of a function over the truths, widened.
  private func band(of energy: any StateFunction, from truths: [Trajectory]) throws -> Band {
    var values: [Double] = []
    for truth in truths {
      let states = truth.states.span
      for time in 0...truth.cycles {
        values.append(energy.value(of: states.extracting(time * layout.count..<(time + 1) * layout.count)))
      }
    }
    values.sort()
    let quantiles = configuration.constraints.bandQuantiles
    func quantile(_ q: Double) -> Double { values[Int((q * Double(values.count - 1)).rounded())] }
    let (low, high) = (quantile(quantiles.lower), quantile(quantiles.upper))
    guard low < high else {
      throw ExperimentError(
        .data, "key constraints.band_quantiles", found: "\(low) for both quantiles of the training truths' energy",
        expected: "quantiles further apart, or a band given by constraints.band")
    }
    let margin = configuration.constraints.bandMargin * (high - low) / 2
    return Band(function: energy, lower: low - margin, upper: high + margin)
  }
}
