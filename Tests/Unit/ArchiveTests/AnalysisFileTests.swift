import DaunceArchive
import DaunceState
import Testing

@Suite struct AnalysisFileTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  private func contents(cycles: Int?, truths: [UInt64]? = nil, everything: Bool = true) -> AnalysisContents {
    var contents = AnalysisContents(
      layout: layout, diagnostics: ["MJO", "E"], memberCount: 3, cycles: cycles, truthSeeds: truths)
    if everything {
      contents.constraints = ["energy", "invariant"]
      contents.keepsMembers = true
      contents.keepsCovariance = true
    }
    return contents
  }

  /// A record whose every number tells where it belongs.
  private func record(_ contents: AnalysisContents, cycle: Int, truth: Int = 0) -> AnalysisRecord {
    var record = AnalysisRecord(for: contents)
    record.time = Double(cycle + 1) / 4
    var base = Double(1000 * cycle + 1_000_000 * truth)
    func fill(_ part: inout [Double]) {
      for i in part.indices { part[i] = base + Double(i) }
      base += 100
    }
    fill(&record.mean)
    fill(&record.spread)
    fill(&record.diagnosticMean)
    fill(&record.diagnosticSpread)
    fill(&record.energies)
    fill(&record.minima)
    fill(&record.multipliers)
    fill(&record.members)
    fill(&record.covariance)
    return record
  }

  @Test(arguments: [nil, 800], [nil, [7, 8]] as [[UInt64]?])
  func everyRecordComesBack(cycles: Int?, truths: [UInt64]?) throws {
    let contents = contents(cycles: cycles, truths: truths)
    let path = folder.path("a.nc")
    let writer = try AnalysisWriter(path: path, contents: contents, provenance: provenance)
    let truthCount = truths?.count ?? 1
    // More cycles than one block takes.
    for truth in 0..<truthCount {
      for cycle in 0..<800 { try writer.append(record(contents, cycle: cycle, truth: truth), truth: truth) }
    }
    try writer.finish()
    let file = try AnalysisFile(path: path)
    #expect(file.times == (0..<800).map { Double($0 + 1) / 4 })
    #expect(file.fields == ["K", "a", "MJO", "E"])
    #expect(file.truthCount == truthCount)
    for truth in 0..<truthCount {
      for cycle in [0, 1, 400, 799] {
        #expect(
          try file.record(cycle: cycle, contents: contents, truth: truth)
            == record(contents, cycle: cycle, truth: truth))
      }
      let last = record(contents, cycle: 799, truth: truth)
      #expect(try file.mean(of: "a", truth: truth).suffix(8) == last.mean[8..<16])
      #expect(try file.spread(of: "E", truth: truth).suffix(8) == last.diagnosticSpread[8..<16])
      #expect(try file.energies(truth: truth).suffix(3) == last.energies[...])
      #expect(try file.minima(of: "a", truth: truth).last == last.minima[0])
      #expect(try file.multipliers(truth: truth).suffix(6) == last.multipliers[...])
      #expect(try file.members(of: "K", truth: truth).suffix(8) == last.members[32..<40])
      #expect(try file.covariance(cycle: 799, truth: truth) == last.covariance)
    }
    #expect(file.keepsMembers(of: "K") && !file.keepsMembers(of: "MJO"))
    #expect(failure { _ = try file.mean(of: "a", truth: truthCount) }?.problem == .wrongSize)
  }

  @Test(arguments: [nil, 800]) func aResumedFileHasTheBytesOfAnUninterruptedOne(cycles: Int?) throws {
    let contents = contents(cycles: cycles)
    let whole = try AnalysisWriter(path: folder.path("whole.nc"), contents: contents, provenance: provenance)
    let part = try AnalysisWriter(path: folder.path("part.nc"), contents: contents, provenance: provenance)
    for cycle in 0..<800 { try whole.append(record(contents, cycle: cycle)) }
    for cycle in 0..<450 { try part.append(record(contents, cycle: cycle)) }
    try whole.finish()
    try part.finish()
    let resumed = try AnalysisWriter(path: folder.path("resumed.nc"), contents: contents, provenance: provenance)
    try resumed.append(from: try AnalysisFile(path: folder.path("part.nc")), cycles: 450)
    for cycle in 450..<800 { try resumed.append(record(contents, cycle: cycle)) }
    try resumed.finish()
    #expect(try folder.bytes("whole.nc") == folder.bytes("resumed.nc"))
  }

  @Test func onlyWhatIsAskedForIsKept() throws {
    let contents = contents(cycles: 2, everything: false)
    let writer = try AnalysisWriter(path: folder.path("a.nc"), contents: contents, provenance: provenance)
    try writer.append(record(contents, cycle: 0))
    try writer.append(record(contents, cycle: 1))
    try writer.finish()
    let names = try DatasetReader(path: folder.path("a.nc")).variables.map(\.name)
    #expect(
      names == [
        "time", "member", "x", "K_mean", "K_spread", "a_mean", "a_spread", "MJO_mean", "MJO_spread", "E_mean",
        "E_spread", "energy", "min_a",
      ])
  }

  @Test func recordsThatDoNotFitAreErrors() throws {
    let contents = contents(cycles: 2, truths: [1, 2])
    let writer = try AnalysisWriter(path: folder.path("a.nc"), contents: contents, provenance: provenance)
    var short = record(contents, cycle: 0)
    short.energies.removeLast()
    #expect(failure { try writer.append(short) }?.problem == .wrongSize)
    #expect(failure { try writer.append(record(contents, cycle: 0), truth: 2) }?.problem == .wrongSize)
    try writer.append(record(contents, cycle: 1))
    #expect(failure { try writer.append(record(contents, cycle: 0)) }?.problem == .wrongOrder)
    #expect(failure { try writer.append(record(contents, cycle: 0), truth: 1) }?.problem == .wrongOrder)
    try writer.append(record(contents, cycle: 2))
    #expect(failure { try writer.append(record(contents, cycle: 3)) }?.problem == .wrongSize)
    writer.cancel()
    #expect(folder.names.isEmpty)
  }
}
