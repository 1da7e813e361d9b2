import DaunceNetworks
import DaunceNumerics
import Glibc

/// The law of the function's own scatter given the input, from the testing rows: p(x | w, z, test_t).
///
/// Network w misses testing row j by e_j = (y_j - f(z_j; w)) / s(z_j; w). At an input z the residuals' law is the rows'
/// own, with weights that fall with their distance from z (a normal kernel): what rows near z were missed by is what a
/// prediction at z will be missed by, in units of the network's own scale there,
///
///     x = f(z; w) + s(z; w) (ebar(z) + c (e_j - ebar(z))) with probability k_j(z).
///
/// The factors c (one an output) are those under which every testing row is most likely given the others. Residuals of
/// network w hold that network's own error too; c < 1 takes it out, for the ensemble brings it in. The kernel's width is the
/// largest that the rows do not speak against: their likelihood falls by less than its standard error below the best width's.
struct TestingResiduals {
  /// Rows of the table, and draws of what they truly are.
  let rows: MeasuredRows
  let draws: Int
  /// Kernel's width of every draw, in working units of the inputs over the root of their number; infinite: all rows count
  /// the same.
  private(set) var widths: [Double] = [.infinity]
  /// Of every draw of the true rows, one an output (`[draw][output]`).
  private(set) var factors: [[Double]]
  /// Standardised residuals of every draw and network, `[output][draw][network][row]`.
  private(set) var residuals: [[Double]]

  /// Sum over the judged rows of the logarithms of their likelihoods given the others.
  private(set) var likelihood = -Double.infinity

  private let networks: [Network]
  private let evaluator: RowEvaluator

  /// Widths that are tried.
  static let triedWidths: [Double] = [0.15, 0.25, 0.4, 0.6, 0.9, 1.3, 2, 3, .infinity]
  /// Rows that width and factors are judged on.
  private static let judged = 500
  /// Fewest rows that a law is made of, as the inverse sum of squared weights.
  private static let fewestRows = 20.0

  /// - Parameters:
  ///   - draws: of the true rows, where these have errors; else one.
  ///   - asMeasured: take the rows as they were measured.
  init(_ rows: MeasuredRows, networks: [Network], draws: Int, seed: UInt64, asMeasured: Bool = false) {
    self.rows = rows
    self.networks = networks
    self.draws = rows.hasErrors && !asMeasured ? draws : 1
    evaluator = RowEvaluator(networks[0])
    factors = [[Double](repeating: 1, count: rows.outputs)]
    residuals = []
    residuals = standardised([rows])
    judge([rows])
    guard rows.hasErrors, !asMeasured else { return }
    let truths = drawTruths(seed: seed)
    residuals = standardised(truths)
    judge(truths)
  }

  /// `[output][draw][network][row]`.
  private func standardised(_ truths: [MeasuredRows]) -> [[Double]] {
    let (n, q) = (rows.count, rows.outputs)
    var all = [[Double]](repeating: [Double](repeating: 0, count: truths.count * networks.count * n), count: q)
    for (b, truth) in truths.enumerated() {
      for (w, network) in networks.enumerated() {
        let own = network.moments(at: truth.x, evaluator)
        for o in 0..<q {
          for j in 0..<n {
            let k = j * q + o
            all[o][(b * networks.count + w) * n + j] = (truth.y[k] - own.location[k]) / own.scale[k]
          }
        }
      }
    }
    return all
  }

  // MARK: Nearness

  /// Weights of all rows at an input, with sum 1. Where too few rows are near, the kernel widens until there are enough.
  ///
  /// - Parameter excluded: a row that does not count.
  func weights(at z: UnsafePointer<Double>, width: Double, without excluded: Int? = nil) -> [Double] {
    let (n, p) = (rows.count, rows.inputs)
    guard width.isFinite else {
      let count = Double(excluded == nil ? n : n - 1)
      return (0..<n).map { $0 == excluded ? 0 : 1 / count }
    }
    var squares = [Double](repeating: 0, count: n)
    var least = Double.infinity
    for j in 0..<n {
      var sum = 0.0
      for i in 0..<p {
        let d = z[i] - rows.x[j * p + i]
        sum += d * d
      }
      squares[j] = sum / Double(p)
      if j != excluded { least = min(least, sum / Double(p)) }
    }
    let enough = min(Self.fewestRows, 0.5 * Double(n))
    var (wide, weights) = (width, squares)
    while true {
      var (sum, sumOfSquares) = (0.0, 0.0)
      let scale = -0.5 / (wide * wide)
      for j in 0..<n {
        let w = j == excluded ? 0 : exponential(max(-700, scale * (squares[j] - least)))
        weights[j] = w
        sum += w
        sumOfSquares += w * w
      }
      guard sum * sum < enough * sumOfSquares, wide < 1e6 else {
        for j in 0..<n { weights[j] /= sum }
        return weights
      }
      wide *= 1.25
    }
  }

  // MARK: True rows

  /// Draws of the true testing rows. The law that they are drawn around is the ensemble's, with a shift and a scatter that
  /// are known no better than the measured rows tell them: each draw has its own. Without that, what all rows together say would
  /// hardly vary from draw to draw.
  private func drawTruths(seed: UInt64) -> [MeasuredRows] {
    let (n, q) = (rows.count, rows.outputs)
    var law = NetworkLaw(networks)
    law.factor = 1
    let state = law.rows.evaluate(rows.x, rows.hasInputErrors)
    // Variance of every row's residual that errors alone make.
    let noise = rows.errorVariances(state.slopes)
    func scatter(_ o: Int, _ residual: (Int) -> Double) -> Double {
      Self.likeliest { factor in
        var sum = 0.0
        for k in stride(from: o, to: n * q, by: q) {
          let variance = factor * factor * state.scale[k] * state.scale[k] + noise[k]
          sum -= 0.5 * (residual(k) * residual(k) / variance + log(variance))
        }
        return sum
      }
    }
    let likeliest = (0..<q).map { o in scatter(o) { rows.y[$0] - state.location[$0] } }
    let near = (0..<n).map { j in
      rows.x.withUnsafeBufferPointer { x in x.baseAddress.map { weights(at: $0 + j * rows.inputs, width: widths[0]) } ?? [] }
    }
    let posterior = RowPosterior(rows)
    return (0..<draws).map { b in
      let stream = RandomStream(seed: seed, purpose: .testingRows, member: b)
      var shift = [Double](repeating: 0, count: n * q)
      // As if all rows had been measured anew: what the scatter would then be.
      let deviations = (0..<n * q).map { k in
        let own = likeliest[k % q] * state.scale[k]
        return (own * own + noise[k]).squareRoot()
      }
      let own = (0..<q).map { o in scatter(o) { deviations[$0] * stream.normal(at: 3 << 29 + $0) } }
      for o in 0..<q {
        let perturbed = (0..<n).map { j in
          let k = j * q + o
          return rows.y[k] - state.location[k] + deviations[k] * stream.normal(at: 1 << 30 + k)
        }
        for j in 0..<n {
          var sum = 0.0
          for l in 0..<n { sum += near[j][l] * perturbed[l] }
          shift[j * q + o] = sum
        }
      }
      let shifted = RowPosterior.Law { x, wantsSlopes in
        var now = law.rows.evaluate(x, wantsSlopes)
        for k in 0..<n * q {
          now.location[k] += shift[k]
          now.scale[k] *= own[k % q]
        }
        return now
      }
      return posterior.draw(shifted, stream: stream)
    }
  }

  // MARK: Width and factors

  /// Chooses the kernel's width and the factors for every draw of the true rows: what the rows tell of them is as uncertain
  /// as the rows are.
  private mutating func judge(_ truths: [MeasuredRows]) {
    let judged = stride(from: 0, to: rows.count, by: max(1, (rows.count + Self.judged - 1) / Self.judged)).map { $0 }
    (widths, factors) = ([], [])
    for (b, truth) in truths.enumerated() {
      let tried = Self.triedWidths.map { moments(truth, draw: b, judged, width: $0) }
      let own = tried.map { $0.map { $0.likeliestFactor() } }
      // Sums over outputs, row by row.
      let likelihoods = zip(tried, own).map { laws, factors in
        zip(laws, factors).map { $0.likelihoods($1) }.reduce([Double](repeating: 0, count: judged.count)) { sum, next in
          zip(sum, next).map { $0 + $1 }
        }
      }
      let chosen = Self.widest(likelihoods)
      if b == 0 { likelihood = likelihoods[chosen].reduce(0, +) }
      widths.append(Self.triedWidths[chosen])
      factors.append(own[chosen])
    }
  }

  /// The last of several lists of log-likelihoods whose sum is less than a standard error of the difference below the best.
  private static func widest(_ likelihoods: [[Double]]) -> Int {
    let sums = likelihoods.map { $0.reduce(0, +) }
    let best = sums.indices.max { sums[$0] < sums[$1] } ?? 0
    let n = Double(likelihoods[best].count)
    return sums.indices.last { k in
      let losses = zip(likelihoods[best], likelihoods[k]).map { $0 - $1 }
      let mean = losses.reduce(0, +) / n
      let variance = losses.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(1, n - 1)
      return n * mean <= (n * variance).squareRoot()
    } ?? best
  }

  /// Means and variances of the judged rows' predictions from the other rows, output by output.
  private func moments(_ truth: MeasuredRows, draw b: Int, _ judged: [Int], width: Double) -> [RowMoments] {
    let (n, p, q, count) = (rows.count, rows.inputs, rows.outputs, networks.count)
    var kernel = [Double](repeating: 0, count: n * judged.count)
    for (g, row) in judged.enumerated() {
      let own = rows.x.withUnsafeBufferPointer { x in
        x.baseAddress.map { weights(at: $0 + row * p, width: width, without: row) } ?? []
      }
      for j in 0..<n { kernel[j * judged.count + g] = own[j] }
    }
    let states = networks.map { $0.moments(at: truth[judged].x, evaluator) }
    return (0..<q).map { o in
      let own = Array(residuals[o][b * count * n..<(b + 1) * count * n])
      let means = product(own, kernel, rows: count, inner: n, columns: judged.count)
      let squares = product(own.map { $0 * $0 }, kernel, rows: count, inner: n, columns: judged.count)
      var law = RowMoments()
      for (g, row) in judged.enumerated() {
        var (mean, square, scatter) = (0.0, 0.0, 0.0)
        for w in 0..<count {
          let (f, s) = (states[w].location[g * q + o], states[w].scale[g * q + o])
          let e = means[w * judged.count + g]
          let x = f + s * e
          mean += x / Double(count)
          square += x * x / Double(count)
          scatter += s * s * max(0, squares[w * judged.count + g] - e * e) / Double(count)
        }
        law.errors.append(truth.y[row * q + o] - mean)
        law.between.append(max(0, square - mean * mean))
        law.within.append(scatter)
      }
      return law
    }
  }

  private func product(_ a: [Double], _ b: [Double], rows: Int, inner: Int, columns: Int) -> [Double] {
    var c = [Double](repeating: 0, count: rows * columns)
    c.withMutableSpan { LinearAlgebra.multiply(a.span, b.span, rows: rows, inner: inner, columns: columns, into: &$0) }
    return c
  }

  /// The number between a fifth and three with the largest likelihood, to a per mille or so.
  static func likeliest(_ likelihood: (Double) -> Double) -> Double {
    var (low, high) = (0.2, 3.0)
    for _ in 0..<3 {
      let points = (0...20).map { low * power(high / low, Double($0) / 20) }
      let values = points.map(likelihood)
      let best = values.indices.max { values[$0] < values[$1] } ?? 0
      (low, high) = (points[max(0, best - 1)], points[min(20, best + 1)])
    }
    return (low * high).squareRoot()
  }
}

/// How well rows are predicted without themselves.
private struct RowMoments {
  /// What was missed; variance of the networks' means; mean of their laws' variances, for the factor 1.
  var errors: [Double] = []
  var between: [Double] = []
  var within: [Double] = []

  /// Logarithms of the rows' likelihoods, but for a constant.
  func likelihoods(_ factor: Double) -> [Double] {
    errors.indices.map { g in
      let variance = max(1e-12, between[g] + factor * factor * within[g])
      return -0.5 * (errors[g] * errors[g] / variance + log(variance))
    }
  }

  func likeliestFactor() -> Double { TestingResiduals.likeliest { likelihoods($0).reduce(0, +) } }
}

extension MeasuredRows {
  /// Variance of every output's distance from a function's value at the measured inputs that errors alone make
  /// (`[row][output]`).
  ///
  /// - Parameter slopes: the function's (`[row][output][input]`); empty where inputs are exact.
  func errorVariances(_ slopes: [Double]) -> [Double] {
    (0..<count * outputs).map { k in
      var sum = yError[k] * yError[k]
      guard !slopes.isEmpty else { return sum }
      let row = k / outputs
      for i in 0..<inputs {
        let d = slopes[k * inputs + i] * xError[row * inputs + i]
        sum += d * d
      }
      return sum
    }
  }
}
