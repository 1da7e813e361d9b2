public import DaunceObservations

/// Observations of JEDI: IODA files, in groups (`_ioda_layout = "ObsGroup"`) or, older ones, flat.
///
///     dimensions:
///       Location = 1000 ;  Channel = 15 ;
///     group: MetaData { float latitude(Location) ;  float longitude(Location) ;  int64 dateTime(Location) ; ... }
///     group: ObsValue { float airTemperature(Location) ;  float brightnessTemperature(Location, Channel) ; ... }
///     group: ObsError { ... the same names: standard deviations ... }
///     group: PreQC { ... the same names: whole numbers ... }
///
/// Every variable of `ObsValue` is a kind; one with channels gives a kind for each, as `brightnessTemperature_7`. In
/// flat files they are called `air_temperature@ObsValue`, along `nlocs`. Marks 0 to 3 of `PreQC` or `QualityMarker` are
/// good (prepBUFR's "keep always" to "suspect, but not rejected") and become 0; a missing mark is -1, and so bad.
public enum IODAReader: ObservationReader {
  public static let name = "ioda"
  public static let summary = "JEDI's NetCDF with groups ObsValue, ObsError and MetaData"

  public static func recognises(_ file: ObservationFileContents) -> Bool {
    guard let dataset = file.dataset else { return false }
    return dataset.variables.contains { $0.name.hasSuffix("@ObsValue") } || !dataset.note("_ioda_layout").isEmpty
  }

  public static func read(_ file: ObservationFileContents) throws(ArchiveError) -> ObservationTable {
    guard let dataset = file.dataset else {
      throw ArchiveError(.notNetCDF, path: file.path, found: "no NetCDF file", expected: summary)
    }
    let observed = dataset.variables.filter { $0.name.hasSuffix("@ObsValue") }
    guard let location = observed.first?.dimensions.first else {
      let present = dataset.variables.map(\.name).joined(separator: ", ")
      throw ArchiveError(
        .missingVariable, path: file.path, object: "group ObsValue",
        found: "no variable in it (variables: \(present))", expected: "at least one along Location")
    }
    var frame = TableBuilder.Block(kind: "", values: [])
    try addTimes(to: &frame, dataset, location)
    frame.coordinates = try coordinates(dataset, location)
    var builder = TableBuilder(source: file.path)
    for variable in observed { try add(variable, frame, location, to: &builder, dataset) }
    return builder.finished
  }

  // MARK: Values

  private static func add(
    _ variable: DatasetReader.Variable, _ frame: TableBuilder.Block, _ location: String,
    to builder: inout TableBuilder, _ dataset: DatasetReader
  ) throws(ArchiveError) {
    let name = String(variable.name.dropLast("@ObsValue".count))
    let over = variable.dimensions
    guard over.first == location, over.count <= 2 else {
      throw ArchiveError(
        .wrongDimensions, path: dataset.path, object: "variable \(variable.name)",
        found: "dimensions (\(over.joined(separator: ", ")))", expected: "(\(location)) or (\(location), channels)")
    }
    let values = missing(try dataset.column(variable.name, over: over))
    var variances: [Double] = []
    if dataset.find(name + "@ObsError") != nil {
      variances = DatasetReader.variances(
        ofDeviations: missing(try dataset.column(name + "@ObsError", over: over)))
    }
    var quality: [Int32] = []
    if let group = ["PreQC", "QualityMarker"].first(where: { dataset.find("\(name)@\($0)") != nil }) {
      quality = try dataset.marks("\(name)@\(group)", over: over, missing: -1).map { 0...3 ~= $0 ? 0 : $0 }
    }
    guard over.count == 2 else {
      var block = frame
      (block.kind, block.values, block.variances, block.quality) = (name, values, variances, quality)
      return try builder.append(block)
    }
    let width = variable.shape[1]
    for (c, channel) in try channels(dataset, over[1], width).enumerated() {
      var block = frame
      func part<Element>(_ all: [Element]) -> [Element] {
        all.isEmpty ? [] : stride(from: c, to: all.count, by: width).map { all[$0] }
      }
      (block.kind, block.values) = ("\(name)_\(channel)", part(values))
      (block.variances, block.quality) = (part(variances), part(quality))
      try builder.append(block)
    }
  }

  /// Numbers of the channels; 1, 2, ... where the file does not say.
  private static func channels(
    _ dataset: DatasetReader, _ dimension: String, _ count: Int
  ) throws(ArchiveError) -> [Int] {
    for name in [dimension, "sensorChannelNumber@MetaData", "sensor_channel@VarMetaData"] {
      guard let variable = dataset.find(name), variable.dimensions == [dimension] else { continue }
      let numbers = try dataset.field(name).compactMap { Int(exactly: $0) }
      // Written as zeros where a program gave the dimension no numbers.
      if Set(numbers).count == count { return numbers }
    }
    return Array(1..<(count + 1))
  }

  /// JEDI's marks for missing numbers, whatever the file's attributes say.
  private static func missing(_ values: [Double]) -> [Double] {
    values.map { abs($0) > 9.9e36 ? .nan : $0 }
  }

  // MARK: Places and times

  private static func coordinates(
    _ dataset: DatasetReader, _ location: String
  ) throws(ArchiveError) -> [TableBuilder.Column] {
    var columns: [TableBuilder.Column] = []
    for (name, names, units) in [
      ("longitude", ["longitude"], "degrees_east"), ("latitude", ["latitude"], "degrees_north"),
      ("height", ["height", "altitude"], "m"), ("pressure", ["pressure", "air_pressure"], "Pa"),
      ("depth", ["depth", "depthBelowWaterSurface"], "m"),
    ] {
      guard let found = names.map({ $0 + "@MetaData" }).first(where: { dataset.find($0) != nil }) else { continue }
      let given = dataset.note("units", of: found)
      let values = missing(try dataset.column(found, over: [location]))
      columns.append((name, given.isEmpty ? units : given, values))
    }
    for needed in ["longitude", "latitude"] where !columns.contains(where: { $0.name == needed }) {
      throw ArchiveError(
        .missingVariable, path: dataset.path, object: "group MetaData", found: "no variable \(needed)",
        expected: "\(needed)(\(location))")
    }
    return columns
  }

  private static func addTimes(
    to frame: inout TableBuilder.Block, _ dataset: DatasetReader, _ location: String
  ) throws(ArchiveError) {
    for name in ["dateTime@MetaData", "datetime@MetaData"] {
      guard let variable = dataset.find(name) else { continue }
      if DatasetReader.isNumeric(variable) {
        let values = try dataset.column(name, over: [location])
        // The smallest whole numbers are JEDI's marks for missing ones.
        frame.times = values.map { $0 <= -9e18 ? .nan : $0 }
        frame.timeUnits = dataset.note("units", of: name)
      } else {
        frame.times = try dates(dataset, name, location)
        frame.timeUnits = Timestamp.units
      }
      return
    }
    guard dataset.find("time@MetaData") != nil else { return }
    // Hours from a date such as 2018041500.
    let date = try dataset.integer("date_time") ?? -1
    let (year, month, day) = (Int(date / 1_000_000), Int(date / 10_000 % 100), Int(date / 100 % 100))
    guard 0..<24 ~= date % 100, let days = Timestamp.days(year: year, month: month, day: day) else {
      throw ArchiveError(
        .missingAttribute, path: dataset.path, object: "global attribute date_time",
        found: date == -1 ? "no such attribute" : "\(date)",
        expected: "a date such as 2018041500, from which time@MetaData counts hours")
    }
    let start = Double(days) * 86400 + Double(date % 100) * 3600
    let hours = missing(try dataset.column("time@MetaData", over: [location]))
    // Floats of hours are good to some hundredths of a second.
    frame.times = hours.map { start + ($0 * 3600).rounded() }
    frame.timeUnits = Timestamp.units
  }

  private static func dates(
    _ dataset: DatasetReader, _ name: String, _ location: String
  ) throws(ArchiveError) -> [Double] {
    let texts = try dataset.texts(name)
    guard texts.count == (try dataset.length(of: location)) else {
      throw ArchiveError(
        .wrongSize, path: dataset.path, object: "variable \(name)", found: "\(texts.count) dates",
        expected: "one for each location")
    }
    var times: [Double] = []
    for (i, text) in texts.enumerated() {
      guard let seconds = text.isEmpty ? .nan : Timestamp.seconds(text) else {
        throw ArchiveError(
          .wrongType, path: dataset.path, object: "variable \(name)", found: "\"\(text.prefix(60))\" at index \(i)",
          expected: "a date such as 2018-04-15T00:00:00Z")
      }
      times.append(seconds)
    }
    return times
  }
}
