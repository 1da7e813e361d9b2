internal import DaunceState

/// Finds the observations near an observation, with their weights: what a serial filter updates in observation space.
struct ObservationSearch {
  fileprivate struct Group {
    let metric: Metric?
    let index: PlaceIndex?
    /// Ascending.
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

  /// Observations and their weights, and what a search needs besides.
  struct Found {
    fileprivate(set) var ids: [Int32] = []
    fileprivate(set) var weights: [Double] = []
    private var candidates: [Int32] = []

    fileprivate mutating func removeAll() {
      ids.removeAll(keepingCapacity: true)
      weights.removeAll(keepingCapacity: true)
    }

    fileprivate mutating func add(_ group: Group, from next: Int, at place: Place) {
      guard let metric = group.metric, let index = group.index else {
        ids.append(contentsOf: group.observations[next...])
        weights.append(contentsOf: repeatElement(1, count: group.observations.count - next))
        return
      }
      let at = metric.embed(place)
      index.unsortedCandidates(low: at, high: at, from: Int32(next), into: &candidates)
      for candidate in candidates {
        let squared = metric.squaredDistance(at, index.embedded[Int(candidate)])
        guard squared < 4 else { continue }
        let weight = GaspariCohn.value(squared.squareRoot())
        guard weight > 0 else { continue }
        ids.append(group.observations[Int(candidate)])
        weights.append(weight)
      }
    }
  }

  /// Finds the observations behind observation `k` and in its reach, in no particular order.
  func find(behind k: Int, into found: inout Found) {
    found.removeAll()
    for group in groups[Int(observed.kinds[k])] {
      let next = PlaceIndex.firstIndex(in: group.observations[...], from: Int32(k) + 1)
      found.add(group, from: next, at: observed.places[k])
    }
  }
}
