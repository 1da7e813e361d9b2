/// Counters to the loss of spread that sampling error causes, both on anomalies (deviations from the ensemble mean).
///
/// Elements out of reach of every observation are left alone: no observation would ever take their added spread away.
public struct Inflation: Sendable, Hashable {
  /// Factor of the forecast's anomalies (Anderson & Anderson 1999); 1 for none. Its square multiplies variances.
  public let factor: Double
  /// Weight of the forecast's spread in the analysis spread (relaxation to prior spread, Whitaker & Hamill 2012, eq.
  /// 2), in [0, 1]; 0 for none. The spread relaxed to is the inflated one, as the update saw it.
  public let relaxation: Double
  /// Weight alpha of the forecast's anomalies in the analysis, x' = (1 - alpha) x'_a + alpha x'_f (relaxation to prior
  /// perturbations, Zhang, Snyder & Sun 2004, eq. 5), in [0, 1]; 0 for none. Comes before the relaxation of the spread.
  public let perturbationRelaxation: Double

  /// - Throws: `AssimilationError.inflation` for a factor below or equal to 0 or a relaxation outside [0, 1].
  public init(
    factor: Double = 1, relaxation: Double = 0, perturbationRelaxation: Double = 0
  ) throws(AssimilationError) {
    guard factor > 0, factor.isFinite else {
      throw .inflation(name: "factor", found: factor, expected: "a positive number")
    }
    for (name, value) in [("relaxation", relaxation), ("perturbation relaxation", perturbationRelaxation)]
    where !(0...1).contains(value) {
      throw .inflation(name: name, found: value, expected: "a number in 0...1")
    }
    self.factor = factor
    self.relaxation = relaxation
    self.perturbationRelaxation = perturbationRelaxation
  }

  private init() {
    factor = 1
    relaxation = 0
    perturbationRelaxation = 0
  }

  /// Whether anything is relaxed.
  var relaxes: Bool { relaxation > 0 || perturbationRelaxation > 0 }

  /// No inflation.
  public static let none = Inflation()

  /// Factor that brings the spread `analysis` back towards `prior`; 1 where there is no spread left to scale.
  func relaxationFactor(prior: Double, analysis: Double) -> Double {
    analysis > 0 ? 1 + relaxation * (prior - analysis) / analysis : 1
  }
}
