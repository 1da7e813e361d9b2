public import DaunceState

/// A localization tabulated for one layout: the weights by distance, and which elements lie in reach of which.
public struct LocalizationTable: Sendable {
  public let layout: StateLayout
  public let localization: Localization
  /// Cells of a row of the table: all those in reach of a cell, or the whole circle.
  public let width: Int
  /// Cells in reach west of a cell.
  public let reach: Int
  /// Weight by offset from `-reach` (`[width]`), of one variable after the other where they differ.
  public let weights: [Double]
  /// Cells in reach west of a cell, and all of them, by variable.
  private let reaches, widths: [Int]
  /// Row-major `[variable][variable]`.
  private let coupled: [Bool]

  /// - Throws: `AssimilationError` for a half-width that is not a positive number or a coupling of the wrong shape.
  public init(_ localization: Localization, layout: StateLayout) throws(AssimilationError) {
    let cells = layout.cells
    let variables = layout.fields.count
    if let halfWidth = localization.halfWidth, !(halfWidth > 0 && halfWidth.isFinite) {
      throw .halfWidth(found: halfWidth)
    }
    switch localization.coupling {
    case .all: coupled = [Bool](repeating: true, count: variables * variables)
    case .own: coupled = (0..<variables * variables).map { $0 / variables == $0 % variables }
    case .pairs(let pairs):
      guard pairs.count == variables * variables else {
        throw .coupling(found: pairs.count, expected: variables * variables)
      }
      for v in 0..<variables {
        for w in 0...v {
          let (there, back) = (pairs[v * variables + w], pairs[w * variables + v])
          guard there == back, there || v != w else {
            throw .couplingNotSymmetric(layout.fields[v].name, layout.fields[w].name)
          }
        }
      }
      coupled = pairs
    }
    for (v, halfWidth) in localization.exceptions {
      guard halfWidth > 0, halfWidth.isFinite, (0..<variables).contains(v), localization.coupling == .own else {
        throw .halfWidth(found: halfWidth)
      }
    }
    let halfWidths = (0..<variables).map { localization.exceptions[$0] ?? localization.halfWidth }
    let extents = halfWidths.map { halfWidth -> (reach: Int, width: Int) in
      let support = halfWidth.map { min(2 * $0, Double(cells)).rounded(.up) } ?? Double(cells)
      let radius = max(0, Int(support) - 1)
      return 2 * radius + 1 < cells ? (radius, 2 * radius + 1) : (cells / 2, cells)
    }
    let west = extents.map(\.reach).max() ?? 0
    let wide = extents.map(\.width).max() ?? 1
    (reach, width) = (west, wide)
    (reaches, widths) = (extents.map(\.reach), extents.map(\.width))
    weights = (localization.exceptions.isEmpty ? [localization.halfWidth] : halfWidths).flatMap { halfWidth in
      (0..<wide).map { offset in
        let distance = Self.distance(0, abs(offset - west), of: layout.cells)
        return halfWidth.map { GaspariCohn.value(Double(distance) / $0) } ?? 1
      }
    }
    self.layout = layout
    self.localization = localization
  }

  /// Shortest distance between two of `cells` cells on a circle.
  private static func distance(_ i: Int, _ j: Int, of cells: Int) -> Int {
    let d = abs(i - j) % cells
    return min(d, cells - d)
  }

  /// Whether variables `v` and `w` may influence each other.
  public func couples(_ v: Int, _ w: Int) -> Bool { coupled[v * layout.fields.count + w] }

  /// Weight of the covariance between two elements, in [0, 1].
  public func weight(_ i: Int, _ j: Int) -> Double {
    let (v, c) = layout.cell(of: i)
    let (w, d) = layout.cell(of: j)
    guard couples(v, w) else { return 0 }
    let offset = Self.distance(c, d, of: layout.cells)
    return offset <= reaches[v] ? weights[row(of: v) + reach - offset] : 0
  }

  /// First of the weights for observations of variable `v`.
  func row(of v: Int) -> Int { localization.exceptions.isEmpty ? 0 : v * width }

  /// A run of consecutive elements in reach: `count` elements from `element`, weights from `weights[weight]`,
  /// at `offset` in a compact row.
  struct Segment {
    let element: Int
    let offset: Int
    let weight: Int
    let count: Int
  }

  /// Runs through the elements in reach of `element`: for every coupled variable one run, or two where it wraps around.
  @inline(__always)
  func forEachSegment(of element: Int, _ body: (Segment) -> Void) {
    let cells = layout.cells
    let variables = layout.fields.count
    let (v, cell) = layout.cell(of: element)
    let (near, own) = (reaches[v], widths[v])
    let start = cell >= near ? cell - near : cell - near + cells
    let first = min(own, cells - start)
    let (place, weight) = (reach - near, row(of: v) + reach - near)
    for w in 0..<variables where coupled[v * variables + w] {
      body(Segment(element: w * cells + start, offset: place, weight: weight, count: first))
      if first < own {
        body(Segment(element: w * cells, offset: place + first, weight: weight + first, count: own - first))
      }
    }
  }

  /// Place of element `j` in a compact row `[variable][offset]` (`[variables * width]`) around element `i`; `nil` out
  /// of reach.
  func position(of j: Int, around i: Int) -> Int? {
    let (v, c) = layout.cell(of: i)
    let (w, d) = layout.cell(of: j)
    guard couples(v, w), Self.distance(c, d, of: layout.cells) <= reaches[v] else { return nil }
    let cells = layout.cells
    let offset = (d - c + reach + cells) % cells
    return offset < width ? w * width + offset : nil
  }

  /// Marks the elements in reach of any of `elements` (`[count]`).
  func markReached(by elements: [Int], in reached: inout [Bool]) {
    reached.withUnsafeMutableBufferPointer { reached in
      reached.update(repeating: false)
      for element in elements {
        forEachSegment(of: element) { segment in
          for i in segment.element..<segment.element + segment.count { reached[i] = true }
        }
      }
    }
  }
}
