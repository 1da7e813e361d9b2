import DaunceArchive
import DaunceState
import Testing

/// Scores and training histories, which only other programs read.
@Suite struct RecordFileTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  private var scores: ScoresFile {
    var file = ScoresFile(
      methods: ["rl", "eakf", "constrained-eakf"], seeds: [1, .max], fields: ["K", "a", "MJO"], variableCount: 2,
      members: [2, 2, 1], spinUpCycles: 5)
    file.fieldScores = [.init("rmse", "an error", numbers(18)), .init("spread", "a spread", numbers(18, from: 9))]
    file.variableScores = [.init("crps", "a score", numbers(12))]
    file.rankHistogram = (0..<36).map { Int64($0) }
    file.energyInBand = numbers(6)
    file.failureCycle = [0, 0, 1, 2, 0, 0]
    return file
  }

  @Test func scoresAreOrderedByMethodTruthAndField() throws {
    let path = folder.path("scores.nc")
    var file = scores
    file.band = [0.08, 0.14]
    file.energy = "conserved"
    try file.write(to: path, provenance: provenance)
    let reader = try DatasetReader(path: path)
    let rmse = try reader.variable("rmse", over: [("method", 3), ("truth", 2), ("field", 3)])
    #expect(try reader.field(rmse, start: [2, 1, 1], count: [1, 1, 2]) == Array(numbers(18)[16...]))
    try reader.variable("crps", over: [("method", 3), ("truth", 2), ("variable", 2)])
    try reader.variable("rank_histogram", over: [("method", 3), ("truth", 2), ("variable", 2), ("rank", 3)])
    #expect(try reader.values("failure_cycle", of: Int64.self) == file.failureCycle)
    #expect(try reader.values("members", of: Int64.self) == [2, 2, 1])
    #expect(try reader.field("energy_band") == [0.08, 0.14])
    #expect(reader.digest != nil)

    try scores.write(to: path, provenance: provenance)
    #expect(try DatasetReader(path: path).variables.contains { $0.name == "energy_band" } == false)
  }

  @Test func aTrainingLacksWhatItWasWithout() throws {
    let path = folder.path("training.nc")
    func names(_ file: TrainingFile) throws -> Set<String> {
      try file.write(to: path, provenance: provenance)
      return Set(try DatasetReader(path: path).variables.map(\.name))
    }
    var file = TrainingFile(memberCount: 2, constraints: ["conserved"])
    #expect(try names(file) == ["member"])
    file.steps = [10, 20, 25]
    file.warmStartLoss = [numbers(6), numbers(6, from: 3)]
    #expect(try names(file) == ["member", "step", "warm_start_loss"])
    file.reward = numbers(8)
    file.evaluation = numbers(4)
    file.multiplier = numbers(8, from: 2)
    file.deviation = numbers(8, from: 4)
    let constrained: Set = ["constraint_name", "multiplier", "deviation"]
    let all = try names(file)
    #expect(all == constrained.union(["member", "step", "warm_start_loss", "iteration", "reward", "evaluation_reward"]))
    let reader = try DatasetReader(path: path)
    try reader.variable("warm_start_loss", over: [("round", 2), ("member", 2), ("step", 3)])
    let multiplier = try reader.variable("multiplier", over: [("iteration", 4), ("member", 2), ("constraint", 1)])
    #expect(try reader.field(multiplier, start: [3, 0, 0], count: [1, 2, 1]) == Array(numbers(8, from: 2)[6...]))
    #expect(try reader.values("iteration", of: Int64.self) == [1, 2, 3, 4])
    file.constraints = []
    #expect(try names(file) == all.subtracting(constrained))
  }

  @Test func wrongSizesAreErrorsAndLeaveNothing() throws {
    var file = scores
    file.fieldScores[0].values.removeLast()
    #expect(failure { try file.write(to: folder.path("s.nc"), provenance: provenance) }?.problem == .wrongSize)
    var training = TrainingFile(memberCount: 2, constraints: ["conserved"])
    training.reward = numbers(4)
    training.evaluation = numbers(4)
    training.multiplier = numbers(3)
    training.deviation = numbers(4)
    #expect(failure { try training.write(to: folder.path("t.nc"), provenance: provenance) }?.problem == .wrongSize)
    #expect(folder.names.isEmpty)
  }

  @Test func natureCarriesWhatTruthsHaveInCommon() throws {
    let path = folder.path("n.nc")
    var truth = NatureRun(times: [1, 2], states: numbers(32), diagnostics: [], energies: [0.25, 0.5], seed: 1)
    try NatureFile.write(
      [truth], to: path, layout: layout, diagnostics: [], asSeries: true,
      nature: NatureMetadata(
        fields: [.init(name: "S", longName: "a source", values: numbers(8))], hours: 1440, kilometres: 15000),
      provenance: provenance)
    let reader = try DatasetReader(path: path)
    let source = try reader.variable("S", over: [("x", 8)])
    #expect(try reader.field(source, start: [0], count: [8]) == numbers(8))
    let energy = try reader.variable("energy", over: [("truth", 1), ("time", 2)])
    #expect(try reader.field(energy, start: [0, 1], count: [1, 1]) == [0.5])
    truth.energies = []
    let clock = ModelClock(hours: 1440)
    #expect(try NatureFile.read(path, layout: layout, diagnostics: [], clock: clock) == truth)
    #expect(try reader.field("time") == [60, 120])
  }
}
