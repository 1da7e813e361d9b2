internal import DaunceObservations
internal import DaunceState

/// Which elements of the extended state each observation of a network acts on, and how much: everything about places and
/// operators that a filter needs, prepared once for a network.
final class ObservationReach {
  let extended: StateExtension
  /// Runs of the first observation, then of the second, ...: of each, state elements in ascending order, then carried
  /// observations from the observation itself on, for those before had their turn.
  let runs: [Run]
  /// Localization weights, and room for a vector behind the last.
  let weights: [Double]
  /// First run of each observation (`[observation + 1]`).
  let starts: [Int]
  /// First of each observation's runs behind the state (`[observation]`).
  let carriedStarts: [Int]
  /// Where each run begins when all are laid end to end, and their length (`[runs + 1]`).
  let places: [Int]
  /// Elements of the longest run.
  let longest: Int
  /// Whether any observation acts on another field than the one it is an element of.
  let crossesFields: Bool
  /// Address of each observation's random numbers, which those of other elements don't change (`[observation]`).
  let addresses: [Int]
  /// Place of every observation's element in the run of another one; see ``place(of:around:)`` (`[k][l]`, k <= l).
  private(set) lazy var crossings: [Int32] = makeCrossings()

  var count: Int { extended.elements.count }

  /// - Throws: `AssimilationError` for an element that the state doesn't have or a kind that the localization doesn't
  ///   know.
  init(
    _ network: ObservationNetwork, localization: DistanceLocalization, search: CellSearch
  ) throws(AssimilationError) {
    let layout = search.layout
    extended = StateExtension(network, stateCount: layout.count)
    for (k, element) in extended.elements.enumerated() where !(0..<extended.count).contains(element) {
      throw .observedElement(found: network.rows.element(k) ?? element, elements: layout.count)
    }
    for kind in network.kinds where !localization.reaches.indices.contains(Int(kind)) {
      throw .kind(found: Int(kind), kinds: localization.reaches.count)
    }
    var builder = Builder(extended, localization, search)
    for k in 0..<network.count { builder.add(k) }
    builder.starts.append(builder.runs.count)
    runs = builder.runs
    weights = builder.weights + [Double](repeating: 0, count: EnsembleAnomalies.padding)
    (starts, carriedStarts, crossesFields) = (builder.starts, builder.carriedStarts, builder.crossesFields)
    places = runs.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    longest = runs.reduce(0) { max($0, $1.count) }
    var seen: [Int: Int] = [:]
    addresses = (0..<network.count).map { k in
      let element = network.rows.firstElement(k) ?? 0
      let repeats = seen[element, default: 0]
      seen[element] = repeats + 1
      return repeats * layout.count + element
    }
  }

  /// Runs of observation `k`: of state elements, or of all.
  @inline(__always)
  func runs(of k: Int, carried: Bool = true) -> Range<Int> {
    starts[k]..<(carried ? starts[k + 1] : carriedStarts[k])
  }

  /// Marks the elements in reach of observations that are used (`[extended element]`, `[observation]`).
  func mark(_ reached: inout [Bool], used: [Bool]) {
    reached.withUnsafeMutableBufferPointer { reached in
      reached.update(repeating: false)
      for k in 0..<count where used[k] {
        for run in runs(of: k) {
          for i in runs[run].element..<runs[run].element + runs[run].count { reached[i] = true }
        }
      }
    }
  }

  /// Where an element lies among the runs laid end to end, looked up in those of observation `k`; `nil` out of reach.
  func place(of element: Int, around k: Int) -> Int? {
    var (low, high) = (starts[k], starts[k + 1])
    while low < high {
      let middle = (low + high) / 2
      let run = runs[middle]
      if element < run.element {
        high = middle
      } else if element >= run.element + run.count {
        low = middle + 1
      } else {
        return places[middle] + element - run.element
      }
    }
    return nil
  }

  private func makeCrossings() -> [Int32] {
    (0..<count).flatMap { k in
      (k..<count).map { l in place(of: extended.elements[l], around: k).map(Int32.init) ?? -1 }
    }
  }

  /// Collects the runs.
  private struct Builder {
    let extended: StateExtension
    let localization: DistanceLocalization
    let search: CellSearch
    var runs: [Run] = []
    var weights: [Double]
    var starts: [Int] = []
    var carriedStarts: [Int] = []
    var crossesFields = false
    private var network: ObservationNetwork { extended.network }
    private let carriedKinds: [Int]
    private var indices: [[Double]: PlaceIndex] = [:]

    init(_ extended: StateExtension, _ localization: DistanceLocalization, _ search: CellSearch) {
      (self.extended, self.localization, self.search) = (extended, localization, search)
      carriedKinds = extended.carried.map { Int(extended.network.kinds[$0]) }
      // The weights of all that act everywhere.
      let isEverywhere = (localization.reaches + localization.observed).contains { $0.contains(.everywhere) }
      let longest = search.layout.grids.reduce(extended.carried.count) { max($0, $1.cells) }
      weights = [Double](repeating: 1, count: isEverywhere ? longest : 0)
    }

    mutating func add(_ k: Int) {
      starts.append(runs.count)
      addState(k)
      carriedStarts.append(runs.count)
      addCarried(k)
    }

    private mutating func addState(_ k: Int) {
      let layout = search.layout
      let row = localization.reaches[Int(network.kinds[k])]
      let own = extended.elements[k] < layout.count ? layout.cell(of: extended.elements[k]).field : nil
      for (field, reach) in row.enumerated() where reach != .off {
        if field != own { crossesFields = true }
        let (grid, offset) = (layout.fields[field].grid, layout.offsets[field])
        switch reach {
        case .off: break
        case .everywhere: runs.append(Run(element: offset, count: layout.range(field).count, weight: 0))
        case .within(let widths):
          // Fields on one grid with one reach share their weights.
          if let twin = (0..<field).first(where: { row[$0] == reach && layout.fields[$0].grid == grid }) {
            let cells = layout.range(twin)
            for r in starts[k]..<runs.count where cells.contains(runs[r].element) {
              let run = runs[r]
              runs.append(Run(element: run.element - cells.lowerBound + offset, count: run.count, weight: run.weight))
            }
          } else {
            let first = runs.count
            search.append(grid, near: network.places[k], widths: widths, to: &runs, weights: &weights)
            for r in first..<runs.count {
              runs[r] = Run(element: runs[r].element + offset, count: runs[r].count, weight: runs[r].weight)
            }
          }
        }
      }
    }

    /// Carried observations from `k` on that `k` acts on.
    private mutating func addCarried(_ k: Int) {
      guard let last = extended.carried.last, last >= k else { return }
      let row = localization.observed[Int(network.kinds[k])]
      let n = extended.stateCount
      if row.allSatisfy({ $0 == .everywhere }), let first = extended.carried.firstIndex(where: { $0 >= k }) {
        return runs.append(Run(element: n + first, count: extended.carried.count - first, weight: 0))
      }
      var found: [(q: Int, weight: Double)] = []
      for (kind, reach) in row.enumerated() where !row[..<kind].contains(reach) {
        switch reach {
        case .off: continue
        case .everywhere:
          for (q, own) in carriedKinds.enumerated() where row[own] == reach { found.append((q, 1)) }
        case .within(let widths):
          let index = index(widths)
          let at = index.metric.embed(network.places[k])
          var candidates: [Int32] = []
          index.candidates(low: at, high: at, into: &candidates)
          for q in candidates.map(Int.init) where row[carriedKinds[q]] == reach {
            if let weight = index.weight(at, q) { found.append((q, weight)) }
          }
        }
      }
      var builder = RunBuilder()
      for (q, weight) in found.sorted(by: { $0.q < $1.q }) where extended.carried[q] >= k {
        builder.add(n + q, weight, to: &runs, weights: &weights)
      }
      builder.finish(&runs)
    }

    private mutating func index(_ widths: [Double]) -> PlaceIndex {
      if let known = indices[widths] { return known }
      let places = extended.carried.map { network.places[$0] }
      let made = PlaceIndex(
        places, metric: Metric(search.layout.geometry, widths: widths), reach: CellSearch.support)
      indices[widths] = made
      return made
    }
  }
}
