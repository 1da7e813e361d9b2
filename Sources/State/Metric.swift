#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Distances between places in units of a width for each direction: what a localization function takes.
///
/// Places are embedded once (``embed(_:)``): straight axes in units of their width, a sphere's surface as the unit
/// vector, so that neither the poles nor the date line are special.
public struct Metric: Sendable {
  /// Of the places.
  public let geometry: Geometry
  /// Width of each direction (`[geometry.directions]`), in the unit of its axis or of the sphere's radius.
  public let widths: [Double]

  /// Periods of the embedded coordinates, 0 where there is none.
  @usableFromInline let periods: SIMD4<Double>
  /// Great-circle distance per radian in units of the width; 0 for straight axes.
  @usableFromInline let arc: Double

  /// - Parameter widths: positive, one for each direction.
  public init(_ geometry: Geometry, widths: [Double]) {
    precondition(widths.count == geometry.directions, "one width for each direction")
    self.geometry = geometry
    self.widths = widths
    var periods = SIMD4<Double>.zero
    if let radius = geometry.sphereRadius {
      arc = radius / widths[0]
      if geometry.axes.count > 2, let period = geometry.axes[2].period { periods[3] = period / widths[1] }
    } else {
      arc = 0
      for (axis, one) in geometry.axes.enumerated() { periods[axis] = (one.period ?? 0) / widths[axis] }
    }
    self.periods = periods
  }

  /// A place as this metric compares it: scaled coordinates, or on a sphere the unit vector and the scaled height; not a
  /// number where the place has none.
  public func embed(_ place: Place) -> SIMD4<Double> {
    var embedded = SIMD4<Double>(repeating: .nan)
    if geometry.sphereRadius != nil {
      let (longitude, latitude) = (place.coordinates[0] * .pi / 180, place.coordinates[1] * .pi / 180)
      embedded[0] = cos(latitude) * cos(longitude)
      embedded[1] = cos(latitude) * sin(longitude)
      embedded[2] = sin(latitude)
      if geometry.axes.count > 2 { embedded[3] = place.coordinates[2] / widths[1] }
    } else {
      for axis in geometry.axes.indices { embedded[axis] = place.coordinates[axis] / widths[axis] }
    }
    return embedded
  }

  /// Square of the distance between two embedded places, in units of the widths: the sum over directions, those left
  /// out in which one of the places is nowhere.
  @inlinable @inline(__always)
  public func squaredDistance(_ a: SIMD4<Double>, _ b: SIMD4<Double>) -> Double {
    var difference = a - b
    difference.replace(with: 0, where: difference .!= difference)
    if arc > 0 { return squaredDistanceOnSphere(difference) }
    let wrapped = wrapped(difference)
    let squares = wrapped * wrapped
    return (squares[0] + squares[1]) + (squares[2] + squares[3])
  }

  @usableFromInline
  func squaredDistanceOnSphere(_ difference: SIMD4<Double>) -> Double {
    let chord = difference[0] * difference[0] + difference[1] * difference[1] + difference[2] * difference[2]
    let angle = 2 * asin(min(1, 0.5 * chord.squareRoot()))
    let horizontal = arc * angle
    let vertical = wrapped(difference)[3]
    return horizontal * horizontal + vertical * vertical
  }

  /// Shortest differences on periodic axes, for coordinates of any turn.
  @inlinable @inline(__always)
  func wrapped(_ difference: SIMD4<Double>) -> SIMD4<Double> {
    guard periods != .zero else { return difference }
    let turns = (difference / periods).rounded(.toNearestOrEven)
    return difference - (periods * turns).replacing(with: 0, where: periods .== 0)
  }

  /// What ``PlaceIndex`` sorts by: embedded coordinates in which two places at distance `d` differ by at most `d`.
  func binCoordinates(_ embedded: SIMD4<Double>) -> SIMD4<Double> {
    guard arc > 0 else { return embedded }
    var scaled = embedded * arc
    scaled[3] = embedded[3]
    return scaled
  }

  var binPeriods: SIMD4<Double> { periods }
}
