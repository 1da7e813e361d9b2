public import DaunceObservations

/// Point data as the CF conventions have them (section 9 and appendix H.1): `featureType = "point"`.
///
///     dimensions:
///       obs = 1000 ;
///     variables:
///       double time(obs) ;  time:standard_name = "time" ;  time:units = "days since 2020-01-01" ;
///       float lat(obs) ;  lat:standard_name = "latitude" ;  float lon(obs) ; ...  float alt(obs) ; ...
///       float temp(obs) ;  temp:coordinates = "time lat lon alt" ;  temp:ancillary_variables = "temp_error" ;
///       float temp_error(obs) ;  temp_error:standard_name = "air_temperature standard_error" ;
///
/// Every variable with `coordinates` is a kind. Its error is the ancillary variable whose standard name ends in
/// `standard_error`, or its attribute `error_variance` or `error_sd`; its quality the one whose standard name ends in
/// `status_flag` and that has `flag_values` and `flag_meanings`. Coordinates are called as their standard names, those
/// without one as their variables.
public enum CFPointReader: ObservationReader {
  public static let name = "cf-point"
  public static let summary = "NetCDF with featureType = \"point\" and variables with coordinates"

  public static func recognises(_ file: ObservationFileContents) -> Bool {
    guard let dataset = file.dataset, dataset.note("featureType").lowercased() == "point" else { return false }
    return !observed(dataset).isEmpty
  }

  private static func observed(_ dataset: DatasetReader) -> [DatasetReader.Variable] {
    let ancillary = Set(dataset.variables.flatMap { dataset.words("ancillary_variables", of: $0.name) })
    return dataset.variables.filter {
      DatasetReader.isNumeric($0) && !ancillary.contains($0.name) && !dataset.words("coordinates", of: $0.name).isEmpty
    }
  }

  public static func read(_ file: ObservationFileContents) throws(ArchiveError) -> ObservationTable {
    guard let dataset = file.dataset else {
      throw ArchiveError(.notNetCDF, path: file.path, found: "no NetCDF file", expected: summary)
    }
    let observed = observed(dataset)
    guard let over = observed.first?.dimensions, over.count == 1 else {
      throw ArchiveError(
        .wrongDimensions, path: file.path, object: "variable \(observed.first?.name ?? "")",
        found: "dimensions (\(observed.first?.dimensions.joined(separator: ", ") ?? ""))", expected: "one dimension")
    }
    var builder = TableBuilder(source: file.path)
    for variable in observed {
      var block = TableBuilder.Block(
        kind: variable.name, values: try dataset.column(variable.name, over: over))
      block.variances = try variances(of: variable.name, dataset, over, block.values.count)
      block.quality = try quality(of: variable.name, dataset, over)
      try addCoordinates(of: variable, over, to: &block, dataset)
      try builder.append(block)
    }
    return builder.finished
  }

  private static func variances(
    of name: String, _ dataset: DatasetReader, _ over: [String], _ count: Int
  ) throws(ArchiveError) -> [Double] {
    for ancillary in dataset.words("ancillary_variables", of: name) {
      _ = try dataset.variable(ancillary)
      guard dataset.words("standard_name", of: ancillary).last == "standard_error" else { continue }
      return DatasetReader.variances(ofDeviations: try dataset.column(ancillary, over: over))
    }
    if let variance = try dataset.number("error_variance", of: name) {
      return [Double](repeating: variance, count: count)
    }
    guard let deviation = try dataset.number("error_sd", of: name) else { return [] }
    return [Double](repeating: DatasetReader.variances(ofDeviations: [deviation])[0], count: count)
  }

  /// Meanings of good marks begin so, unchecked ones included.
  private static let good = [
    "good", "probably_good", "pass", "ok", "valid", "no_q", "not_evaluated", "not_checked", "unknown",
  ]

  /// 0 where the flag's meaning is good, else the flag itself; empty where there is no flag with meanings.
  private static func quality(
    of name: String, _ dataset: DatasetReader, _ over: [String]
  ) throws(ArchiveError) -> [Int32] {
    for flag in dataset.words("ancillary_variables", of: name) {
      guard dataset.words("standard_name", of: flag).last == "status_flag" else { continue }
      let meanings = dataset.words("flag_meanings", of: flag).map { $0.lowercased() }
      let numbers = (try? dataset.numbers("flag_values", of: flag)) ?? []
      guard !meanings.isEmpty, numbers.count == meanings.count else { continue }
      var isGood: [Double: Bool] = [:]
      for (number, meaning) in zip(numbers, meanings) { isGood[number] = good.contains { meaning.hasPrefix($0) } }
      let marks = try dataset.marks(flag, over: over, missing: -1)
      return marks.map { isGood[Double($0)] == true ? 0 : $0 == 0 ? -1 : $0 }
    }
    return []
  }

  private static func addCoordinates(
    of variable: DatasetReader.Variable, _ over: [String], to block: inout TableBuilder.Block, _ dataset: DatasetReader
  ) throws(ArchiveError) {
    var names = dataset.words("coordinates", of: variable.name)
    // The dimension's own variable need not be named.
    if !names.contains(over[0]), dataset.find(over[0]) != nil, dataset.meaning(of: over[0]) != nil {
      names.append(over[0])
    }
    for name in names {
      let coordinate = try dataset.variable(name)
      // Names of stations and the like.
      guard DatasetReader.isNumeric(coordinate) else { continue }
      let values =
        coordinate.dimensions.isEmpty
        ? [Double](repeating: try dataset.field(name)[0], count: block.values.count)
        : try dataset.column(name, over: over)
      let (meaning, units) = (dataset.meaning(of: name) ?? name, dataset.note("units", of: name))
      if meaning == "time" {
        (block.times, block.timeUnits, block.calendar) = (values, units, dataset.calendar(of: name))
      } else if !block.coordinates.contains(where: { $0.name == meaning }) {
        block.coordinates.append((meaning, units, values))
      }
    }
    for needed in ["latitude", "longitude"] where !block.coordinates.contains(where: { $0.name == needed }) {
      throw ArchiveError(
        .missingVariable, path: dataset.path, object: "attribute coordinates of \(variable.name)",
        found: "no variable with the standard name \(needed) among \(names.joined(separator: ", "))", expected: "one")
    }
  }
}
