/// A number as files store it.
protocol StoredNumber: BitwiseCopyable, Equatable {
  init()
  /// As a double, as near as it gets.
  var number: Double { get }
  /// The nearest one to a number that is not NaN; beyond the type's range its end.
  static func nearest(to number: Double) -> Self
  /// The next smaller or larger one; after the last comes the first.
  func neighbour(below: Bool) -> Self
  var isNotANumber: Bool { get }
}

extension StoredNumber where Self: FixedWidthInteger {
  var number: Double { Double(self) }

  static func nearest(to number: Double) -> Self {
    let whole = number.rounded(.toNearestOrEven)
    if whole >= Double(Self.max) { return .max }
    if whole <= Double(Self.min) { return .min }
    return Self(whole)
  }

  func neighbour(below: Bool) -> Self { below ? self &- 1 : self &+ 1 }
  var isNotANumber: Bool { false }
}

extension StoredNumber where Self: BinaryFloatingPoint {
  @inline(__always) func neighbour(below: Bool) -> Self { below ? nextDown : nextUp }
  var isNotANumber: Bool { isNaN }
}

extension Int8: StoredNumber {}
extension UInt8: StoredNumber {}
extension Int16: StoredNumber {}
extension UInt16: StoredNumber {}
extension Int32: StoredNumber {}
extension UInt32: StoredNumber {}
extension Int64: StoredNumber {}
extension UInt64: StoredNumber {}

extension Float: StoredNumber {
  @inline(__always) var number: Double { Double(self) }

  @inline(__always) static func nearest(to number: Double) -> Float {
    let stored = Float(number)
    return stored.isInfinite && number.isFinite ? .greatestFiniteMagnitude * (number < 0 ? -1 : 1) : stored
  }
}

extension Double: StoredNumber {
  @inline(__always) var number: Double { self }
  @inline(__always) static func nearest(to number: Double) -> Double { number }
}
