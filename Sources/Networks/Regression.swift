public import DaunceNumerics
import Glibc

/// Training of one network to a table's rows: location and logarithm of the scale of a normal law for every output.
///
/// The network puts out the locations of all outputs, then the logarithms of their scales. What is minimised is the cost
/// function of a variational analysis whose state are the weights,
///
///     J(w) = sum over rows of -log N(y; m(x; w), s(x; w)^2) + 1/2 sum over weights of ((w - w0) / d)^2,
///
/// with the prior's standard deviations d. With w0 = 0 its minimum is the most probable network. With w0 drawn from the
/// prior and the rows' gradients perturbed, minima are draws from the posterior p(w | rows): exactly where m is linear in w
/// and s known, else approximately (randomized maximum likelihood: Kitanidis 1995; Oliver et al. 1996). Perturbed are the
/// gradients by m, as if y had moved by s times a standard normal number, and those by log s, by one times the root of 2:
/// each by the standard deviation that it has itself at the truth.
public struct Regression: Sendable, Hashable {
  /// Steps of Adam; the learning rate falls to zero along half a cosine.
  public var steps = 3000
  /// Rows of a step.
  public var batch = 64
  /// Learning rate at the start.
  public var rate: Float = 0.01
  /// Whether the logarithm of the scale is one number for all inputs, held at 0: least squares.
  public var isLeastSquares = false
  /// Share of the hidden units that are left out at random in every step.
  public var dropout: Float = 0

  /// The settings that the properties show.
  public init() {}

  /// Bounds of the logarithm of the scale, in units of the outputs.
  package static let logScaleRange: ClosedRange<Float> = -7...3

  /// What a training is about beside its rows.
  public struct Target: Sendable {
    /// Centre of the weights' prior term, w0 (`[parameter]`); `nil`: 0.
    public var centre: [Float]?
    /// Standard normal numbers that perturb the gradients by location, then by the logarithm of the scale
    /// (`[row][output]` of both); empty: none.
    public var perturbations: [Float]

    /// An empty `perturbations` leaves the gradients as they are.
    public init(centre: [Float]? = nil, perturbations: [Float] = []) {
      (self.centre, self.perturbations) = (centre, perturbations)
    }
  }

  /// Moves `network` to a minimum of the cost function.
  ///
  /// - Parameters:
  ///   - stream: order of the rows.
  ///   - steps: in place of the settings' own.
  /// - Returns: mean negative log-likelihood a row and output of the last tenth of the steps.
  @discardableResult
  public func train(
    _ network: inout Network, on rows: RegressionRows, prior: WeightPrior, target: Target = Target(),
    stream: RandomStream, steps: Int? = nil
  ) -> Double {
    var lesson = RegressionLesson(self, network, rows, prior, target, stream, steps: steps ?? self.steps)
    return lesson.run(&network)
  }
}

/// One training under way.
private struct RegressionLesson {
  let settings: Regression
  let rows: RegressionRows
  let target: Regression.Target
  let stream: RandomStream
  let steps: Int
  let tile: Activations
  let sums: GradientSums
  /// Targets of the rows in the tile, `[output][vector]`, and perturbations of locations, then of scales.
  let targets, noise: Workspace<Lanes>
  /// 1 / (rows d^2) of every parameter.
  let precision: [Float]
  var gradient: [Float]
  var adam: Adam
  var order: [Int]
  /// Rows taken so far.
  var taken = 0

  init(
    _ settings: Regression, _ network: Network, _ rows: RegressionRows, _ prior: WeightPrior,
    _ target: Regression.Target, _ stream: RandomStream, steps: Int
  ) {
    precondition(network.sizes[0] == rows.inputs && network.sizes[network.sizes.count - 1] == 2 * rows.outputs)
    precondition(target.perturbations.isEmpty || target.perturbations.count == 2 * rows.y.count)
    (self.settings, self.rows, self.target, self.stream, self.steps) = (settings, rows, target, stream, steps)
    let vectors = (settings.batch + Lanes.scalarCount - 1) / Lanes.scalarCount
    tile = Activations(network: network, vectors: vectors)
    sums = GradientSums(network)
    targets = Workspace(repeating: .zero, count: rows.outputs * vectors)
    noise = Workspace(repeating: .zero, count: 2 * rows.outputs * vectors)
    precision = prior.deviations.map { 1 / (Float(rows.count) * $0 * $0) }
    gradient = [Float](repeating: 0, count: network.parameters.count)
    adam = Adam(parameters: network.parameters.count)
    order = Array(0..<rows.count)
  }

  mutating func run(_ network: inout Network) -> Double {
    var (loss, count) = (0.0, 0)
    for step in 0..<steps {
      fill()
      sums.reset()
      let mask = settings.dropout > 0 ? HiddenMask(network.sizes, share: settings.dropout, stream, step) : nil
      let thinned = mask.map { $0.thin(network) } ?? network
      thinned.forward(tile)
      let sum = setSlopes()
      thinned.backward(tile, into: sums)
      sums.write(to: &gradient)
      if let mask { mask.thin(&gradient, of: network) }
      addPrior(network)
      let progress = Float(step) / Float(steps)
      let rate = settings.rate * 0.5 * (1 + cosine(progress))
      adam.descend(&network.parameters, gradient: gradient, rate: rate, maximumNorm: 10)
      if step * 10 >= steps * 9 { (loss, count) = (loss + sum, count + 1) }
    }
    return loss / Double(max(1, count * tile.vectors * Lanes.scalarCount * rows.outputs))
  }

  /// cos(pi t) as the same bits everywhere: steps are the same whatever the C library.
  private func cosine(_ t: Float) -> Float {
    let x = Double(t) - 0.5
    let u = Double.pi * x
    let s = u * u
    var series = 1.0 / 6_227_020_800
    series = series * s - 1.0 / 39_916_800
    series = series * s + 1.0 / 362_880
    series = series * s - 1.0 / 5_040
    series = series * s + 1.0 / 120
    series = series * s - 1.0 / 6
    return Float(-(u + u * (series * s)))
  }

  /// The next rows of an endless sequence of shuffled tables.
  private mutating func fill() {
    let width = Lanes.scalarCount
    let (inputs, outputs, vectors) = (rows.inputs, rows.outputs, tile.vectors)
    for r in 0..<vectors * width {
      let place = taken % rows.count
      if place == 0 { shuffle(round: taken / rows.count) }
      let row = order[place]
      let (vector, lane) = (r / width, r % width)
      for i in 0..<inputs { tile.input[i * vectors + vector][lane] = rows.x[row * inputs + i] }
      for o in 0..<outputs {
        targets.start[o * vectors + vector][lane] = rows.y[row * outputs + o]
        if !target.perturbations.isEmpty {
          noise.start[o * vectors + vector][lane] = target.perturbations[row * outputs + o]
          noise.start[(outputs + o) * vectors + vector][lane] = target.perturbations[rows.y.count + row * outputs + o]
        }
      }
      taken += 1
    }
  }

  private mutating func shuffle(round: Int) {
    for i in Swift.stride(from: rows.count - 1, to: 0, by: -1) {
      order.swapAt(i, stream.integer(below: i + 1, at: round * rows.count + i))
    }
  }

  /// Sets the slopes of the mean over the rows; returns the sum of their negative log-likelihoods.
  private func setSlopes() -> Double {
    let (vectors, outputs) = (tile.vectors, rows.outputs)
    let weight = 1 / Float(vectors * Lanes.scalarCount)
    let range = Regression.logScaleRange
    var loss = Lanes.zero
    for o in 0..<outputs {
      for v in 0..<vectors {
        let (m, y) = (o * vectors + v, targets.start[o * vectors + v])
        let raw = tile.output[(outputs + o) * vectors + v]
        let held = settings.isLeastSquares ? .zero : atMost(range.upperBound, atLeast(range.lowerBound, raw))
        let inverse = exponential(-held)
        let z = (tile.output[m] - y) * inverse
        // The perturbed target lies y + s noise: its distance in units of s is z - noise.
        tile.outputSlope[m] = weight * inverse * (z - noise.start[m])
        let slope = 1 - z * z - 1.414_213_6 * noise.start[(outputs + o) * vectors + v]
        // At a bound only a slope that leads back inside counts.
        let isStuck = ((raw .> range.upperBound) .& (slope .< 0)) .| ((raw .< range.lowerBound) .& (slope .> 0))
        tile.outputSlope[(outputs + o) * vectors + v] =
          settings.isLeastSquares ? .zero : (weight * slope).replacing(with: 0, where: isStuck)
        loss += 0.5 * z * z + held + 0.918_938_53
      }
    }
    return Double(loss.sum())
  }

  private mutating func addPrior(_ network: Network) {
    for k in gradient.indices {
      gradient[k] += precision[k] * (network.parameters[k] - (target.centre?[k] ?? 0))
    }
  }
}
