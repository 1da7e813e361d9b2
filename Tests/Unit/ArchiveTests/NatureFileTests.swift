import DaunceArchive
import DaunceState
import Testing

@Suite struct NatureFileTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  private func truth(_ seed: UInt64) -> NatureRun {
    NatureRun(
      times: [1, 2, 3], states: numbers(48, from: Double(seed % 100)),
      diagnostics: [numbers(24, from: -Double(seed % 100))], seed: seed)
  }

  @Test func severalTruthsComeBackOneByOne() throws {
    let path = folder.path("n.nc")
    let truths = [truth(1), truth(.max), truth(3)]
    try NatureFile.write(
      truths, to: path, layout: layout, diagnostics: ["MJO"], asSeries: true, provenance: provenance)
    #expect(try NatureFile.count(in: path) == 3)
    for number in 0..<3 {
      #expect(try NatureFile.read(path, layout: layout, diagnostics: ["MJO"], truth: number) == truths[number])
    }
    let reader = try DatasetReader(path: path)
    let a = try reader.variable("a", over: [("truth", 3), ("time", 3), ("x", 8)])
    #expect(try reader.field(a, start: [2, 1, 0], count: [1, 1, 8]) == Array(truths[2].states[24..<32]))
    #expect(
      failure { _ = try NatureFile.read(path, layout: layout, diagnostics: [], truth: -1) }?.problem == .wrongSize)
  }

  @Test func oneTruthNeedsNoDimension() throws {
    let path = folder.path("n.nc")
    try NatureFile.write(
      [truth(.max)], to: path, layout: layout, diagnostics: ["MJO"], asSeries: false, provenance: provenance)
    #expect(try NatureFile.read(path, layout: layout, diagnostics: ["MJO"]) == truth(.max))
    #expect(try NatureFile.count(in: path) == 1)
    #expect(try DatasetReader(path: path).variable("a").dimensions == ["time", "x"])
    let error = failure { _ = try NatureFile.read(path, layout: layout, diagnostics: [], truth: 1) }
    #expect(error?.problem == .missingDimension)
  }

  @Test func mistakesAreErrors() throws {
    let path = folder.path("n.nc")
    func write(_ truths: [NatureRun], asSeries: Bool = true) -> ArchiveError? {
      failure {
        try NatureFile.write(
          truths, to: path, layout: layout, diagnostics: ["MJO"], asSeries: asSeries, provenance: provenance)
      }
    }
    var other = truth(2)
    other.times[1] = 2.5
    #expect(write([truth(1), other])?.problem == .wrongSize)
    #expect(write([truth(1), truth(2)], asSeries: false)?.problem == .wrongSize)
    #expect(write([])?.problem == .wrongSize)
    #expect(folder.names.isEmpty)

    other = truth(2)
    other.states[17] = .nan
    #expect(write([truth(1), other]) == nil)
    let error = failure { _ = try NatureFile.read(path, layout: layout, diagnostics: ["MJO"], truth: 1) }
    #expect(error?.description.hasSuffix("variable K: nan at time 1, x 1; expected a finite number") == true)
    #expect(failure { _ = try NatureFile.read(path, layout: layout, diagnostics: ["MJO"], truth: 0) } == nil)
    #expect(
      failure { _ = try NatureFile.read(path, layout: layout, diagnostics: ["ENSO"]) }?.problem == .missingVariable)
  }
}
