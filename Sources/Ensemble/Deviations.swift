/// Deviations of one row from a reference, in units that are powers of two: what goes into exact sums.
struct Deviations {
  /// (x - reference) / unit (`[count]`).
  private(set) var values: [Double]
  let reference: [Double]
  /// Powers of two (`[count]`).
  let units: [Double]
  private let inverseUnits: [Double]

  /// - Parameters:
  ///   - reference: `[count]`, or empty for zero.
  ///   - units: `[count]`, or empty for 1; those that are not positive and finite count as 1.
  init(count: Int, reference: [Double], units: [Double]) {
    precondition(reference.isEmpty || reference.count == count, "one reference value for each element")
    precondition(units.isEmpty || units.count == count, "one unit for each element")
    values = [Double](repeating: 0, count: count)
    self.reference = reference.isEmpty ? values : reference
    // Within 2^-500 and 2^500 so that neither a unit's inverse nor its square overflows.
    self.units = (0..<count).map { j in
      guard !units.isEmpty, units[j] > 0, units[j].isFinite else { return 1 }
      return Double(sign: .plus, exponent: min(max(units[j].exponent, -500), 500), significand: 1)
    }
    inverseUnits = self.units.map { 1 / $0 }
  }

  /// Takes the deviations of `row` (`[count]`).
  mutating func set(_ row: Span<Double>) {
    precondition(row.count == values.count, "a row has another width than its workspace")
    for j in values.indices { values[j] = (row[j] - reference[j]) * inverseUnits[j] }
  }

  /// Takes the deviations of the elements `order` of `row`, in that order (`[count]`).
  mutating func set(_ row: Span<Double>, order: [Int]) {
    precondition(row.count == values.count, "a row has another width than its workspace")
    values.withUnsafeMutableBufferPointer { values in
      for j in 0..<values.count {
        let i = order[j]
        values[j] = (row[i] - reference[i]) * inverseUnits[i]
      }
    }
  }

  /// Writes the squares of the deviations (`[count]`).
  func squares(into squares: inout [Double]) {
    for j in values.indices { squares[j] = values[j] * values[j] }
  }

  /// A sum of products of deviations from the mean, over N - 1; zero for a single member, which has no spread.
  static func unbiased(_ scatter: Double, _ members: Double) -> Double {
    if members > 1 { return scatter / (members - 1) }
    return scatter.isNaN ? scatter : 0
  }

  /// The value whose deviation is `deviation`, for element `i`.
  func restored(_ deviation: Double, _ i: Int) -> Double { reference[i] + deviation * units[i] }
}
