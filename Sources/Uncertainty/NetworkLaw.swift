import DaunceNetworks
import DaunceNumerics
import Glibc

/// Location and scatter of the outputs that networks give together: the mean of their locations, the root of the mean of
/// their squared scales.
struct NetworkLaw {
  private let networks: [Network]
  private let evaluator: RowEvaluator
  private let inputs, outputs: Int
  /// Factor on the scatter.
  var factor = 1.0
  /// Step of the slopes' differences, in working units of the inputs.
  private static let step = 0.02

  init(_ networks: [Network]) {
    self.networks = networks
    evaluator = RowEvaluator(networks[0])
    inputs = networks[0].sizes[0]
    outputs = networks[0].sizes[networks[0].sizes.count - 1] / 2
  }

  /// The law as `RowPosterior` needs it.
  var rows: RowPosterior.Law {
    RowPosterior.Law { [self] x, wantsSlopes in
      let (location, scale) = moments(at: x)
      return (location, scale, wantsSlopes ? slopes(at: x) : [])
    }
  }

  /// `[row][output]` of both.
  func moments(at x: [Double]) -> (location: [Double], scale: [Double]) {
    let count = x.count / inputs * outputs
    var (location, scale) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    let share = 1 / Double(networks.count)
    for network in networks {
      let own = network.moments(at: x, evaluator)
      for k in 0..<count {
        location[k] += share * own.location[k]
        scale[k] += share * own.scale[k] * own.scale[k]
      }
    }
    for k in 0..<count { scale[k] = factor * scale[k].squareRoot() }
    return (location, scale)
  }

  /// `[row][output][input]`, by central differences.
  func slopes(at x: [Double]) -> [Double] {
    let count = x.count / inputs
    var slopes = [Double](repeating: 0, count: count * outputs * inputs)
    for i in 0..<inputs {
      var (above, below) = (x, x)
      for row in 0..<count {
        above[row * inputs + i] += Self.step
        below[row * inputs + i] -= Self.step
      }
      let (high, low) = (moments(at: above).location, moments(at: below).location)
      for k in 0..<count * outputs { slopes[k * inputs + i] = (high[k] - low[k]) / (2 * Self.step) }
    }
    return slopes
  }
}

extension Network {
  /// Locations and scales of a network's normal laws, `[row][output]` of both.
  func moments(at x: [Double], _ evaluator: RowEvaluator) -> (location: [Double], scale: [Double]) {
    let outputs = sizes[sizes.count - 1] / 2
    let raw = evaluator.evaluate(self, x: x.map { Float($0) })
    let count = x.count / sizes[0]
    var (location, scale) = ([Double](), [Double]())
    location.reserveCapacity(count * outputs)
    scale.reserveCapacity(count * outputs)
    let range = Regression.logScaleRange
    for row in 0..<count {
      for o in 0..<outputs {
        location.append(Double(raw[row * 2 * outputs + o]))
        let logScale = raw[row * 2 * outputs + outputs + o]
        scale.append(exponential(Double(min(max(logScale, range.lowerBound), range.upperBound))))
      }
    }
    return (location, scale)
  }
}
