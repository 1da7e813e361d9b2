internal import DaunceEnsemble
internal import DaunceState

/// The observations near every element of a part of the state, with their weights, kept for as long as the same network
/// observes.
struct NeighbourLists {
  /// First of the element's observations (`[elements + 1]`).
  private var starts: [Int] = [0]
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
        for one in found {
          ids.append(one.id)
          weights.append(one.weight)
        }
        starts.append(ids.count)
      }
    }
  }

  /// Observations of the `i`-th element, and their weights.
  func neighbours(_ i: Int) -> (ids: ArraySlice<Int32>, weights: ArraySlice<Double>) {
    let range = starts[i]..<starts[i + 1]
    return (ids[range], weights[range])
  }
}
