public import DaunceState

/// How a state is cut into parts for an update, one part a rank.
///
/// A part is a run of tiles, and tiles depend on the layout alone: what is computed tile by tile has the same bits for
/// any number of ranks.
public struct StatePartition: Sendable {
  /// Most elements of a tile.
  public static let tileLength = 64

  /// Consecutive elements of one field.
  public struct Tile: Sendable, Hashable {
    /// Number of the field.
    public let field: Int
    /// Of the state.
    public let elements: Range<Int>
  }

  /// In the order of elements.
  public let tiles: [Tile]
  /// Number of ranks.
  public let ranks: Int

  /// Divides a layout's elements among so many ranks.
  public init(_ layout: StateLayout, ranks: Int) {
    var tiles: [Tile] = []
    for field in layout.fields.indices {
      let range = layout.range(field)
      for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.tileLength) {
        tiles.append(Tile(field: field, elements: start..<min(start + Self.tileLength, range.upperBound)))
      }
    }
    self.tiles = tiles
    self.ranks = ranks
  }

  /// Numbers of the tiles of a rank's part; sizes differ by one at most.
  public func tiles(of rank: Int) -> Range<Int> {
    tiles.count * rank / ranks..<tiles.count * (rank + 1) / ranks
  }

  /// Elements of a rank's part.
  public func elements(of rank: Int) -> Range<Int> {
    let own = tiles(of: rank)
    guard !own.isEmpty else {
      let end = own.lowerBound < tiles.count ? tiles[own.lowerBound].elements.lowerBound : tiles.last?.elements.upperBound
      return (end ?? 0)..<(end ?? 0)
    }
    return tiles[own.lowerBound].elements.lowerBound..<tiles[own.upperBound - 1].elements.upperBound
  }
}

/// All members of a part of the state: element by element, the members side by side.
public final class PartialEnsemble {
  /// Elements of the state that are here.
  public let elements: Range<Int>
  /// Number of members.
  public let members: Int
  /// Doubles from one element to the next: the members, rounded up to whole vectors. What lies between is zero.
  public let stride: Int
  /// `[element][stride]`
  public let values: UnsafeMutablePointer<Double>

  /// All of so many members' values at a range of the state's elements.
  public init(elements: Range<Int>, members: Int) {
    self.elements = elements
    self.members = members
    stride = Self.stride(of: members)
    let count = max(1, elements.count * stride)
    // Whole vectors are read at their own alignment.
    values = UnsafeMutableRawPointer.allocate(byteCount: count * 8, alignment: 64).bindMemory(
      to: Double.self, capacity: count)
    values.initialize(repeating: 0, count: count)
  }

  deinit { values.deallocate() }

  /// Doubles that the members of one element take.
  public static func stride(of members: Int) -> Int { (members + 3) & ~3 }

  /// The members of an element of this part (`[stride]`).
  public func row(_ element: Int) -> UnsafeMutablePointer<Double> {
    values + (element - elements.lowerBound) * stride
  }
}
