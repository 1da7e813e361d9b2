/// Where something is: a coordinate along each axis of a ``Geometry``.
///
/// A coordinate that is not a number means "nowhere along this axis": a surface field has no height, a parameter no
/// place at all. Distances leave such axes out.
public struct Place: Sendable, Hashable {
  /// Coordinates in the units of the geometry's axes; those beyond its axes are not a number.
  public var coordinates: SIMD3<Double>

  /// Coordinates in the units of the geometry's axes; those beyond its axes are not a number.
  public init(coordinates: SIMD3<Double>) {
    self.coordinates = coordinates
  }

  /// The first coordinates; the others are nowhere.
  public init(_ coordinates: [Double]) {
    precondition(coordinates.count <= 3, "a place has at most three coordinates")
    self.coordinates = SIMD3(repeating: .nan)
    for (axis, value) in coordinates.enumerated() { self.coordinates[axis] = value }
  }

  /// Nowhere along any axis.
  public static let nowhere = Place(coordinates: SIMD3(repeating: .nan))
}

/// A direction of space.
public struct Axis: Sendable, Hashable {
  /// Name of its coordinate, as in files: `x`, `longitude`, `height`.
  public let name: String
  /// Unit of its coordinates, as in files.
  public let units: String
  /// Length after which the axis comes back to its start, in `units`; `nil` where it does not.
  public let period: Double?

  /// An axis; `period` in `units`, `nil` where it does not come back to its start.
  public init(name: String, units: String = "1", period: Double? = nil) {
    self.name = name
    self.units = units
    self.period = period
  }
}

/// The space that grids and observations lie in: up to three axes, straight ones or the surface of a sphere with or
/// without a vertical axis.
public struct Geometry: Sendable, Hashable {
  /// Mean radius of the Earth in kilometres (IUGG).
  public static let earthRadius = 6371.0088

  /// Up to three; on a sphere longitude and latitude in degrees come first.
  public let axes: [Axis]
  /// Radius of the sphere whose surface the first two axes are, in the unit that horizontal distances have; `nil` for
  /// straight axes.
  public let sphereRadius: Double?

  /// - Parameter axes: at most three; for a sphere longitude, latitude (degrees) and perhaps a vertical one.
  public init(axes: [Axis], sphereRadius: Double? = nil) {
    precondition(axes.count <= 3, "a geometry has at most three axes")
    precondition(sphereRadius == nil || axes.count >= 2, "a sphere has longitude and latitude")
    self.axes = axes
    self.sphereRadius = sphereRadius
  }

  /// No space at all: every field is without a place.
  public static let none = Geometry(axes: [])

  /// Directions that have a localization width each: the axes, or on a sphere the horizontal and the vertical one.
  public var directions: Int { sphereRadius == nil ? axes.count : axes.count - 1 }

  /// Names of these directions, for messages.
  public var directionNames: [String] {
    sphereRadius == nil ? axes.map(\.name) : ["horizontal"] + axes.dropFirst(2).map(\.name)
  }
}
