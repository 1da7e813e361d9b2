import DaunceArchive
import DaunceObservations
import DaunceState
import Testing

/// Observations as fields, as this program writes them and every reader finds them.
@Suite struct ObservationFileTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  @Test func fieldsComeBackWithTheMissing() throws {
    var values = numbers(16)
    values[3] = .nan
    for cell in 8..<16 { values[cell] = .nan }
    let path = folder.path("o.nc")
    try ObservationFile.write(
      fields: [values], times: [1, 2], to: path, layout: layout, variable: 1, errorVariance: 0.0063, seeds: nil,
      provenance: provenance)
    let table = try ObservationReaders.read(path)
    #expect(table.kinds == ["a"] && table.count == 16)
    #expect(table.times == [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2])
    #expect(zip(table.values, values).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN })
    #expect(table.errorVariances == [Double](repeating: 0.0063, count: 16))
    #expect(table.coordinates[0].values == (0..<16).map { 0.5 * Double($0 % 8) })
  }

  @Test func aFileOfSeveralTruthsGivesTheFirst() throws {
    let path = folder.path("o.nc")
    let fields = [numbers(16), numbers(16, from: 100), numbers(16, from: 200)]
    try ObservationFile.write(
      fields: fields, times: [1, 2], to: path, layout: layout, variable: 0, errorVariance: 1, seeds: [5, 6, 7],
      provenance: provenance)
    #expect(try ObservationFile.count(in: path) == 3)
    #expect(try ObservationReaders.read(path).values == fields[0])
  }

  @Test func aFunctionOfAFieldHasItsOwnName() throws {
    let path = folder.path("o.nc")
    var variances = [Double](repeating: 2, count: 8)
    variances[5] = 3
    try ObservationFile.write(
      [
        .init(variable: 1, name: "absolute_a", values: [numbers(8)], errorVariances: variances),
        .init(variable: 0, values: [numbers(8)], errorVariance: 1),
      ], times: [1], to: path, layout: layout, seeds: nil, provenance: provenance)
    let table = try ObservationReaders.read(path)
    #expect(table.kinds == ["absolute_a", "K"])
    #expect(table.errorVariances == variances + [Double](repeating: 1, count: 8))
  }
}
