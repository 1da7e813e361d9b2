public import DaunceState

/// What a stage of an experiment needs to go on where it stopped: named numbers that all ranks share, and named numbers
/// of each member held here. Values come back bit for bit, on any number of ranks.
public struct Snapshot: Sendable, Hashable {
  /// Numbers of one of the types that can be kept.
  public typealias Numbers = NumberArray

  /// Numbers that are the same for all members. What rank 0 gives is what every rank finds again.
  public private(set) var shared: [String: Numbers] = [:]
  /// Numbers of the local members, in the order of `Distribution.local`, equally many for each member.
  public private(set) var members: [String: [Numbers]] = [:]

  /// A snapshot of nothing.
  public init() {}

  /// Keeps numbers that are the same for all members.
  public mutating func set<Element: SnapshotElement>(_ name: String, _ values: [Element]) {
    shared[name] = Element.wrap(values)
  }

  /// Keeps one whole number.
  public mutating func set(_ name: String, _ value: Int) { set(name, [Int64(value)]) }

  /// Keeps equally many numbers of each local member.
  public mutating func set<Element: SnapshotElement>(_ name: String, members values: [[Element]]) {
    members[name] = values.map { Element.wrap($0) }
  }

  /// Keeps one whole number of each local member.
  public mutating func set(_ name: String, members values: [Int]) {
    set(name, members: values.map { [Int64($0)] })
  }

  /// Keeps shared numbers of whatever type.
  public mutating func share(_ name: String, _ numbers: Numbers) { shared[name] = numbers }

  /// Adds the numbers of one more member.
  public mutating func append(_ name: String, _ numbers: Numbers) { members[name, default: []].append(numbers) }

  /// The shared numbers called `name`.
  ///
  /// - Parameter count: how many there have to be; `nil` accepts any number.
  /// - Throws: `SnapshotError` when they are missing, of another type or number.
  public func values<Element: SnapshotElement>(
    _ name: String, count: Int? = nil, of type: Element.Type = Element.self
  ) throws(SnapshotError) -> [Element] {
    guard let numbers = shared[name] else { throw SnapshotError(name: name, found: "nothing") }
    return try unwrap(numbers, name, count)
  }

  /// The one whole number called `name`, at least 0.
  public func integer(_ name: String) throws(SnapshotError) -> Int {
    let value: Int64 = try values(name, count: 1)[0]
    guard value >= 0 else { throw SnapshotError(name: name, found: "\(value)") }
    return Int(value)
  }

  /// The numbers called `name` of each local member; see `values`.
  public func memberValues<Element: SnapshotElement>(
    _ name: String, count: Int? = nil, of type: Element.Type = Element.self
  ) throws(SnapshotError) -> [[Element]] {
    guard let numbers = members[name] else { throw SnapshotError(name: name, found: "nothing") }
    var values: [[Element]] = []
    for one in numbers { values.append(try unwrap(one, name, count)) }
    return values
  }

  /// The one whole number called `name` of each local member.
  public func memberIntegers(_ name: String) throws(SnapshotError) -> [Int] {
    try memberValues(name, count: 1, of: Int64.self).map { Int($0[0]) }
  }

  private func unwrap<Element: SnapshotElement>(
    _ numbers: Numbers, _ name: String, _ count: Int?
  ) throws(SnapshotError) -> [Element] {
    guard let values = Element.unwrap(numbers) else { throw SnapshotError(name: name, found: "another type") }
    guard values.count == count ?? values.count else {
      throw SnapshotError(name: name, found: "\(values.count) numbers in place of \(count ?? 0)")
    }
    return values
  }
}

/// A number that a snapshot keeps.
public protocol SnapshotElement: BitwiseCopyable, Sendable {
  /// Numbers of this type as a snapshot keeps them.
  static func wrap(_ values: [Self]) -> Snapshot.Numbers
  /// `nil` for numbers of another type.
  static func unwrap(_ numbers: Snapshot.Numbers) -> [Self]?
}

extension Double: SnapshotElement {
  /// The numbers with their type.
  public static func wrap(_ values: [Double]) -> Snapshot.Numbers { .doubles(values) }
  /// The numbers, if they are of this type.
  public static func unwrap(_ numbers: Snapshot.Numbers) -> [Double]? {
    if case .doubles(let values) = numbers { values } else { nil }
  }
}

extension Float: SnapshotElement {
  /// The numbers with their type.
  public static func wrap(_ values: [Float]) -> Snapshot.Numbers { .floats(values) }
  /// The numbers, if they are of this type.
  public static func unwrap(_ numbers: Snapshot.Numbers) -> [Float]? {
    if case .floats(let values) = numbers { values } else { nil }
  }
}

extension Int64: SnapshotElement {
  /// The numbers with their type.
  public static func wrap(_ values: [Int64]) -> Snapshot.Numbers { .integers(values) }
  /// The numbers, if they are of this type.
  public static func unwrap(_ numbers: Snapshot.Numbers) -> [Int64]? {
    if case .integers(let values) = numbers { values } else { nil }
  }
}

extension UInt8: SnapshotElement {
  /// The numbers with their type.
  public static func wrap(_ values: [UInt8]) -> Snapshot.Numbers { .bytes(values) }
  /// The numbers, if they are of this type.
  public static func unwrap(_ numbers: Snapshot.Numbers) -> [UInt8]? {
    if case .bytes(let values) = numbers { values } else { nil }
  }
}

/// A snapshot that does not hold what is looked for: one of another version of the program.
public struct SnapshotError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Of the value.
  public let name: String
  /// What stands there.
  public let found: String

  /// What was looked for by `name`, and what was found in its place.
  public init(name: String, found: String) {
    self.name = name
    self.found = found
  }

  /// As messages show it.
  public var description: String { "\(name) of a checkpoint: found \(found); expected what this version saves" }
}
