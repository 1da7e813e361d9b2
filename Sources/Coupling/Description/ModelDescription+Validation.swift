public import DaunceSettings

extension ModelDescription {
  /// Refuses values outside their keys' rules, names that are used twice or mean nothing, and what is missing.
  public func validate(source: ConfigurationError.Source) throws(ConfigurationError) {
    let problems = misfits(source: source) + complaints.map { $0.problem(source) }
    guard problems.isEmpty else { throw ConfigurationError(problems) }
  }

  /// Something that does not go with the rest.
  private struct Complaint {
    let key: String
    let found: String
    let expected: String

    init(_ key: String, _ found: String, _ expected: String) { (self.key, self.found, self.expected) = (key, found, expected) }

    func problem(_ source: ConfigurationError.Source) -> ConfigurationError.Problem {
      .init(.contradiction, source: source, keys: [key], found: found, expected: expected)
    }
  }

  private var complaints: [Complaint] {
    var all = names("axes", axes.map(\.name)) + names("dimensions", dimensions.map(\.name))
    all += names("grids", grids.map(\.name)) + names("fields", (fields + observed).map(\.name))
    all += names("invariants", invariants.map(\.name))
    if timeStep == nil { all.append(Complaint("time_step", "nothing", "a number above 0")) }
    if fields.isEmpty { all.append(Complaint("fields", "none", "at least one")) }
    if axes.count > 3 { all.append(Complaint("axes", "\(axes.count)", "three at most")) }
    if sphere != nil, axes.count < 2 {
      all.append(Complaint("sphere", "\(axes.count) axes", "longitude and latitude as the first two"))
    }
    for (k, one) in dimensions.enumerated() { all += complaints(about: one, "dimensions[\(k)]") }
    for (k, grid) in grids.enumerated() {
      all += known(grid.dimensions, among: dimensions.map(\.name), "grids[\(k)].dimensions")
      if grid.places != nil, axes.isEmpty { all.append(Complaint("grids[\(k)].places", "no axes", "axes for the places")) }
    }
    for (list, fields) in [("fields", fields), ("observed", observed)] {
      for (k, field) in fields.enumerated() { all += complaints(about: field, "\(list)[\(k)]") }
    }
    for (k, one) in invariants.enumerated() {
      all += known(one.fields ?? [], among: fields.map(\.name), "invariants[\(k)].fields")
      if one.fields == nil { all.append(Complaint("invariants[\(k)].fields", "none", "at least one")) }
    }
    all += known([observing.field].compactMap { $0 }, among: (fields + observed).map(\.name), "observing.field")
    return all
  }

  private func names(_ list: String, _ names: [String]) -> [Complaint] {
    names.enumerated().compactMap { k, name in
      if name.isEmpty { return Complaint("\(list)[\(k)].name", "nothing", "a name") }
      return names[..<k].contains(name) ? Complaint("\(list)[\(k)].name", "\(name) again", "every name once") : nil
    }
  }

  private func known(_ names: [String], among known: [String], _ key: String) -> [Complaint] {
    names.filter { !known.contains($0) }.map {
      Complaint(key, $0, known.isEmpty ? "none, for there is none" : "one of \(known.joined(separator: ", "))")
    }
  }

  private func complaints(about dimension: DescribedDimension, _ place: String) -> [Complaint] {
    var all = known([dimension.axis].compactMap { $0 }, among: axes.map(\.name), "\(place).axis")
    let given = dimension.coordinates
    if dimension.length == nil, given == nil { all.append(Complaint("\(place).length", "nothing", "a number of cells")) }
    if let given, let length = dimension.length, given.count != length {
      all.append(Complaint("\(place).coordinates", "\(given.count) numbers", "\(length), as length says"))
    }
    if let given, dimension.array != nil || dimension.spacing != nil {
      all.append(Complaint("\(place).coordinates", "\(given.count) numbers", "coordinates, array or spacing: one of them"))
    }
    if let given, !Self.isMonotonic(given) {
      all.append(Complaint("\(place).coordinates", "\(given)", "numbers that ascend or descend"))
    }
    if dimension.spacing == 0 { all.append(Complaint("\(place).spacing", "0", "another number")) }
    return all
  }

  /// Whether numbers ascend or descend, none twice.
  static func isMonotonic(_ numbers: [Double]) -> Bool {
    let steps = zip(numbers, numbers.dropFirst()).map { $1 - $0 }
    return steps.allSatisfy { $0 > 0 } || steps.allSatisfy { $0 < 0 }
  }

  private func complaints(about field: DescribedField, _ place: String) -> [Complaint] {
    var all = known([field.grid].compactMap { $0 }, among: grids.map(\.name), "\(place).grid")
    if let lower = field.lower, let upper = field.upper, lower >= upper {
      all.append(Complaint("\(place).lower", "\(lower)", "less than upper, \(upper)"))
    }
    return all
  }
}
