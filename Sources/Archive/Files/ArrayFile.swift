public import DaunceState

/// A named array of numbers with a shape, in row-major order.
public struct NamedArray: Sendable, Hashable {
  /// Numbers of one of the types that are stored.
  public typealias Values = NumberArray

  public let name: String
  /// Length of each dimension; empty for a single number.
  public let shape: [Int]
  public var values: Values

  /// An array with as many values as `shape` has places.
  public init(_ name: String, shape: [Int], _ values: Values) {
    self.name = name
    self.shape = shape
    self.values = values
  }

  /// A one-dimensional array of doubles.
  public init(_ name: String, _ values: [Double]) { self.init(name, shape: [values.count], .doubles(values)) }
  /// A one-dimensional array of floats.
  public init(_ name: String, _ values: [Float]) { self.init(name, shape: [values.count], .floats(values)) }
  /// A one-dimensional array of integers.
  public init(_ name: String, _ values: [Int64]) { self.init(name, shape: [values.count], .integers(values)) }
}

/// Named arrays and notes: networks, optimiser states, multipliers, checkpoints. Values come back bit for bit.
///
///     dimensions:
///       n16 = 16 ; n19 = 19 ;
///     variables:
///       double weights(n16, n19) ;  int64 step ; ...
///     // global attributes:
///       :notes as given ;
///
/// Only a file whose seal is whole is read: what a network is made of has to be exactly what was trained.
public struct ArrayFile: Sendable {
  /// Arrays in the order in which they are written.
  public var arrays: [NamedArray]
  /// Notes that come back as global attributes, beside the provenance.
  public var attributes: [Attribute]
  /// Digest of the file that was read (XXH64), or 0.
  public private(set) var digest: UInt64 = 0
  /// For messages.
  private var path = "arrays"

  /// A file of these arrays, with attributes of the whole.
  public init(arrays: [NamedArray] = [], attributes: [Attribute] = []) {
    self.arrays = arrays
    self.attributes = attributes
  }

  /// Writes the file. Returns its digest.
  @discardableResult
  public func write(to path: String, provenance: Provenance) throws(ArchiveError) -> UInt64 {
    let writer = try DatasetWriter(path: path, provenance: provenance)
    for attribute in attributes { try writer.set(attribute) }
    var dimensions: [DatasetWriter.Dimension] = []
    for array in arrays {
      guard array.shape.allSatisfy({ $0 >= 0 }), array.values.count == array.shape.reduce(1, *) else {
        throw ArchiveError(
          .wrongSize, path: path, object: "variable \(array.name)", found: "\(array.values.count) values",
          expected: "as many as shape \(array.shape) has")
      }
      // Arrays share dimensions by length; a square matrix has two of them, since no variable may have one twice.
      var over: [DatasetWriter.Dimension] = []
      for length in array.shape {
        let earlier = over.count { $0.length == length }
        let name = earlier == 0 ? "n\(length)" : "n\(length)_\(earlier + 1)"
        if let known = dimensions.first(where: { $0.name == name }) {
          over.append(known)
        } else {
          let dimension = try writer.dimension(name, length: length)
          dimensions.append(dimension)
          over.append(dimension)
        }
      }
      func write<Element: ArchiveElement>(_ values: [Element]) throws(ArchiveError) {
        // CF asks for a name in words.
        let words = String(array.name.map { $0 == "_" ? " " : $0 })
        try writer.write(
          values,
          to: writer.variable(array.name, of: Element.self, over: over, attributes: [Attribute("long_name", words)]))
      }
      switch array.values {
      case .doubles(let values): try write(values)
      case .floats(let values): try write(values)
      case .integers(let values): try write(values)
      case .bytes(let values): try write(values)
      }
    }
    return try writer.finish()
  }

  /// Reads a file that `write` wrote; throws if it is damaged or was changed since.
  public static func read(_ path: String) throws(ArchiveError) -> ArrayFile {
    let reader = try DatasetReader(path: path)
    guard let digest = reader.digest else {
      throw ArchiveError(
        .damaged, path: path, found: "no seal at the end of the file",
        expected: "a file as this program wrote it: this one is truncated, damaged or changed by another program")
    }
    var file = ArrayFile()
    file.path = path
    file.digest = digest
    for variable in reader.variables {
      let values: NamedArray.Values
      switch variable.typeName {
      case "double": values = .doubles(try reader.values(variable.name))
      case "float": values = .floats(try reader.values(variable.name))
      case "int64": values = .integers(try reader.values(variable.name))
      case "ubyte": values = .bytes(try reader.values(variable.name))
      default:
        throw ArchiveError(
          .wrongType, path: path, object: "variable \(variable.name)", found: "values of type \(variable.typeName)",
          expected: "double, float, int64 or ubyte")
      }
      file.arrays.append(NamedArray(variable.name, shape: variable.shape, values))
    }
    let provenance = ["Conventions", "title", "source", "history", "seed", "configuration"]
    for name in try reader.attributeNames() where !provenance.contains(name) && !name.hasPrefix("_") {
      file.attributes.append(Attribute(name, try reader.value(of: name)))
    }
    return file
  }

  // MARK: Looking up

  /// The array called `name`; throws if it is missing or of another shape. `shape` nil accepts any.
  public func array(_ name: String, shape: [Int]? = nil) throws(ArchiveError) -> NamedArray {
    let object = "variable \(name)"
    guard let array = arrays.first(where: { $0.name == name }) else {
      throw ArchiveError(.missingVariable, path: path, object: object, found: "no such array", expected: "it")
    }
    guard array.shape == shape ?? array.shape else {
      throw ArchiveError(
        .wrongSize, path: path, object: object, found: "shape \(array.shape)", expected: "\(shape ?? [])")
    }
    return array
  }

  /// The doubles called `name`; throws if they are missing, of another shape or type.
  public func doubles(_ name: String, shape: [Int]? = nil) throws(ArchiveError) -> [Double] {
    guard case .doubles(let values) = try array(name, shape: shape).values else { throw wrongType(name, "double") }
    return values
  }

  /// The floats called `name`; throws if they are missing, of another shape or type.
  public func floats(_ name: String, shape: [Int]? = nil) throws(ArchiveError) -> [Float] {
    guard case .floats(let values) = try array(name, shape: shape).values else { throw wrongType(name, "float") }
    return values
  }

  /// The integers called `name`; throws if they are missing, of another shape or type.
  public func integers(_ name: String, shape: [Int]? = nil) throws(ArchiveError) -> [Int64] {
    guard case .integers(let values) = try array(name, shape: shape).values else { throw wrongType(name, "int64") }
    return values
  }

  /// The note called `name`; throws if there is none.
  public func note(_ name: String) throws(ArchiveError) -> Attribute.Value {
    guard let attribute = attributes.first(where: { $0.name == name }) else {
      throw ArchiveError(
        .missingAttribute, path: path, object: "global attribute \(name)", found: "no such attribute", expected: "it")
    }
    return attribute.value
  }

  /// The text called `name`; throws if there is none.
  public func text(_ name: String) throws(ArchiveError) -> String {
    guard case .text(let text) = try note(name) else { throw wrongNote(name, "a text") }
    return text
  }

  /// The number called `name`; throws if there is none.
  public func number(_ name: String) throws(ArchiveError) -> Double {
    guard case .numbers(let values) = try note(name), values.count == 1 else { throw wrongNote(name, "one number") }
    return values[0]
  }

  /// The whole number called `name`; throws if there is none.
  public func integer(_ name: String) throws(ArchiveError) -> Int {
    guard case .integers(let values) = try note(name), values.count == 1 else {
      throw wrongNote(name, "one whole number")
    }
    return Int(values[0])
  }

  private func wrongType(_ name: String, _ expected: String) -> ArchiveError {
    ArchiveError(
      .wrongType, path: path, object: "variable \(name)", found: "values of another type", expected: expected)
  }

  private func wrongNote(_ name: String, _ expected: String) -> ArchiveError {
    ArchiveError(
      .wrongType, path: path, object: "global attribute \(name)", found: "a value of another type", expected: expected)
  }
}
