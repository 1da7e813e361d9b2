internal import DaunceEnsemble
internal import DaunceState

/// The observations near every element of a part of the state, with their weights, kept for as long as the same network
/// observes. Elements one after the other that have the same ones, as all have without localization, share their list.
struct NeighbourLists {
  /// Where each element's observations are in the lists (`[element]`).
  private var ranges: [Range<Int>] = []
  /// Numbers of observations, ascending for each element, and their weights.
  private var ids: [Int32] = []
  private var weights: [Double] = []

  /// - Parameter tiles: consecutive ones.
  init(
    _ localization: DistanceLocalization, layout: StateLayout, observed: ObservedEnsemble,
    tiles: ArraySlice<StatePartition.Tile>
  ) {
    let search = LocalSearch(localization, layout: layout, observed: observed)
    var scratch = LocalSearch.Scratch()
    for tile in tiles {
      search.forEach(in: tile, scratch: &scratch) { _, found in
        if let last = ranges.last, isList(last, found) { return ranges.append(last) }
        let start = ids.count
        for one in found {
          ids.append(one.id)
          weights.append(one.weight)
        }
        ranges.append(start..<ids.count)
      }
    }
  }

  private func isList(_ range: Range<Int>, _ found: [(id: Int32, weight: Double)]) -> Bool {
    range.count == found.count && zip(range, found).allSatisfy { ids[$0] == $1.id && weights[$0] == $1.weight }
  }

  /// Observations of the `i`-th element, and their weights.
  func neighbours(_ i: Int) -> (ids: ArraySlice<Int32>, weights: ArraySlice<Double>) {
    (ids[ranges[i]], weights[ranges[i]])
  }
}
