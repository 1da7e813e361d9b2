import DaunceNetworks
import DaunceNumerics
import Glibc

/// How many draws predictions are made of.
public struct PredictionSettings: Sendable, Hashable {
  /// Draws of the true new input, where it has errors; else one. Even.
  public var newInputDraws = 16
  /// Draws of the true testing rows, where these have errors; else one.
  public var testingDraws = 16
  /// Samples of every prediction.
  public var samples = 1000
  /// Probabilities of quantiles.
  public var probabilities = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975]
  /// Points of every pdf.
  public var points = 101
  /// Of all random numbers.
  public var seed: UInt64 = 1

  /// The settings that the properties show.
  public init() {}
}

/// The predictive law of one input by the fundamental equation (van Leeuwen),
///
///     p(x | z, train, test) = int p(x | w, z_t, test_t) p(w | train_t) p(train_t | train) p(test_t | test) p(z_t | z),
///
/// every integral by draws: all combinations of them for the variance and its parts, some for the samples.
public struct FundamentalEquation {
  private let ensemble: NetworkEnsemble
  private let variables: [Variable]
  private let testing: TestingResiduals
  private let settings: PredictionSettings
  private let evaluator: RowEvaluator
  /// Residuals' squares; residuals in vectors of eight rows, for the laws of logarithmic
  /// outputs (`[output]` of `[draw][network][vector]`).
  private let squares: [[Double]]
  private let vectors: [[Lanes]]

  /// - Parameters:
  ///   - outputs: the tables' outputs.
  ///   - testing: rows that no network has been trained on.
  public init(_ ensemble: NetworkEnsemble, outputs: [Variable], testing: MeasuredRows, settings: PredictionSettings) {
    (self.ensemble, variables, self.settings) = (ensemble, outputs, settings)
    self.testing = TestingResiduals(
      testing, networks: ensemble.networks, draws: settings.testingDraws, seed: settings.seed)
    evaluator = RowEvaluator(ensemble.networks[0], vectors: (settings.newInputDraws + 7) / 8)
    let residuals = self.testing.residuals
    squares = residuals.map { $0.map { $0 * $0 } }
    vectors = zip(outputs, residuals).map { $0.isLogarithmic ? Self.vectors($1, rows: testing.count) : [] }
  }

  /// Numbers row by row, eight rows to a vector and zeros behind the last.
  private static func vectors(_ values: [Double], rows: Int) -> [Lanes] {
    stride(from: 0, to: values.count, by: rows).flatMap { first in
      stride(from: 0, to: rows, by: Lanes.scalarCount).map { row in
        var lanes = Lanes.zero
        for lane in 0..<min(Lanes.scalarCount, rows - row) { lanes[lane] = Float(values[first + row + lane]) }
        return lanes
      }
    }
  }

  /// A Latin hypercube of standard normal numbers (`[draw][input]`), every input's with mean 0 and variance 1 exactly, and
  /// those of few inputs without correlation: what a linear function makes of them has the right variance.
  private static func latinHypercube(_ draws: Int, _ inputs: Int, seed: UInt64, row: Int) -> [Double] {
    var noise = [Double](repeating: 0, count: draws * inputs)
    for i in 0..<inputs {
      let stream = RandomStream(seed: seed, purpose: .newInput, member: i, cycle: row)
      let order = (0..<draws).map { ($0, stream.uniform(at: $0)) }.sorted { $0.1 < $1.1 }.map(\.0)
      var own = (0..<draws).map { k in
        -StandardNormal.upperQuantile((Double(order[k]) + stream.uniform(at: draws + k)) / Double(draws))
      }
      let mean = own.reduce(0, +) / Double(draws)
      own = own.map { $0 - mean }
      for earlier in 0..<min(i, draws / 4) {
        // Columns have the squared length draws - 1.
        let product = (0..<draws).reduce(0) { $0 + own[$1] * noise[$1 * inputs + earlier] } / Double(draws - 1)
        for k in 0..<draws { own[k] -= product * noise[k * inputs + earlier] }
      }
      let scale = (own.reduce(0) { $0 + $1 * $1 } / Double(draws - 1)).squareRoot()
      for k in 0..<draws { noise[k * inputs + i] = own[k] / scale }
    }
    return noise
  }

  /// The kernel's width of the testing rows' residuals in working units of the inputs, the median over draws, and their
  /// factors by outputs, means over draws.
  public var residualLaw: (width: Double, factors: [Double]) {
    (
      testing.widths.sorted()[testing.widths.count / 2],
      variables.indices.map { o in testing.factors.reduce(0) { $0 + $1[o] } / Double(testing.factors.count) }
    )
  }

  /// What is predicted for one input.
  public struct Prediction: Sendable, Hashable {
    /// By output.
    public var variances: [VarianceBySource] = []
    /// `[output][draw]`, in the outputs' own units, in no order; one draw's outputs belong together.
    public var samples: [[Double]] = []
    /// `[output][probability]`.
    public var quantiles: [[Double]] = []
    /// Values and density at them, `[output][point]`.
    public var values: [[Double]] = []
    public var density: [[Double]] = []

    /// Of no output yet.
    public init() {}
  }

  /// The predictive law at row number `k` of `rows`.
  public func predict(_ rows: MeasuredRows, row k: Int) -> Prediction {
    let case_ = NewInput(self, rows, row: k)
    var prediction = Prediction()
    for o in variables.indices { prediction.variances.append(case_.design(o).decompose()) }
    prediction.samples = case_.samples(number: k)
    for (o, own) in prediction.samples.enumerated() {
      let sorted = own.sorted()
      prediction.quantiles.append(settings.probabilities.map { Self.quantile(sorted, $0) })
      let density = KernelDensity(own, variables[o], points: settings.points)
      prediction.values.append(density.values)
      prediction.density.append(density.density)
    }
    return prediction
  }

  /// The quantile of sorted numbers, linear between the middles of their shares.
  package static func quantile(_ sorted: [Double], _ probability: Double) -> Double {
    let place = min(max(probability * Double(sorted.count) - 0.5, 0), Double(sorted.count - 1))
    let below = Int(place)
    let share = place - Double(below)
    return below + 1 < sorted.count ? sorted[below] * (1 - share) + sorted[below + 1] * share : sorted[below]
  }

  // MARK: One input

  /// One input with everything that its draws have in common.
  private struct NewInput {
    let equation: FundamentalEquation
    /// Draws of the true input.
    let draws: Int
    /// Weights of the testing rows, `[testing draw][draw][row]`.
    let near: [[[Double]]]
    /// Of every network at every draw, `[network][draw][output]`.
    let location, scale: [[Double]]
    /// Mean residuals and mean squares, `[output]` of `[testing draw][network][draw]`.
    let means, meanSquares: [[Double]]
    private var networks: Int { equation.ensemble.networks.count }
    private var testing: TestingResiduals { equation.testing }
    private var rows: Int { testing.rows.count }

    init(_ equation: FundamentalEquation, _ table: MeasuredRows, row: Int) {
      self.equation = equation
      let p = table.inputs
      let errors = table.xError[row * p..<(row + 1) * p]
      draws = errors.contains { $0 > 0 } ? equation.settings.newInputDraws : 1
      var x = (0..<draws).flatMap { _ in table.x[row * p..<(row + 1) * p] }
      if draws > 1 {
        let noise = FundamentalEquation.latinHypercube(draws, p, seed: equation.settings.seed, row: row)
        for a in 0..<draws { for i in 0..<p { x[a * p + i] += errors[row * p + i] * noise[a * p + i] } }
      }
      let testing = equation.testing
      var known: [Double: [[Double]]] = [:]
      let draws = draws
      let near = (0..<testing.draws).map { b -> [[Double]] in
        let width = testing.widths[b]
        let weights =
          known[width]
          ?? (0..<draws).map { a in
            x.withUnsafeBufferPointer { x in
              x.baseAddress.map { testing.weights(at: $0 + a * p, width: width) } ?? []
            }
          }
        known[width] = weights
        return weights
      }
      var (location, scale) = ([[Double]](), [[Double]]())
      for network in equation.ensemble.networks {
        let own = network.moments(at: x, equation.evaluator)
        location.append(own.location)
        scale.append(own.scale)
      }
      (self.near, self.location, self.scale) = (near, location, scale)
      means = testing.residuals.map { Self.product($0, near) }
      meanSquares = equation.squares.map { Self.product($0, near) }
    }

    /// Means and variances of output `o` for all combinations.
    func design(_ o: Int) -> CrossedDesign {
      let (c, d) = (equation.ensemble.trainingDraws, equation.ensemble.weightDraws)
      var design = CrossedDesign(levels: [draws, testing.draws, c, d])
      let q = equation.variables.count
      let variable = equation.variables[o]
      let first = means[o]
      let second = meanSquares[o]
      let weights =
        variable.isLogarithmic ? near.map { $0.map { FundamentalEquation.vectors($0, rows: rows) } } : []
      for a in 0..<draws {
        for b in 0..<testing.draws {
          for w in 0..<networks {
            let k = (b * networks + w) * draws + a
            let (f, s, e) = (location[w][a * q + o], scale[w][a * q + o], first[k])
            let cell = (a * testing.draws + b) * networks + w
            if variable.isLogarithmic {
              let moments = lognormalMoments(
                o, residuals: b * networks + w, weights[b][a], f + s * e, s * testing.factors[b][o], e)
              (design.means[cell], design.variances[cell]) = (moments.mean, moments.variance)
            } else {
              let factor = variable.unit * s * testing.factors[b][o]
              design.means[cell] = variable.value(f + s * e)
              design.variances[cell] = factor * factor * max(0, second[k] - e * e)
            }
          }
        }
      }
      return design
    }

    /// Sums over testing rows of what each has, times its weight: `[testing draw][network][draw]`.
    private static func product(_ values: [Double], _ near: [[[Double]]]) -> [Double] {
      let (rows, draws) = (near[0][0].count, near[0].count)
      let count = values.count / rows / near.count
      var (sums, kernel) = ([Double](), [Double](repeating: 0, count: rows * draws))
      sums.reserveCapacity(values.count / rows * draws)
      var own = [Double](repeating: 0, count: count * draws)
      for (b, weights) in near.enumerated() {
        for a in 0..<draws { for j in 0..<rows { kernel[j * draws + a] = weights[a][j] } }
        let first = b * count * rows
        own.withMutableSpan {
          LinearAlgebra.multiply(
            values.span.extracting(first..<first + count * rows), kernel.span, rows: count, inner: rows, columns: draws,
            into: &$0)
        }
        sums += own
      }
      return sums
    }

    /// Mean and variance of exp of the working law, in the output's own unit.
    ///
    /// - Parameters:
    ///   - number: of the testing draw and network together.
    ///   - weights: of the testing rows, eight to a vector.
    ///   - middle: mean of the working law; `s`: the network's scale times the factor; `e`: mean residual.
    private func lognormalMoments(
      _ o: Int, residuals number: Int, _ weights: [Lanes], _ middle: Double, _ s: Double, _ e: Double
    ) -> (mean: Double, variance: Double) {
      let variable = equation.variables[o]
      let slope = Float(variable.unit * s)
      let centre = Lanes(repeating: Float(e))
      var (mean, square) = (Lanes.zero, Lanes.zero)
      let first = number * weights.count
      equation.vectors[o].withUnsafeBufferPointer { residuals in
        weights.withUnsafeBufferPointer { weights in
          for v in 0..<weights.count {
            // Growth over the middle, so that small variances keep their digits.
            let growth = DaunceNumerics.exponential(atMost(80, slope * (residuals[first + v] - centre))) - 1
            let weighted = weights[v] * growth
            mean += weighted
            square += weighted * growth
          }
        }
      }
      let (m, sq) = (Double(mean.sum()), Double(square.sum()))
      let unit = variable.value(middle)
      return (unit * (1 + m), unit * unit * max(0, sq - m * m))
    }

    /// Samples of all outputs, `[output][draw]`. Residuals are smoothed by a normal kernel that leaves their mean and
    /// variance (Silverman 1986): new ones may lie beyond all that were seen.
    func samples(number: Int) -> [[Double]] {
      let (count, q) = (equation.settings.samples, equation.variables.count)
      let stream = RandomStream(seed: equation.settings.seed, purpose: .predictiveDraw, member: number)
      let cumulative = near.map { draws in
        draws.map { weights in
          var sum = 0.0
          return weights.map { weight -> Double in
            sum += weight
            return sum
          }
        }
      }
      // Rows in even steps of their probability, in a random order.
      let order = (0..<count).map { ($0, stream.uniform(at: $0)) }.sorted { $0.1 < $1.1 }.map(\.0)
      let widths = near.map { $0.map { weights in 0.9 * power(1 / weights.reduce(0) { $0 + $1 * $1 }, -0.2) } }
      var samples = [[Double]](repeating: [Double](repeating: 0, count: count), count: q)
      for i in 0..<count {
        let w = i % networks
        let a = stream.integer(below: draws, at: count + i)
        let b = stream.integer(below: testing.draws, at: 2 * count + i)
        let j = place(of: (Double(order[i]) + 0.5) / Double(count), in: cumulative[b][a])
        let smoothed = widths[b][a]
        let kept = (1 - smoothed * smoothed).squareRoot()
        for o in 0..<q {
          let mean = means[o][(b * networks + w) * draws + a]
          let variance = max(0, meanSquares[o][(b * networks + w) * draws + a] - mean * mean)
          let e = testing.residuals[o][(b * networks + w) * rows + j]
          let noise = smoothed * variance.squareRoot() * stream.normal(at: 8 * count + i * q + o)
          let deviation = testing.factors[b][o] * (kept * (e - mean) + noise)
          let working = location[w][a * q + o] + scale[w][a * q + o] * (mean + deviation)
          samples[o][i] = equation.variables[o].value(working)
        }
      }
      return samples
    }

    /// The first number that is not below `u`.
    private func place(of u: Double, in cumulative: [Double]) -> Int {
      var (low, high) = (0, cumulative.count - 1)
      while low < high {
        let middle = (low + high) / 2
        if cumulative[middle] < u { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }
}
