public import DaunceState

/// `lower <= function(state) <= upper`.
public struct Band: Sendable {
  /// What is held between the limits.
  public let function: any StateFunction
  /// Smallest admissible value, in the function's unit.
  public let lower: Double
  /// Largest admissible value, in the function's unit.
  public let upper: Double

  /// `lower` and `upper` in the function's unit.
  public init(function: any StateFunction, lower: Double, upper: Double) {
    self.function = function
    self.lower = lower
    self.upper = upper
  }

  /// Middle of the band.
  public var centre: Double { (lower + upper) / 2 }

  /// Half of the band's width: the tolerance epsilon of the paper's (3.4), with `deviation` as its dE.
  public var tolerance: Double { (upper - lower) / 2 }

  /// Distance of the function's value from the middle of the band; at most `tolerance` inside the band.
  public func deviation(of state: Span<Double>) -> Double {
    abs(function.value(of: state) - centre)
  }
}

/// Everything that an analysed state has to respect: bounds of its variables, linear invariants that an analysis
/// must leave as the forecast had them, bands for nonlinear functions, and any further c_eq(x) = 0 and c_neq(x) <= 0
/// (2.7, 2.8).
public struct ConstraintSet: Sendable {
  /// Smallest admissible value of every element; `-infinity` where there is none (`[count]`).
  public let lowerBounds: [Double]
  /// Largest admissible value of every element; `infinity` where there is none (`[count]`).
  public let upperBounds: [Double]
  /// Sums that an analysis leaves as the forecast had them.
  public let invariants: [LinearInvariant]
  /// Functions that stay between two limits.
  public let bands: [Band]
  /// Functions that have to be zero.
  public let equalities: [any StateFunction]
  /// Functions that must not be positive.
  public let inequalities: [any StateFunction]

  /// Constraints given one by one.
  ///
  /// - Parameter upperBounds: as many as lower ones, or empty for none.
  public init(
    lowerBounds: [Double], upperBounds: [Double] = [], invariants: [LinearInvariant], bands: [Band],
    equalities: [any StateFunction] = [], inequalities: [any StateFunction] = []
  ) {
    self.lowerBounds = lowerBounds
    self.upperBounds = upperBounds.isEmpty ? lowerBounds.map { _ in .infinity } : upperBounds
    self.invariants = invariants
    self.bands = bands
    self.equalities = equalities
    self.inequalities = inequalities
  }

  /// The bounds that a layout declares, with the given invariants and bands.
  public init(layout: StateLayout, invariants: [LinearInvariant] = [], bands: [Band] = []) {
    self.init(
      lowerBounds: layout.spread { $0.lowerBound ?? -.infinity },
      upperBounds: layout.spread { $0.upperBound ?? .infinity }, invariants: invariants, bands: bands)
  }
}
