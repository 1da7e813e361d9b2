import DaunceAssimilation
import DaunceEnsemble
import DaunceNumerics
import DaunceState

/// A Gaussian prior on a plane of 5 x 8 cells, every other cell observed, with Kalman's answer.
struct PlaneKalman {
  let layout = StateLayout(
    geometry: Geometry(axes: [Axis(name: "x"), Axis(name: "y")]),
    grids: [
      Grid([
        .init(name: "y", axis: 1, coordinates: [0, 1, 2, 3, 4]),
        .init(name: "x", axis: 0, coordinates: [0, 1, 2, 3, 4, 5, 6, 7]),
      ])
    ], fields: [Field(name: "t")])
  let n = 40
  let observed = Array(stride(from: 0, to: 40, by: 2))
  let r = 0.3
  let values: [Double]
  /// exp(-d / 2), row-major.
  let prior: [Double]
  let mean: [Double]
  let covariance: [Double]

  init() {
    let grid = layout.grids[0]
    var prior = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0..<n {
        let difference = grid.place(of: i).coordinates - grid.place(of: j).coordinates
        let distance = (difference[0] * difference[0] + difference[1] * difference[1]).squareRoot()
        prior[i * n + j] = Double.minimum(1, Self.decay(distance))
      }
    }
    self.prior = prior
    values = observed.map { Double(($0 * 7) % 11) / 5 - 1 }
    // One observation after the other is exact for independent errors.
    var (analysis, p) = ([Double](repeating: 0, count: 40), prior)
    for (k, j) in observed.enumerated() {
      let gain = (0..<40).map { p[$0 * 40 + j] / (p[j * 40 + j] + 0.3) }
      let innovation = values[k] - analysis[j]
      let row = (0..<40).map { p[j * 40 + $0] }
      for i in 0..<n {
        analysis[i] += gain[i] * innovation
        for l in 0..<n { p[i * n + l] -= gain[i] * row[l] }
      }
    }
    mean = analysis
    covariance = p
  }

  private static func decay(_ distance: Double) -> Double {
    // exp(-d / 2) by its series of halved arguments: no library needed.
    var (term, sum) = (1.0, 1.0)
    for k in 1..<60 {
      term *= -distance / 2 / Double(k)
      sum += term
    }
    return sum
  }

  /// The prior's samples after an analysis (`[cell][stride]`).
  private func analyse(_ analysis: LocalAnalysis, members: Int) throws -> PartialEnsemble {
    let factor = PivotedCholesky(prior.span, order: n)
    let part = PartialEnsemble(elements: 0..<n, members: members)
    for m in 0..<members {
      let stream = RandomStream(seed: 5, purpose: .test, member: m)
      let normals = (0..<factor.rank).map { stream.normal(at: $0) }
      for i in 0..<n { part.row(i)[m] = normals.indices.reduce(0) { $0 + factor.root[i * factor.rank + $1] * normals[$1] } }
    }
    let memberValues = (0..<members).flatMap { m in observed.map { part.row($0)[m] } }
    let ensemble = ObservedEnsemble(
      places: observed.map { layout.grids[0].place(of: $0) }, kinds: observed.map { _ in 0 }, values: values,
      errorVariances: observed.map { _ in r }, memberValues: memberValues, members: members)
    try analysis.update(
      part, tiles: StatePartition(layout, ranks: 1).tiles[...], observed: ensemble,
      localization: .none(kinds: 1, fields: 1))
    return part
  }

  private func moments(of part: PartialEnsemble) -> (mean: [Double], covariance: [Double]) {
    let members = part.members
    let mean = (0..<n).map { i in (0..<members).reduce(0) { $0 + part.row(i)[$1] } / Double(members) }
    var covariance = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0..<n {
        let sum = (0..<members).reduce(0) { $0 + (part.row(i)[$1] - mean[i]) * (part.row(j)[$1] - mean[j]) }
        covariance[i * n + j] = sum / Double(members - 1)
      }
    }
    return (mean, covariance)
  }

  /// Of ten members by the transform.
  func moments(
    rotates: Bool, inflation: Inflation
  ) throws -> (mean: [Double], covariance: [Double], members: [Double]) {
    let part = try analyse(
      LocalAnalysis(layout: layout, method: .transform, inflation: inflation, rotates: rotates), members: 10)
    let moments = moments(of: part)
    return (moments.mean, moments.covariance, (0..<n).map { part.row($0)[0] })
  }

  /// Errors of the analysis mean (root mean square) and of the covariance (against the exact one's size).
  func error(of method: LocalAnalysis.Method, members: Int) throws -> (mean: Double, covariance: Double) {
    let found = moments(of: try analyse(LocalAnalysis(layout: layout, method: method), members: members))
    let meanError = zip(found.mean, mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let difference = zip(found.covariance, covariance).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let size = covariance.reduce(0) { $0 + $1 * $1 }
    return ((meanError / Double(n)).squareRoot(), (difference / size).squareRoot())
  }
}
