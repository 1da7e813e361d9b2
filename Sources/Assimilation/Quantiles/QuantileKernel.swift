internal import DaunceNumerics
internal import DaunceObservations
internal import DaunceState

/// Which laws priors are taken for, and how what is not observed follows.
public struct QuantileMethod: Sendable, Hashable {
  /// Of every field that has none of its own, and of observed quantities that are no field.
  public var law: PriorLawKind
  /// Of single fields, by their names.
  public var laws: [String: PriorLawKind]
  /// Whether regressions are between normal scores; else between values.
  public var isProbit: Bool
  /// Of kernel densities.
  public var kernels: KernelShape

  /// See the properties.
  public init(
    _ law: PriorLawKind, laws: [String: PriorLawKind] = [:], isProbit: Bool = true, kernels: KernelShape = KernelShape()
  ) {
    (self.law, self.laws, self.isProbit, self.kernels) = (law, laws, isProbit, kernels)
  }
}

/// The quantile-conserving filter (Anderson 2022, 2023): observations one after the other, as in the serial ensemble
/// adjustment, but members of h(x) = h move to where the posterior has their quantile of the prior, whatever its law is,
///
///     F(h' | y) = F(h),
///
/// and elements follow by regression between normal scores, z = Phi^-1(F(x)), each by its own field's law:
///
///     z_x = z_x + rho cov(z_x, z_h) / var(z_h) (z_h' - z_h)
///
/// which leaves every quantity within its bounds. With normal laws it is the EAKF.
final class QuantileKernel: RowKernel {
  private let observed: ObservedEnsemble
  private let method: QuantileMethod
  /// Observations that come later and are near, of every one, and their weights.
  private let later: [(ids: [Int32], weights: [Double])]
  /// Laws of fields, of observed kinds when they are observed, and of these as followers; bounds of both.
  private let fieldLaws, kindLaws, followerLaws: [any PriorLaw]
  private let fieldBounds, kindBounds: [QuantityBounds]
  private let posterior = ScorePosterior()
  private let stride: Int
  /// What observations are regressed on, about its mean, and by how much it moves (`[count][stride]`).
  private let regressors, moves: Workspace<Double>
  /// 1 / sum of squares of the regressor; 0 without spread.
  private var inverses: [Double]
  /// The present h(x) of every observation, about the mean: scores where regressions are between them.
  private let states: Workspace<Double>
  private let values, scores, moved: Workspace<Double>

  init(
    _ observed: ObservedEnsemble, method: QuantileMethod, layout: StateLayout, operators: [ObservationOperator],
    localization: DistanceLocalization
  ) {
    (self.observed, self.method) = (observed, method)
    let members = observed.members
    func law(_ field: Int?) -> any PriorLaw {
      (field.flatMap { method.laws[layout.fields[$0].name] } ?? method.law).make(members: members, kernels: method.kernels)
    }
    func bounds(_ field: Int?) -> QuantityBounds {
      guard let field else { return QuantityBounds() }
      let own = layout.fields[field]
      return QuantityBounds(lower: own.lowerBound ?? -.infinity, upper: own.upperBound ?? .infinity)
    }
    let fields = operators.map(\.boundedField)
    let kinds = localization.reaches.indices.map { $0 < fields.count ? fields[$0] : nil }
    fieldLaws = layout.fields.indices.map { law($0) }
    fieldBounds = zip(layout.fields.indices, fieldLaws).map { $1.knowsBounds ? bounds($0) : QuantityBounds() }
    (kindLaws, followerLaws) = (kinds.map { law($0) }, kinds.map { law($0) })
    kindBounds = zip(kinds, kindLaws).map { $1.knowsBounds ? bounds($0) : QuantityBounds() }
    let search = ObservationSearch(localization, geometry: layout.geometry, observed: observed)
    var found = ObservationSearch.Found()
    later = (0..<observed.count).map { k in
      search.find(behind: k, into: &found)
      return (found.ids, found.weights)
    }
    stride = observed.stride
    func room(_ rows: Int) -> Workspace<Double> { Workspace(repeating: 0, count: rows * observed.stride) }
    (regressors, moves, states) = (room(observed.count), room(observed.count), room(observed.count))
    (values, scores, moved) = (room(1), room(1), room(1))
    inverses = [Double](repeating: 0, count: observed.count)
  }

  func begin(cycle: Int) {
    let members = observed.members
    for k in 0..<observed.count {
      let (row, state, kind) = (observed.anomalies + k * stride, states.start + k * stride, Int(observed.kinds[k]))
      inverses[k] = Lanes4.dot(row, row, stride) > 0 ? 1 : 0
      for m in 0..<members { row[m] = kindBounds[kind].clamp(observed.mean[k] + row[m]) }
      if method.isProbit, inverses[k] > 0 { followerLaws[kind].fit(row, members: members, bounds: kindBounds[kind]) }
      for m in 0..<members { state[m] = method.isProbit && inverses[k] > 0 ? followerLaws[kind].score(of: row[m]) : row[m] }
    }
    for k in 0..<observed.count where inverses[k] > 0 { observe(k) }
  }

  /// Takes one observation, and lets later ones follow.
  private func observe(_ k: Int) {
    let (members, kind) = (observed.members, Int(observed.kinds[k]))
    let (state, law) = (states.start + k * stride, kindLaws[kind])
    if method.isProbit {
      // Scores are those of the law before anything was observed.
      followerLaws[kind].fit(observed.anomalies + k * stride, members: members, bounds: kindBounds[kind])
      for m in 0..<members { values.start[m] = followerLaws[kind].value(at: state[m]) }
    } else {
      for m in 0..<members { values.start[m] = kindBounds[kind].clamp(state[m]) }
    }
    guard memberMoments(values.start, members).variance > 0 else { return inverses[k] = 0 }
    law.fit(values.start, members: members, bounds: kindBounds[kind])
    for m in 0..<members { scores.start[m] = law.score(of: values.start[m]) }
    law.assimilate(
      observed.values[k], error: observed.error(of: k), scores: scores.start, into: moved.start,
      members: members, by: posterior)
    let (regressor, move) = (regressors.start + k * stride, moves.start + k * stride)
    for m in 0..<members {
      regressor[m] = method.isProbit ? scores.start[m] : values.start[m]
      move[m] = method.isProbit ? law.score(of: moved.start[m]) - scores.start[m] : moved.start[m] - values.start[m]
    }
    _ = Lanes4.centre(regressor, members: members)
    let squares = Lanes4.dot(regressor, regressor, stride)
    inverses[k] = squares > 0 ? 1 / squares : 0
    let (ids, weights) = later[k]
    for i in ids.indices { follow(k, weights[i], states.start + Int(ids[i]) * stride) }
  }

  /// Moves scores or values (`[stride]`) by their regression on observation `k`.
  private func follow(_ k: Int, _ weight: Double, _ row: UnsafeMutablePointer<Double>) {
    let slope = weight * inverses[k] * Lanes4.dot(row, regressors.start + k * stride, stride)
    Lanes4.add(slope, moves.start + k * stride, to: row, stride)
  }

  func update(_ group: RowGroup) {
    for r in 0..<group.count {
      guard let row = group.rows[r] else { continue }
      if method.isProbit { followInScores(row, group, r) } else { follow(row, group, r) }
      group.shift(r, by: Lanes4.centre(row, members: group.members))
    }
  }

  private func follow(_ row: UnsafeMutablePointer<Double>, _ group: RowGroup, _ r: Int) {
    for (id, weight) in zip(group.ids[r], group.weights[r]) { follow(Int(id), weight, row) }
  }

  private func followInScores(_ row: UnsafeMutablePointer<Double>, _ group: RowGroup, _ r: Int) {
    guard Lanes4.dot(row, row, stride) > 0 else { return }
    let (members, mean) = (group.members, group.means[r])
    let (law, bounds) = (fieldLaws[group.field], fieldBounds[group.field])
    for m in 0..<members { values.start[m] = bounds.clamp(mean + row[m]) }
    guard memberMoments(values.start, members).variance > 0 else { return }
    law.fit(values.start, members: members, bounds: bounds)
    for m in 0..<members { scores.start[m] = law.score(of: values.start[m]) }
    follow(scores.start, group, r)
    for m in 0..<members { row[m] = law.value(at: scores.start[m]) - mean }
  }
}

extension ObservationOperator {
  /// The field whose values an observation of this kind has, or means of them: within its bounds.
  fileprivate var boundedField: Int? {
    fields.count == 1 && function == .identity && summed.isEmpty ? fields[0] : nil
  }
}
