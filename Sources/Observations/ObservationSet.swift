public import DaunceState

/// What is observed at one time, and where: everything about observations but their values.
///
/// An object, so that those who derive something from it, such as lists of neighbours, can keep that for as long as they
/// meet the same one. Networks that observe the same at every time hand out one object for all times.
public final class ObservationNetwork: Sendable {
  /// h: one row an observation, on one layout.
  public let rows: ObservationRows
  /// Number of the operator of each observation among the kinds that the filter's localization knows (`[count]`).
  public let kinds: [Int32]
  /// Where each observation is (`[count]`).
  public let places: [Place]
  /// How each observation's error is distributed (`[count]`); Kalman filters take all for normal.
  public let laws: [ErrorLaw]

  /// Number of observations.
  public var count: Int { kinds.count }

  /// - Parameters:
  ///   - rows: as many as kinds and places.
  ///   - laws: of the errors; `nil`: all are normal.
  public init(rows: ObservationRows, kinds: [Int32], places: [Place], laws: [ErrorLaw]? = nil) {
    precondition(rows.count == kinds.count && kinds.count == places.count, "one row, kind and place for each observation")
    let laws = laws ?? [ErrorLaw](repeating: .gaussian, count: kinds.count)
    precondition(laws.count == kinds.count, "one law for each observation")
    (self.rows, self.kinds, self.places, self.laws) = (rows, kinds, places, laws)
  }

  /// Nothing observed.
  public static let none = ObservationNetwork(rows: ObservationRows(), kinds: [], places: [])

  /// Direct observations of state elements, without a function.
  ///
  /// - Parameter elements: of the layout; the number of an element's field is its observation's kind.
  public convenience init(elements: [Int], layout: StateLayout) {
    var rows = ObservationRows()
    for element in elements {
      let operation = ObservationOperator(fields: [layout.cell(of: element).field])
      rows.append([(elements: [element], weights: [1])], by: operation)
    }
    self.init(
      rows: rows, kinds: elements.map { Int32(layout.cell(of: $0).field) }, places: elements.map(layout.place(of:)))
  }
}

/// The observations of one time: what every filter and agent takes.
public struct ObservationSet: Sendable {
  /// What is observed, and where.
  public let network: ObservationNetwork
  /// Observed values, finite (`[count]`).
  public var values: [Double]
  /// Error variances, positive (`[count]`).
  public var errorVariances: [Double]

  /// Number of observations.
  public var count: Int { values.count }

  /// - Parameters: one value and one error variance for each of the network's observations.
  public init(_ network: ObservationNetwork, values: [Double], errorVariances: [Double]) {
    precondition(
      values.count == network.count && errorVariances.count == network.count, "one value for each observation")
    (self.network, self.values, self.errorVariances) = (network, values, errorVariances)
  }

  /// No observations.
  public static let none = ObservationSet(.none, values: [], errorVariances: [])
}
