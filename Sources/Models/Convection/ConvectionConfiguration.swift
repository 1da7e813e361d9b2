/// What a model of convection is made from; the defaults are the squall line.
public struct ConvectionConfiguration: Sendable, Hashable {
  /// The air at rest that perturbations are deviations from.
  public enum Base: Sendable, Hashable {
    /// Moist and conditionally unstable (Weisman and Klemp 1982).
    case weismanKlemp
    /// Dry, of one potential temperature in kelvin.
    case neutral(Double)
  }

  /// Columns of the periodic axis x, at least 16.
  public var columns = 300
  /// Levels between the ground and the lid, at least 8.
  public var levels = 40
  /// Width of a column, in metres.
  public var spacing = 1000.0
  /// Height of the lid, in metres.
  public var depth = 20_000.0
  /// Time step, in seconds; nil: 6 s for each kilometre of `spacing`.
  public var timeStep: Double?
  /// The air at rest.
  public var base = Base.weismanKlemp
  /// Wind above 2.5 km, in m/s; below, it grows from 0 at the ground in proportion to height (Rotunno et al. 1988).
  public var shear = 12.0
  /// Speed in m/s with which the columns move over the ground, along x.
  public var frameSpeed = 12.5
  /// Height in metres above which the wind is relaxed to the base state's, and the rate of that in 1/s.
  public var spongeBase = 15_000.0
  public var spongeRate = 1.0 / 300
  /// Constant viscosity and diffusivity of potential temperature, in m2/s.
  public var diffusivity = 0.0

  /// The squall line's.
  public init() {}

  /// The density current of Straka et al. (1993, Int. J. Numer. Meth. Fluids 17, 1): neutral air of 300 K, 51.2 km wide
  /// and 6.4 km deep, with a constant diffusivity of 75 m2/s.
  ///
  /// - Parameter spacing: of columns and levels, in metres.
  public static func densityCurrent(spacing: Double = 100) -> ConvectionConfiguration {
    var current = ConvectionConfiguration()
    current.columns = Int((51_200 / spacing).rounded())
    current.levels = Int((6400 / spacing).rounded())
    current.spacing = spacing
    current.depth = 6400
    current.base = .neutral(300)
    (current.shear, current.frameSpeed, current.spongeRate, current.diffusivity) = (0, 0, 0, 75)
    return current
  }
}
