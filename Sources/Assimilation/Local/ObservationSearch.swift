internal import DaunceState

/// Finds the observations near an observation, with their weights: what a serial filter updates in observation space.
struct ObservationSearch {
  private struct Group {
    let metric: Metric?
    let index: PlaceIndex?
    let observations: [Int32]
  }

  /// By kind of the observation that acts.
  private let groups: [[Group]]
  private let observed: ObservedEnsemble

  init(_ localization: DistanceLocalization, geometry: Geometry, observed: ObservedEnsemble) {
    self.observed = observed
    var byKind = [[Int32]](repeating: [], count: localization.observed.count)
    for k in 0..<observed.count { byKind[Int(observed.kinds[k])].append(Int32(k)) }
    var cache: [[DistanceLocalization.Reach]: [Group]] = [:]
    groups = localization.observed.map { row in
      if let known = cache[row] { return known }
      var made: [Group] = []
      var reaches: [DistanceLocalization.Reach] = []
      for reach in row where reach != .off && !reaches.contains(reach) { reaches.append(reach) }
      for reach in reaches {
        let observations = row.indices.filter { row[$0] == reach }.flatMap { byKind[$0] }.sorted()
        guard case .within(let widths) = reach else {
          made.append(Group(metric: nil, index: nil, observations: observations))
          continue
        }
        let metric = Metric(geometry, widths: widths)
        let places = observations.map { observed.places[Int($0)] }
        made.append(
          Group(
            metric: metric, index: PlaceIndex(places, metric: metric, reach: 2), observations: observations))
      }
      cache[row] = made
      return made
    }
  }

  /// Calls `body` for every observation in reach of observation `k`, itself included, in no particular order.
  func forEach(near k: Int, scratch: inout [Int32], _ body: (_ id: Int, _ weight: Double) -> Void) {
    for group in groups[Int(observed.kinds[k])] {
      guard let metric = group.metric, let index = group.index else {
        for id in group.observations { body(Int(id), 1) }
        continue
      }
      let at = metric.embed(observed.places[k])
      index.candidates(low: at, high: at, into: &scratch)
      for candidate in scratch {
        let squared = metric.squaredDistance(at, index.embedded[Int(candidate)])
        guard squared < 4 else { continue }
        let weight = GaspariCohn.value(squared.squareRoot())
        if weight > 0 { body(Int(group.observations[Int(candidate)]), weight) }
      }
    }
  }
}
