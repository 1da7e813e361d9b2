import DaunceNumerics
package import DaunceState

/// The grid that agents act on, cell by cell, and what they see of a state there: fields of this grid as they are,
/// those of other grids at the cell nearest to each of its cells.
package final class AgentGrid {
  package let layout: StateLayout
  /// Its number in the layout.
  package let number: Int
  package let cells: Int
  /// What agents see around a cell of everything that they control or that is observed.
  package let window: Neighbourhood
  /// What they see around it of the ensemble's mean: three cells along each dimension.
  package let vicinity: Neighbourhood
  /// Where every cell is, from -1 to 1 along each dimension of space (`[dimension][cell]`).
  package let positions: [[Float]]
  /// For each field of another grid its cell nearest to each cell of this one.
  private let sources: [Workspace<Int32>?]
  /// Values of such fields at this grid's cells, for up to three states.
  private let gathered: Workspace<Double>

  package init(_ layout: StateLayout, grid number: Int, window width: Int) {
    let grid = layout.grids[number]
    (self.layout, self.number, cells) = (layout, number, grid.cells)
    window = Neighbourhood(grid, geometry: layout.geometry, width: width)
    vicinity = Neighbourhood(grid, geometry: layout.geometry, width: 3)
    positions = Self.positions(of: grid, in: layout.geometry)
    sources = layout.fields.map { field in
      guard field.grid != number else { return nil }
      let nearest = NearestCells(layout.grids[field.grid], geometry: layout.geometry)
      let map = Workspace<Int32>(repeating: 0, count: grid.cells)
      map.copy(from: (0..<grid.cells).map { Int32(nearest.cell(at: grid.place(of: $0))) })
      return map
    }
    gathered = Workspace(repeating: 0, count: sources.contains { $0 != nil } ? 3 * grid.cells : 0)
  }

  /// Values of a field at this grid's cells (`[cell]`), until the next call with the same slot.
  ///
  /// - Parameter slot: 0, 1 or 2, for several states at a time.
  @inline(__always)
  func values(_ field: Int, of state: UnsafePointer<Double>, slot: Int = 0) -> UnsafePointer<Double> {
    let first = state + layout.offsets[field]
    guard let map = sources[field] else { return first }
    let row = gathered.start + slot * cells
    for c in 0..<cells { row[c] = first[Int(map.start[c])] }
    return UnsafePointer(row)
  }

  static func positions(of grid: Grid, in geometry: Geometry) -> [[Float]] {
    guard !grid.places.isEmpty else {
      return grid.dimensions.indices.filter { grid.dimensions[$0].axis != nil }.map { d in
        grid.indices(along: d).map { Float(2 * Double($0) / Double(grid.dimensions[d].length) - 1) }
      }
    }
    return geometry.axes.indices.map { axis in
      let x = grid.places.map { $0.coordinates[axis] }
      let finite = x.filter(\.isFinite)
      let (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
      return x.map { high > low && $0.isFinite ? Float(2 * ($0 - low) / (high - low) - 1) : 0 }
    }
  }
}
