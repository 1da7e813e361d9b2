import DaunceAgents
import DaunceNetworks
import DaunceNumerics
import DaunceState

/// A base that leaves the state as it is.
final class Still: BaseForecast {
  let layout: StateLayout
  var invariants: [LinearInvariant] { [] }
  var auxiliaryCount: Int { 0 }
  init(_ layout: StateLayout) { self.layout = layout }
  func advance(_ state: inout MutableSpan<Double>, cycle: Int) {}
  func auxiliaryFields(of state: Span<Double>, into fields: inout MutableSpan<Double>) {}
}

/// Everything that is in a tile of inputs: `[input][cell]`.
func inputs(
  _ features: Features, _ observed: CellObservations, forecast: [Double], mean: [Double] = [], spread: [Double] = [],
  catalogue: InputCatalogue? = nil
) -> [[Float]] {
  var rows: [[Float]] = []
  withInputs(features, observed, forecast: forecast, mean: mean, spread: spread, catalogue: catalogue) { tile, cells, vectors in
    rows = (0..<features.count).map { i in
      (0..<cells).map { tile[i * vectors + $0 / Lanes.scalarCount][$0 % Lanes.scalarCount] }
    }
  }
  return rows
}

/// Fills a tile of inputs; those of the ensemble are asked for with a mean and a spread (`[control][cell]`).
func withInputs(
  _ features: Features, _ observed: CellObservations, forecast: [Double], mean: [Double], spread: [Double],
  catalogue: InputCatalogue? = nil, _ use: (_ tile: UnsafeMutableBufferPointer<Lanes>, _ cells: Int, _ vectors: Int) -> Void
) {
  let cells = features.cells
  let vectors = (cells + Lanes.scalarCount - 1) / Lanes.scalarCount
  let count = observed.values.count
  var (simulated, simulatedMean) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
  observed.simulate(forecast, into: &simulated)
  if !mean.isEmpty {
    // The controls are the state's first fields here.
    let middle = mean + forecast.dropFirst(mean.count)
    observed.simulate(middle, into: &simulatedMean)
  }
  var tile = [Lanes](repeating: .zero, count: features.count * vectors)
  tile.withUnsafeMutableBufferPointer { tile in
    forecast.withUnsafeBufferPointer { x in
      (mean + [0]).withUnsafeBufferPointer { mean in
        (spread + [0]).withUnsafeBufferPointer { spread in
          simulated.withUnsafeBufferPointer { simulated in
            simulatedMean.withUnsafeBufferPointer { simulatedMean in
              guard let x = x.baseAddress, let mean = mean.baseAddress, let spread = spread.baseAddress,
                let own = simulated.baseAddress, let middle = simulatedMean.baseAddress
              else { return }
              features.fill(
                tile,
                .init(
                  forecast: x, observed: observed, simulated: own, simulatedMean: middle, mean: mean, spread: spread,
                  regressions: mean, forecastMean: mean, forecastSpread: spread, previous: x, beforePrevious: x, time: 0), vectors: vectors,
                catalogue: catalogue)
              use(tile, cells, vectors)
            }
          }
        }
      }
    }
  }
}
