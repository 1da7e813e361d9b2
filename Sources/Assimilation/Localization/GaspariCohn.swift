/// The fifth-order, compactly supported correlation function of Gaspari & Cohn (1999, eq. 4.10).
public enum GaspariCohn {
  /// Correlation at `r` = distance / half-width: 1 at 0, zero from 2 on.
  public static func value(_ r: Double) -> Double {
    let r = abs(r)
    if r <= 1 {
      return 1 + r * r * (-5.0 / 3 + r * (5.0 / 8 + r * (1.0 / 2 - r / 4)))
    }
    if r < 2 {
      // Near the end of the support the terms cancel; the exact value is not negative.
      let polynomial = 4 + r * (-5 + r * (5.0 / 3 + r * (5.0 / 8 + r * (-1.0 / 2 + r / 12))))
      return max(0, polynomial - 2 / (3 * r))
    }
    return 0
  }
}
