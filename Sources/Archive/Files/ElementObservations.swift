/// The observations of one time in a file of fields or of points at cells: measurements of state elements.
///
/// Missing observations are left out; `elements` is ascending, so that a serial filter always meets them in the same
/// order.
public struct ElementObservations: Sendable, Hashable {
  /// State element that each observation measures (`[p]`).
  public var elements: [Int]
  /// Measured values, in the variable's unit (`[p]`).
  public var values: [Double]
  /// Error variances, in the unit's square, all positive (`[p]`).
  public var errorVariances: [Double]

  public var count: Int { elements.count }

  /// Observations of equally many elements, values and variances (`[p]`), elements ascending.
  public init(elements: [Int], values: [Double], errorVariances: [Double]) {
    precondition(elements.count == values.count && values.count == errorVariances.count)
    self.elements = elements
    self.values = values
    self.errorVariances = errorVariances
  }
}
