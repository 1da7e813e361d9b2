public import DaunceObservations

/// One file format of observations. A new format is a file with a type like this and a line in
/// `ObservationReaders.all`.
public protocol ObservationReader: Sendable {
  /// Short name: `csv`.
  static var name: String { get }
  /// What a file of this format is, for messages: `CSV with a column value`.
  static var summary: String { get }
  /// Whether a file is of this format, told by its contents and never by its name.
  static func recognises(_ file: ObservationFileContents) -> Bool
  /// Everything in the file, in the file's order; missing numbers are not a number.
  ///
  /// Throws one error that names the file, the line or variable, what was found and what was expected.
  static func read(_ file: ObservationFileContents) throws(ArchiveError) -> ObservationTable
}

/// Every format of observations that the program reads.
public enum ObservationReaders {
  /// In the order in which they are asked: what says itself what it is comes before what is told by its variables.
  public static let all: [any ObservationReader.Type] = [
    DARTReader.self,
    IODAReader.self,
    CFPointReader.self,
    PointsReader.self,
    FieldsReader.self,
    CSVReader.self,
  ]

  /// The observations of a file of any format, perhaps none.
  ///
  /// Throws if the file cannot be read, if no format is recognised, or what the format's reader throws. Values, places
  /// and times are finite or missing, error variances positive or missing.
  ///
  /// - Parameter known: coordinates of dimensions by name, for files that do without: those of a model whose fields were
  ///   observed.
  public static func read(
    _ path: String, known: [String: [Double]] = [:]
  ) throws(ArchiveError) -> ObservationTable {
    let file = try ObservationFileContents(path: path, known: known)
    for reader in all where reader.recognises(file) {
      var table = try reader.read(file)
      try table.check()
      return table
    }
    let formats = all.map { "\($0.name) (\($0.summary))" }.joined(separator: "; ")
    throw ArchiveError(.unknownFormat, path: path, found: file.outline, expected: "observations in one of: \(formats)")
  }
}

/// A file whose format is not known yet: its bytes, or its variables if it is NetCDF.
public final class ObservationFileContents {
  public let path: String
  /// The file's variables and attributes; `nil` if it is not NetCDF.
  public let dataset: DatasetReader?
  /// The file's bytes as text; empty if it is NetCDF.
  let text: ByteText
  /// Coordinates of dimensions that the file may do without.
  let known: [String: [Double]]

  /// Reads a file, or throws if that is impossible; a damaged NetCDF file is an error here already.
  public init(path: String, known: [String: [Double]] = [:]) throws(ArchiveError) {
    self.path = path
    self.known = known
    let contents = try FileContents(path: path, expected: "a file of observations")
    let bytes = contents.bytes
    if bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) || bytes.starts(with: Array("CDF".utf8)) {
      dataset = try DatasetReader(path: path, contents: contents)
      text = ByteText(nil)
    } else {
      dataset = nil
      text = ByteText(contents)
    }
  }

  /// What the file holds, in a few words.
  var outline: String {
    if let dataset {
      let names = dataset.variables.prefix(12).map { "\($0.name)(\($0.dimensions.joined(separator: ", ")))" }
      let rest = dataset.variables.count > 12 ? ", ..." : ""
      return names.isEmpty ? "NetCDF without variables" : "NetCDF with \(names.joined(separator: ", "))\(rest)"
    }
    var lines = text.lines
    if let line = lines.nextFilled() { return "a first line \(text.quoted(line))" }
    return text.count == 0 ? "an empty file" : "an empty text"
  }
}

extension ObservationTable {
  /// Checks and tidies what every reader has to give.
  ///
  /// Infinite values and variances that are not positive are errors where the observation would be used. Where it is
  /// missing, or marked as bad, such a variance counts as missing: programs leave anything there.
  mutating func check() throws(ArchiveError) {
    for i in 0..<count {
      if values[i].isInfinite { throw infinite("value", values[i], i) }
      if !times.isEmpty, times[i].isInfinite { throw infinite("time", times[i], i) }
      let variance = errorVariances[i]
      if variance.isNaN || variance > 0 && variance.isFinite { continue }
      guard values[i].isNaN || quality[i] != 0 else {
        throw ArchiveError(
          .badVariance, path: source, object: "observation \(i + 1)", found: "the error variance \(variance)",
          expected: "a positive, finite one, or none")
      }
      errorVariances[i] = .nan
    }
    for column in coordinates {
      for (i, value) in column.values.enumerated() where value.isInfinite { throw infinite(column.name, value, i) }
    }
    for m in memberValues.indices {
      for (i, value) in memberValues[m].enumerated() where value.isInfinite {
        throw infinite("h(x) of member \(m)", value, i)
      }
    }
  }

  private func infinite(_ name: String, _ value: Double, _ i: Int) -> ArchiveError {
    ArchiveError(
      .notFinite, path: source, object: "observation \(i + 1)", found: "the \(name) \(value)",
      expected: "a finite number, or a missing one")
  }
}

/// Names that get numbers in the order in which they come.
struct Names {
  private(set) var all: [String] = []
  private var numbers: [String: Int32] = [:]

  /// The number of a name.
  mutating func number(_ name: String) -> Int32 {
    if let number = numbers[name] { return number }
    let number = Int32(all.count)
    numbers[name] = number
    all.append(name)
    return number
  }
}
