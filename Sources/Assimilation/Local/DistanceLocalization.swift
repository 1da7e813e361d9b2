internal import DaunceEnsemble
internal import DaunceState

/// How far observations of each kind act on each field, by distance: Gaspari-Cohn with a half-width for each direction.
public struct DistanceLocalization: Sendable, Hashable {
  /// The reach of one kind of observation in one field.
  public enum Reach: Sendable, Hashable {
    /// It does not act on the field.
    case off
    /// It acts everywhere, undamped.
    case everywhere
    /// Half-widths, one for each direction of the geometry, in its units; the support ends at two of them.
    case within([Double])
  }

  /// `[kind][field]`
  public let reaches: [[Reach]]
  /// Reach of one kind in what another kind observes, for serial filters (`[kind][kind]`).
  public let observed: [[Reach]]

  /// - Parameter observed: `[kind][kind]`.
  public init(reaches: [[Reach]], observed: [[Reach]]) {
    self.reaches = reaches
    self.observed = observed
  }

  /// No localization at all.
  public static func none(kinds: Int, fields: Int) -> Self {
    Self(
      reaches: [[Reach]](repeating: [Reach](repeating: .everywhere, count: fields), count: kinds),
      observed: [[Reach]](repeating: [Reach](repeating: .everywhere, count: kinds), count: kinds))
  }
}

/// Finds the observations near state elements, with their weights.
struct LocalSearch {
  /// Observations that share their half-widths.
  private struct Group {
    let metric: Metric?
    let index: PlaceIndex?
    /// Numbers of its observations, ascending.
    let observations: [Int32]
  }

  /// Gaspari-Cohn ends at two half-widths.
  private static let support = 2.0

  /// By field.
  private let groups: [[Group]]
  private let layout: StateLayout

  init(_ localization: DistanceLocalization, layout: StateLayout, observed: ObservedEnsemble) {
    self.layout = layout
    var cache: [[DistanceLocalization.Reach]: [Group]] = [:]
    groups = layout.fields.indices.map { field in
      let column = localization.reaches.map { $0[field] }
      if let known = cache[column] { return known }
      var members: [DistanceLocalization.Reach: [Int32]] = [:]
      for k in 0..<observed.count { members[column[Int(observed.kinds[k])], default: []].append(Int32(k)) }
      // In the order of their first observations, so that nothing depends on the order of a dictionary.
      let ordered = members.filter { $0.key != .off }.sorted { $0.value[0] < $1.value[0] }
      let made = ordered.map { reach, observations in
        guard case .within(let widths) = reach else { return Group(metric: nil, index: nil, observations: observations) }
        let metric = Metric(layout.geometry, widths: widths)
        let index = PlaceIndex(observations.map { observed.places[Int($0)] }, metric: metric, reach: Self.support)
        return Group(metric: metric, index: index, observations: observations)
      }
      cache[column] = made
      return made
    }
  }

  /// Scratch of one search.
  struct Scratch {
    var candidates: [Int32] = []
    var embedded: [SIMD4<Double>] = []
    var found: [(id: Int32, weight: Double)] = []
  }

  /// Finds the observations of every element of a tile.
  ///
  /// - Parameter body: gets an element's place in the tile, and its observations in ascending order with their weights,
  ///   all positive.
  func forEach(
    in tile: StatePartition.Tile, scratch: inout Scratch,
    _ body: (_ place: Int, _ found: [(id: Int32, weight: Double)]) -> Void
  ) {
    let groups = groups[tile.field]
    let grid = layout.grid(tile.field)
    let first = tile.elements.lowerBound - layout.offsets[tile.field]
    let count = tile.elements.count
    // One group, the usual case, is found element by element; several are merged by number.
    var lists = [[(id: Int32, weight: Double)]](repeating: [], count: groups.count > 1 ? count : 0)
    for group in groups {
      guard let metric = group.metric, let index = group.index else {
        for place in 0..<count {
          let all = group.observations.map { (id: $0, weight: 1.0) }
          if groups.count > 1 { lists[place] += all } else { body(place, all) }
        }
        continue
      }
      scratch.embedded.removeAll(keepingCapacity: true)
      var low = SIMD4<Double>(repeating: .infinity)
      var high = SIMD4<Double>(repeating: -.infinity)
      var nowhere = SIMDMask<SIMD4<Int64>>(repeating: false)
      for cell in first..<first + count {
        let place = metric.embed(grid.place(of: cell))
        scratch.embedded.append(place)
        low = low.replacing(with: place, where: place .< low)
        high = high.replacing(with: place, where: place .> high)
        nowhere = nowhere .| (place .!= place)
      }
      low.replace(with: .nan, where: nowhere)
      high.replace(with: .nan, where: nowhere)
      index.candidates(low: low, high: high, into: &scratch.candidates)
      for place in 0..<count {
        scratch.found.removeAll(keepingCapacity: true)
        let at = scratch.embedded[place]
        for candidate in scratch.candidates {
          let squared = metric.squaredDistance(at, index.embedded[Int(candidate)])
          guard squared < Self.support * Self.support else { continue }
          let weight = GaspariCohn.value(squared.squareRoot())
          if weight > 0 { scratch.found.append((group.observations[Int(candidate)], weight)) }
        }
        if groups.count > 1 { lists[place] += scratch.found } else { body(place, scratch.found) }
      }
    }
    if groups.isEmpty { for place in 0..<count { body(place, []) } }
    if groups.count > 1 { for place in 0..<count { body(place, lists[place].sorted { $0.id < $1.id }) } }
  }
}
