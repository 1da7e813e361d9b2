public import DaunceState

/// What one kind of observation measures: fields at the observation's place, put together, and a function of that.
public struct ObservationOperator: Sendable, Hashable {
  /// How the values of several fields become one.
  public enum Combination: String, Sendable, Hashable, CaseIterable {
    /// Their sum; for one field the value itself.
    case sum
    /// Root of the sum of their squares: wind speed from its components.
    case norm
  }

  /// Numbers of the observed fields in the layout.
  public let fields: [Int]
  /// How several fields become one value.
  public let combination: Combination
  /// Of that value.
  public let function: PointwiseFunction
  /// Names of dimensions that are summed over in place of being interpolated along: a column's total.
  public let summed: [String]
  /// Cells along each axis over which every field is averaged around the place, before anything else; 1 for its value
  /// at the place.
  public let footprint: Int

  /// An operator on at least one field, by the numbers of fields in the layout; see the properties.
  public init(
    fields: [Int], combination: Combination = .sum, function: PointwiseFunction = .identity, summed: [String] = [],
    footprint: Int = 1
  ) {
    self.fields = fields
    self.combination = combination
    self.function = function
    self.summed = summed
    self.footprint = footprint
  }
}

/// Operators of many observations on one layout: sparse rows, then a combination and a pointwise function.
public struct ObservationRows: Sendable {
  /// Of the observation's kind (`[count]`).
  private var functions: [PointwiseFunction] = []
  private var combinations: [ObservationOperator.Combination] = []
  /// First part of each observation, one part a field (`[count + 1]`).
  private var parts: [Int32] = [0]
  /// First entry of each part (`[parts + 1]`).
  private var starts: [Int] = [0]
  /// State elements and their weights.
  private var elements: [Int] = []
  private var weights: [Double] = []

  /// No observations.
  public init() {}

  /// Number of observations.
  public var count: Int { functions.count }

  /// Adds an observation.
  ///
  /// - Parameter rows: for each of the operator's fields, state elements and weights.
  public mutating func append(_ rows: [(elements: [Int], weights: [Double])], by operation: ObservationOperator) {
    for row in rows {
      elements += row.elements
      weights += row.weights
      starts.append(elements.count)
    }
    functions.append(operation.function)
    combinations.append(operation.combination)
    parts.append(Int32(starts.count - 1))
  }

  /// h(x) of one state for observation `k`.
  ///
  /// - Parameter state: `[layout.count]`.
  public func value(_ k: Int, of state: Span<Double>) -> Double {
    state.withUnsafeBufferPointer { $0.baseAddress.map { value(k, at: $0) } ?? .nan }
  }

  /// The same of a state in memory (`[layout.count]`).
  public func value(_ k: Int, at state: UnsafePointer<Double>) -> Double {
    var combined = 0.0
    let isNorm = combinations[k] == .norm
    for part in Int(parts[k])..<Int(parts[k + 1]) {
      var sum = 0.0
      for entry in starts[part]..<starts[part + 1] { sum += weights[entry] * state[elements[entry]] }
      combined += isNorm ? sum * sum : sum
    }
    return functions[k](isNorm ? combined.squareRoot() : combined)
  }

  /// The state element that observation `k` is the value of, `nil` where it is anything else.
  public func element(_ k: Int) -> Int? {
    let part = Int(parts[k])
    guard parts[k + 1] == parts[k] + 1, starts[part + 1] == starts[part] + 1, weights[starts[part]] == 1,
      functions[k] == .identity, combinations[k] == .sum
    else { return nil }
    return elements[starts[part]]
  }

  /// Whether observation `k` is the value of one field at its place, a weighted mean of elements, and no function of it.
  public func isFieldValue(_ k: Int) -> Bool {
    let part = Int(parts[k])
    guard parts[k + 1] == parts[k] + 1, functions[k] == .identity, combinations[k] == .sum else { return false }
    let total = weights[starts[part]..<starts[part + 1]].reduce(0, +)
    return abs(total - 1) < 1e-9
  }

  /// The first state element that observation `k` sees, `nil` where it sees none.
  public func firstElement(_ k: Int) -> Int? {
    let entry = starts[Int(parts[k])]
    return entry < starts[Int(parts[k + 1])] ? elements[entry] : nil
  }

  /// Rows of some observations, in the given order.
  public func selecting(_ numbers: [Int]) -> ObservationRows {
    var chosen = ObservationRows()
    for k in numbers {
      for part in Int(parts[k])..<Int(parts[k + 1]) {
        chosen.elements += elements[starts[part]..<starts[part + 1]]
        chosen.weights += weights[starts[part]..<starts[part + 1]]
        chosen.starts.append(chosen.elements.count)
      }
      chosen.functions.append(functions[k])
      chosen.combinations.append(combinations[k])
      chosen.parts.append(Int32(chosen.starts.count - 1))
    }
    return chosen
  }

  /// Whether an observation sees elements of which `isMissing` holds.
  public func touches(_ k: Int, where isMissing: (Int) -> Bool) -> Bool {
    for entry in starts[Int(parts[k])]..<starts[Int(parts[k + 1])] where weights[entry] != 0 {
      if isMissing(elements[entry]) { return true }
    }
    return false
  }
}

/// Makes rows for observations of one layout.
public struct RowBuilder {
  private let layout: StateLayout
  private var interpolations: [Int: Interpolation] = [:]

  /// A builder for states of this layout.
  public init(_ layout: StateLayout) {
    self.layout = layout
  }

  /// The rows of an operator at a place, or `nil` where one of its fields has no cells there.
  public mutating func rows(
    of operation: ObservationOperator, at place: Place
  ) -> [(elements: [Int], weights: [Double])]? {
    var rows: [(elements: [Int], weights: [Double])] = []
    for field in operation.fields {
      let grid = layout.grid(field)
      let summed = grid.dimensions.indices.filter { operation.summed.contains(grid.dimensions[$0].name) }
      guard
        let stencil = summed.isEmpty
          ? interpolation(of: field).stencil(at: place, footprint: operation.footprint)
          : total(field, place, over: summed, footprint: operation.footprint)
      else { return nil }
      let offset = layout.offsets[field]
      rows.append((stencil.cells.map { offset + Int($0) }, stencil.weights))
    }
    return rows
  }

  private mutating func interpolation(of field: Int) -> Interpolation {
    let number = layout.fields[field].grid
    if let known = interpolations[number] { return known }
    let made = Interpolation(layout.grids[number], geometry: layout.geometry)
    interpolations[number] = made
    return made
  }

  /// The sum over some dimensions, interpolated along the others.
  private func total(_ field: Int, _ place: Place, over summed: [Int], footprint: Int) -> Stencil? {
    let grid = layout.grid(field)
    guard grid.places.isEmpty else { return nil }
    let rest = Grid(grid.dimensions.indices.filter { !summed.contains($0) }.map { grid.dimensions[$0] })
    guard let base = Interpolation(rest, geometry: layout.geometry).stencil(at: place, footprint: footprint)
    else { return nil }
    var cells: [(Int, Double)] = []
    for (cell, weight) in zip(base.cells, base.weights) {
      // Cell of the reduced grid back to indices, then all combinations of the summed dimensions.
      var indices = [Int](repeating: 0, count: grid.dimensions.count)
      var left = Int(cell)
      for d in grid.dimensions.indices.reversed() where !summed.contains(d) {
        indices[d] = left % grid.dimensions[d].length
        left /= grid.dimensions[d].length
      }
      let combinations = summed.reduce(1) { $0 * grid.dimensions[$1].length }
      for combination in 0..<combinations {
        var number = combination
        for d in summed {
          indices[d] = number % grid.dimensions[d].length
          number /= grid.dimensions[d].length
        }
        cells.append((zip(indices, grid.dimensions).reduce(0) { $0 * $1.1.length + $1.0 }, weight))
      }
    }
    cells.sort { $0.0 < $1.0 }
    return Stencil(cells: cells.map { Int32($0.0) }, weights: cells.map(\.1))
  }
}
