/// How far, and on which variables, an observation acts. Both parts are always spelled out: localization is never
/// silently off.
public struct Localization: Sendable, Hashable {
  /// Which variables may influence each other.
  public enum Coupling: Sendable, Hashable {
    /// Every variable influences every other.
    case all
    /// Every variable influences itself only.
    case own
    /// Row-major `[variable][variable]`: whether the two may influence each other; symmetric, true on the diagonal.
    case pairs([Bool])
  }

  /// Gaspari-Cohn half-width in cells; the support is two half-widths. `nil`: no decay with distance.
  public let halfWidth: Double?
  public let coupling: Coupling
  /// Half-widths of single variables in place of `halfWidth`, by their numbers; with coupling `own` only.
  public let exceptions: [Int: Double]

  /// - Parameters:
  ///   - halfWidth: in cells, positive; `nil` for none.
  ///   - coupling: which variables may influence each other.
  ///   - exceptions: half-widths of single variables.
  public init(halfWidth: Double?, coupling: Coupling, exceptions: [Int: Double] = [:]) {
    self.exceptions = exceptions
    self.halfWidth = halfWidth
    self.coupling = coupling
  }

  /// Every element influences every other, undamped.
  public static let none = Localization(halfWidth: nil, coupling: .all)
}
