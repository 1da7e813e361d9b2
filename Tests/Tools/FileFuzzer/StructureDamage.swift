import DaunceArchive

/// Files whose bytes are whole and whose contents are wrong: another program's mistakes, and other versions'. A file is
/// taken apart, changed, and written anew with a seal.
struct StructureDamage {
  private struct Field {
    var name: String
    var dimensions: [String]
    var values: [Double]
    /// 0: double, 1: float, 2: int, 3: int64, 4: texts.
    var kind: Int
    var attributes: [Attribute]
  }

  private var lengths: [(name: String, length: Int)] = []
  private var fields: [Field] = []
  private var attributes: [Attribute] = []

  private static let names = [
    "K", "R", "Z", "a", "time", "x", "member", "truth", "seeds", "obs", "value", "variable", "error_variance",
    "a_error_variance", "K_error_variance", "energy", "min_a", "a_mean", "K_spread", "MJO_mean", "multiplier",
    "constraint",
    "covariance", "state", "state_2", "policy_sizes", "policy_parameters", "é", "A",
    "error", "quality", "hx", "n", "m", "t@ObsValue", "t@ObsError", "b@PreQC", "latitude@MetaData", "dateTime@MetaData",
  ]
  private static let notes = [
    "_FillValue", "missing_value", "scale_factor", "add_offset", "error_variance", "length", "valid_min", "long_name",
    "time",
    "cycle", "seed", "members", "window", "rank_persistence", "controls", "base", "multiplier_form", "observed", "cells",
    "coordinates", "units", "standard_name", "ancillary_variables", "flag_values", "flag_meanings", "featureType",
    "error_sd", "_ioda_layout",
  ]

  private static let words = [
    "", "truth", "none", "direct", "a", "K R Z a", "mjo-skeleton", "7", "é\0x", "n m t", "lat lon", "point",
  ]

  /// The parts of a whole file.
  init(path: String) throws {
    let reader = try DatasetReader(path: path)
    lengths = reader.dimensions.map { ($0.name, $0.length) }
    for variable in reader.variables {
      let kind = ["double": 0, "float": 1, "int": 2, "int64": 3][variable.typeName] ?? 4
      var notes: [Attribute] = []
      for name in try reader.attributeNames(of: variable.name) {
        if let text = try? reader.text(name, of: variable.name) {
          notes.append(Attribute(name, text))
        } else if let numbers = try reader.numbers(name, of: variable.name) {
          notes.append(Attribute(name, .numbers(numbers)))
        }
      }
      fields.append(
        Field(
          name: variable.name, dimensions: variable.dimensions, values: kind < 4 ? try reader.field(variable.name) : [],
          kind: kind, attributes: notes))
    }
    for name in try reader.attributeNames() { attributes.append(Attribute(name, try reader.value(of: name))) }
  }

  /// Writes the parts with one to four changes.
  func write(to path: String, _ chance: inout Chance) throws {
    var parts = self
    for _ in 0...chance.below(4) { parts.change(&chance) }
    try parts.store(to: path, &chance)
  }

  private mutating func change(_ chance: inout Chance) {
    let v = chance.below(fields.count)
    switch chance.below(12) {
    case 0 where !fields.isEmpty: fields.remove(at: v)
    case 1 where !fields.isEmpty: fields[v].name = chance.pick(Self.names)
    case 2 where !fields.isEmpty: fields[v].kind = chance.below(5)
    case 3 where !fields.isEmpty: fields[v].dimensions.shuffle(&chance)
    case 4 where !fields.isEmpty && !lengths.isEmpty:
      if chance.once(in: 2) {
        fields[v].dimensions.append(chance.pick(lengths).name)
      } else if !fields[v].dimensions.isEmpty {
        fields[v].dimensions.remove(at: chance.below(fields[v].dimensions.count))
      }
    case 5 where !lengths.isEmpty: lengths[chance.below(lengths.count)].length = chance.pick([0, 1, 2, 3, 7, 1000])
    case 6 where !lengths.isEmpty: rename(chance.below(lengths.count), chance.pick(Self.names))
    case 7, 8:
      for _ in 0...chance.below(4) where !fields.isEmpty && !fields[v].values.isEmpty {
        fields[v].values[chance.below(fields[v].values.count)] = number(&chance)
      }
    case 9 where !attributes.isEmpty && chance.once(in: 2): attributes.remove(at: chance.below(attributes.count))
    case 9 where !attributes.isEmpty:
      let i = chance.below(attributes.count)
      attributes[i] = attribute(attributes[i].name, &chance)
    case 10: replace(&attributes, attribute(chance.pick(Self.notes), &chance))
    default:
      guard !fields.isEmpty else { return }
      replace(&fields[v].attributes, attribute(chance.pick(Self.notes), &chance))
    }
  }

  private mutating func rename(_ dimension: Int, _ name: String) {
    let old = lengths[dimension].name
    lengths[dimension].name = name
    for v in fields.indices { fields[v].dimensions = fields[v].dimensions.map { $0 == old ? name : $0 } }
  }

  private func replace(_ attributes: inout [Attribute], _ attribute: Attribute) {
    attributes.removeAll { $0.name == attribute.name }
    attributes.append(attribute)
  }

  private func number(_ chance: inout Chance) -> Double {
    chance.pick([
      0, -1, 1, .nan, .infinity, -.infinity, 1e308, -1e308, 1e-300, 0x1p63, -0x1p63, 0x1p53, 9.969209968386869e+36,
      1e-4, 2.5,
      100_000, 100_001,
    ])
  }

  private func attribute(_ name: String, _ chance: inout Chance) -> Attribute {
    switch chance.below(5) {
    case 0: Attribute(name, chance.pick(Self.words))
    case 1: Attribute(name, .numbers((0..<chance.below(3)).map { _ in number(&chance) }))
    case 2: Attribute(name, .integers([chance.pick([0, 1, -1, 3, .max, .min, 1 << 40])]))
    case 3: Attribute(name, .unsigned([chance.pick([0, 1, .max, 1 << 63])]))
    default: Attribute(name, number(&chance))
    }
  }

  /// As much as can be written: what the library refuses (a name twice) is left out.
  private func store(to path: String, _ chance: inout Chance) throws {
    let origin = Provenance(title: "", version: "", commit: "", history: "", seed: 0, configuration: "")
    let writer = try DatasetWriter(path: path, provenance: origin)
    var dimensions: [String: DatasetWriter.Dimension] = [:]
    for (name, length) in lengths {
      let grows = chance.once(in: 16)
      if let made = try? writer.dimension(name, length: grows ? nil : length) { dimensions[name] = made }
    }
    // HDF5 1.10 does not always take an attribute for the second time.
    for attribute in attributes where !origin.attributes.contains(where: { $0.name == attribute.name }) {
      try? writer.set(attribute)
    }
    for field in fields {
      let over = field.dimensions.compactMap { dimensions[$0] }
      let shape = over.map { $0.length ?? 3 }
      let count = shape.reduce(1, *)
      guard count <= 1 << 16 else { continue }
      // Numbers come again where there are not enough of them.
      func values<Element>(_ convert: (Double) -> Element) -> [Element] {
        (0..<count).map { convert(field.values.isEmpty ? Double($0) : field.values[$0 % field.values.count]) }
      }
      func put<Element: ArchiveElement>(_ values: [Element]) {
        guard let variable = try? writer.variable(field.name, of: Element.self, over: over, attributes: []) else {
          return
        }
        // A fill value of another type is refused, and then the library cannot close the file.
        for attribute in field.attributes where attribute.name != "_FillValue" || Element.elementType == .double {
          try? writer.set(attribute, of: variable)
        }
        try? writer.write(values, to: variable, start: shape.map { _ in 0 }, count: shape)
      }
      switch field.kind {
      case 0: put(values { $0 })
      case 1: put(values { Float($0) })
      case 2: put(values { Int32(exactly: $0.rounded()) ?? .min })
      case 3: put(values { Int64(exactly: $0.rounded()) ?? .min })
      default:
        let texts = (0..<(over.first?.length ?? 1)).map { _ in chance.pick(Self.names + ["", " ", "a ", "direct"]) }
        try? writer.write(texts: texts, as: field.name, over: over.first)
      }
    }
    try writer.finish()
  }
}

extension Array {
  fileprivate mutating func shuffle(_ chance: inout Chance) {
    for i in indices.reversed() { swapAt(i, chance.below(i + 1)) }
  }
}
