import DaunceAssimilation
import DaunceEnsemble
import DaunceNumerics
import DaunceObservations
import DaunceState

/// Three fields on staggered grids of a plane, periodic along x, with observations of many kinds: a problem for filters
/// and, in plain loops over all pairs, what they should find.
struct StaggeredPlane {
  static let t = 0, u = 1, v = 2, absolute = 3, speed = 4, logarithm = 5
  /// The field whose localization each kind has.
  static let base = [0, 1, 2, 0, 1, 0]
  static let operators = [
    ObservationOperator(fields: [0]), ObservationOperator(fields: [1]), ObservationOperator(fields: [2]),
    ObservationOperator(fields: [0], function: .absolute), ObservationOperator(fields: [1, 2], combination: .norm),
    ObservationOperator(fields: [0], function: .logarithm),
  ]
  /// Half-widths along x and y between fields; none: no influence; empty: everywhere.
  static let widths: [[[Double]?]] = [
    [[1.6, 1.3], [1.2, 1.0], nil], [[1.2, 1.0], [2, 2], []], [nil, [], [1.6, 1.3]],
  ]

  let members = 7
  let layout = StateLayout(
    geometry: Geometry(axes: [Axis(name: "x", period: 6), Axis(name: "y")]),
    grids: [grid(x: 0, y: 0, rows: 5), grid(x: 0.5, y: 0, rows: 5), grid(x: 0, y: 0.5, rows: 4)],
    fields: [
      Field(name: "t", lowerBound: -0.4, upperBound: 0.9, grid: 0), Field(name: "u", grid: 1),
      Field(name: "v", grid: 2),
    ])
  /// `[member][element]`
  let states: [Double]
  let localization: DistanceLocalization

  private static func grid(x: Double, y: Double, rows: Int) -> Grid {
    Grid([
      .init(name: "y", axis: 1, coordinates: (0..<rows).map { Double($0) + y }),
      .init(name: "x", axis: 0, coordinates: (0..<6).map { Double($0) + x }),
    ])
  }

  init() {
    let n = layout.count
    states = (0..<members).flatMap { m in
      let stream = RandomStream(seed: 3, purpose: .test, member: m)
      return (0..<n).map { 0.3 * stream.normal(at: $0) + 0.4 * stream.normal(at: 500 + $0 % 6) + 0.2 }
    }
    func reach(_ a: Int, _ b: Int) -> DistanceLocalization.Reach {
      guard let widths = Self.widths[a][b] else { return .off }
      return widths.isEmpty ? .everywhere : .within(widths)
    }
    localization = DistanceLocalization(
      reaches: Self.base.map { a in (0..<3).map { reach(a, $0) } },
      observed: Self.base.map { a in Self.base.map { reach(a, $0) } })
  }

  /// Observations of kinds at places.
  func observe(_ list: [(kind: Int, x: Double, y: Double)]) -> ObservationSet {
    var builder = RowBuilder(layout)
    var rows = ObservationRows()
    for one in list {
      let operation = Self.operators[one.kind]
      rows.append(builder.rows(of: operation, at: Place([one.x, one.y])) ?? [], by: operation)
    }
    return ObservationSet(
      ObservationNetwork(
        rows: rows, kinds: list.map { Int32($0.kind) }, places: list.map { Place([$0.x, $0.y]) }),
      values: list.indices.map { 0.3 + 0.1 * Double($0 % 5) },
      errorVariances: list.indices.map { 0.02 + 0.01 * Double($0 % 3) })
  }

  /// Elements of all fields, and between them places, absolute values and speeds.
  var everything: ObservationSet {
    observe([
      (Self.t, 1, 1), (Self.absolute, 0, 0), (Self.u, 2.5, 1), (Self.speed, 1.2, 1.1), (Self.t, 2.3, 1.7),
      (Self.absolute, 5, 4), (Self.v, 4, 1.5), (Self.speed, 3.4, 2.2), (Self.t, 1, 1), (Self.u, 5.5, 3),
      (Self.absolute, 5.4, 3.9), (Self.t, 5, 4), (Self.speed, 0.1, 3.4),
    ])
  }

  // MARK: In plain loops

  /// h(x) of all members (`[member][observation]`).
  func observed(_ observations: ObservationSet, of states: [Double]) -> [[Double]] {
    let n = layout.count
    return (0..<members).map { m in
      let state = Array(states[m * n..<(m + 1) * n])
      return (0..<observations.count).map { observations.network.rows.value($0, of: state.span) }
    }
  }

  func weight(_ a: (Int, Place), _ b: (Int, Place)) -> Double {
    guard let widths = Self.widths[a.0][b.0] else { return 0 }
    if widths.isEmpty { return 1 }
    let difference = a.1.coordinates - b.1.coordinates
    let x = (difference[0] - 6 * (difference[0] / 6).rounded()) / widths[0]
    let y = difference[1] / widths[1]
    return GaspariCohn.value((x * x + y * y).squareRoot())
  }

  /// Field and place of every element, then of every observation.
  func sites(_ observations: ObservationSet) -> [(Int, Place)] {
    (0..<layout.count).map { (layout.cell(of: $0).field, layout.place(of: $0)) }
      + (0..<observations.count).map {
        (Self.base[Int(observations.network.kinds[$0])], observations.network.places[$0])
      }
  }

  /// Localized covariance of all elements and all observations' h(x), row-major, and its order.
  func covariance(_ states: [Double], _ observations: ObservationSet) -> (matrix: [Double], order: Int) {
    let n = layout.count
    let seen = observed(observations, of: states)
    let rows = (0..<members).flatMap { m in Array(states[m * n..<(m + 1) * n]) + seen[m] }
    let order = n + observations.count
    let sample = moments(rows, members: members).covariance
    let sites = sites(observations)
    return ((0..<order * order).map { sample[$0] * weight(sites[$0 / order], sites[$0 % order]) }, order)
  }

  /// Anderson's serial filter on states extended by all observations' h(x).
  func serial(_ observations: ObservationSet) -> [Double] {
    let n = layout.count
    let seen = observed(observations, of: states)
    var x = (0..<members).map { m in Array(states[m * n..<(m + 1) * n]) + seen[m] }
    let sites = sites(observations)
    for k in 0..<observations.count {
      let y = x.map { $0[n + k] }
      let mean = y.reduce(0, +) / Double(members)
      let sum = y.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let (variance, r) = (sum / Double(members - 1), observations.errorVariances[k])
      let shift = variance / (variance + r) * (observations.values[k] - mean)
      let shrink = (r / (variance + r)).squareRoot() - 1
      let changes = y.map { shift + shrink * ($0 - mean) }
      for e in sites.indices {
        let average = x.reduce(0) { $0 + $1[e] } / Double(members)
        let g =
          weight(sites[n + k], sites[e])
          * (0..<members).reduce(0) { $0 + (x[$1][e] - average) * (y[$1] - mean) } / sum
        for m in 0..<members { x[m][e] += g * changes[m] }
      }
    }
    return x.flatMap { $0[..<n] }
  }

  /// The serial filter element by element.
  func local(_ observations: ObservationSet, _ inflation: Inflation = .none) throws -> [Double] {
    let n = layout.count
    let part = PartialEnsemble(elements: 0..<n, members: members)
    for i in 0..<n { for m in 0..<members { part.row(i)[m] = states[m * n + i] } }
    let seen = ObservedEnsemble(
      places: observations.network.places, kinds: observations.network.kinds, values: observations.values,
      errorVariances: observations.errorVariances, memberValues: observed(observations, of: states).flatMap { $0 },
      members: members)
    try LocalAnalysis(layout: layout, method: .eakf, inflation: inflation).update(
      part, tiles: StatePartition(layout, ranks: 1).tiles[...], observed: seen, localization: localization)
    return (0..<members).flatMap { m in (0..<n).map { part.row($0)[m] } }
  }
}

/// Solution of A x = b by Gaussian elimination, A row-major and positive definite.
func solution(_ a: [Double], _ b: [Double]) -> [Double] {
  var (a, b) = (a, b)
  let n = b.count
  for i in 0..<n {
    for r in (i + 1)..<max(i + 1, n) {
      let factor = a[r * n + i] / a[i * n + i]
      for c in i..<n { a[r * n + c] -= factor * a[i * n + c] }
      b[r] -= factor * b[i]
    }
  }
  for i in stride(from: n - 1, through: 0, by: -1) {
    for c in (i + 1)..<max(i + 1, n) { b[i] -= a[i * n + c] * b[c] }
    b[i] /= a[i * n + i]
  }
  return b
}
