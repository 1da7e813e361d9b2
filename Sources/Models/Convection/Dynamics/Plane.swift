import DaunceNumerics

/// Neighbouring columns that are stepped at once.
typealias Lanes = SIMD4<Double>
/// First column of a level.
typealias Row = UnsafeMutablePointer<Double>

extension UnsafeMutablePointer<Double> {
  /// Columns `i` to `i + 3`.
  @inline(__always)
  func lanes(_ i: Int) -> Lanes { UnsafeRawPointer(self + i).loadUnaligned(as: Lanes.self) }

  /// Writes columns `i` to `i + 3`.
  @inline(__always)
  func put(_ value: Lanes, _ i: Int) { UnsafeMutableRawPointer(self + i).storeBytes(of: value, as: Lanes.self) }
}

/// Calls `body` for every fourth column from 0 until all of `columns` are covered; the last lanes may lie beyond.
@inline(__always)
func forLanes(_ columns: Int, _ body: (Int) -> Void) {
  var i = 0
  while i < columns {
    body(i)
    i &+= 4
  }
}

/// The larger of a number and 0; a not-a-number stays.
@inline(__always)
func positive(_ x: Lanes) -> Lanes { x.replacing(with: 0, where: x .< 0) }

/// The smaller of two numbers; a not-a-number in `x` stays.
@inline(__always)
func least(_ x: Lanes, _ y: Lanes) -> Lanes { x.replacing(with: y, where: y .< x) }

/// The larger of two numbers; a not-a-number in `x` stays.
@inline(__always)
func greatest(_ x: Lanes, _ y: Lanes) -> Lanes { x.replacing(with: y, where: y .> x) }

/// Number of cells, their size, and how a plane of them lies in memory.
struct Mesh {
  /// Along x, a ring.
  let columns: Int
  /// Along z, from the ground to the lid.
  let levels: Int
  /// In metres.
  let dx, dz: Double
  /// Elements from one level to the next: columns, and copies of columns of the other end on either side.
  let stride: Int

  /// Columns that are repeated before the first one.
  static let halo = 4
  /// Levels below the ground and above the lid.
  static let ghosts = 2

  init(columns: Int, levels: Int, dx: Double, dz: Double) {
    (self.columns, self.levels, self.dx, self.dz) = (columns, levels, dx, dz)
    stride = Self.halo + (columns + 4) / 4 * 4 + Self.halo
  }

  /// Elements of a plane that has a level more than there are of cells, for faces.
  var planeCount: Int { (levels + 1 + 2 * Self.ghosts) * stride }
}

/// Values of all cells or faces of a mesh in scratch memory.
struct Plane {
  private let first: Row
  private let mesh: Mesh

  /// - Parameter memory: `mesh.planeCount` elements.
  init(_ memory: Row, _ mesh: Mesh) {
    first = memory + (Mesh.ghosts * mesh.stride + Mesh.halo)
    self.mesh = mesh
  }

  /// Level `k`, from -2 to two beyond the last face.
  @inline(__always)
  subscript(k: Int) -> Row { first + k * mesh.stride }

  /// Copies the columns of either end of a level beyond the other.
  @inline(__always)
  func wrap(_ k: Int) {
    let (row, n) = (self[k], mesh.columns)
    row.put((row + n).lanes(-Mesh.halo), -Mesh.halo)
    var i = 0
    while n + i < mesh.stride - Mesh.halo {
      row[n + i] = row[i]
      i &+= 1
    }
  }

  /// The same for several levels.
  @inline(__always)
  func wrap(_ levels: Range<Int>) {
    for k in levels { wrap(k) }
  }

  /// Makes a level 0, halo included.
  func clear(_ k: Int) { (self[k] - Mesh.halo).update(repeating: 0, count: mesh.stride) }

  /// Copies level `source` to level `k`, times `sign`, halo included.
  func mirror(_ source: Int, to k: Int, sign: Double = 1) {
    let (from, to) = (self[source] - Mesh.halo, self[k] - Mesh.halo)
    for i in 0..<mesh.stride { to[i] = sign * from[i] }
  }
}

/// Several planes of one kind, one after the other in memory.
struct Planes {
  private let first: Row
  private let mesh: Mesh

  init(_ memory: Row, _ mesh: Mesh) { (first, self.mesh) = (memory, mesh) }

  /// Plane number `n`.
  @inline(__always)
  subscript(n: Int) -> Plane { Plane(first + n * mesh.planeCount, mesh) }
}

/// The scratch memory of a model: planes of zeros that live as long as this object.
final class PlaneMemory {
  private let mesh: Mesh
  private var pieces: [Workspace<Double>] = []

  init(_ mesh: Mesh) { self.mesh = mesh }

  /// A plane of its own.
  func plane() -> Plane { planes(1)[0] }

  /// Several planes of one kind.
  func planes(_ count: Int) -> Planes {
    // Pieces begin at the same place of a page each. Different cache lines of it keep planes from displacing each
    // other.
    let shift = 8 * (7 * pieces.count % 64)
    let piece = Workspace(repeating: 0.0, count: count * mesh.planeCount + shift)
    pieces.append(piece)
    return Planes(piece.start + shift, mesh)
  }
}
