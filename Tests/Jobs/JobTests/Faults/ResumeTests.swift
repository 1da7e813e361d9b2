import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Jobs that are asked to stop and gone on with, as often as it takes, on ever other numbers of ranks.
  @Suite struct ResumeTests {
    /// Interrupts a run after about `stride` more checkpoints, again and again.
    ///
    /// - Returns: how often it was interrupted.
    private func interruptUntilDone(_ run: InterruptedRun, stride: Int, ranks: [Int]) throws -> Int {
      var interruptions = 0
      while interruptions < 50 {
        let job = try run.start(ranks: ranks[interruptions % ranks.count], resumes: interruptions > 0)
        run.waitForCheckpoint((run.checkpoints.last ?? 0) + stride, of: job)
        job.signalLauncher(SIGUSR1)
        let result = try job.wait()
        #expect(processesLeft(marked: job.mark).isEmpty)
        if result.status == 0 { return interruptions }
        try #require(result.status == 75, "\(result.stderr)")
        let messages = result.stderr.split(separator: "\n").filter { $0.contains("daunce-mpi: ") }
        #expect(messages.count == 1 && messages[0].hasPrefix("daunce-mpi: interrupted at "), "\(result.stderr)")
        // Open MPI 5's mpirun has a note of its own.
        #expect(result.stderr.hasSuffix("\(messages[0])\n") || result.stderr.contains("prterun has exited"), "\(result.stderr)")
        #expect(result.stdout.isEmpty)
        #expect((1...2).contains(run.checkpoints.count))
        interruptions += 1
      }
      return interruptions
    }

    @Test func runGoesOnToTheSameBits() throws {
      let workshop = try workshop()
      let reference = try InterruptedRun.reference(workshop)
      let run = try InterruptedRun(workshop, "resumed")
      let interruptions = try interruptUntilDone(run, stride: 5, ranks: [3, 1, 4, 2])
      #expect(interruptions > 4)
      #expect(differences(try run.files(), reference) == [])
    }

    /// Agents that remember their last analyses, and files of one stage.
    @Test func stagesGoOnToTheSameBits() throws {
      let workshop = try workshop()
      // Long enough for a request that takes its time from mpirun to the ranks.
      let configuration =
        InterruptedRun.configuration.replacing("test: 2, cycles: 10", with: "test: 2, cycles: 30")
        + "\n  base: persistence\n"
      var results: [String: [[String: Data]]] = [:]
      for (place, stride) in [("stages-whole", 0), ("stages-resumed", 2)] {
        let training = try InterruptedRun(workshop, place, command: ["train"], configuration: configuration)
        let simulated = try workshop.daunce(
          1, "simulate", "--config", "tiny.yaml", "--output", "simulated", in: place)
        try #require(simulated.status == 0, "\(simulated.stderr)")
        var runs = [training]
        for method in [["rl", "--agents", "out/agents"], ["constrained-eakf"], ["floored-eakf"]] {
          let files = ["--initial", "simulated/initial.nc", "--observations", "simulated/observations.nc"]
          runs.append(
            try InterruptedRun(
              workshop, place, command: ["assimilate", "--method"] + method + files, configuration: configuration))
        }
        for run in runs {
          if stride > 0 {
            #expect(try interruptUntilDone(run, stride: stride, ranks: [2, 3, 1]) > 0)
          } else {
            let result = try run.job(ranks: 2)
            try #require(result.status == 0, "\(result.stderr)")
          }
          results[place, default: []].append(try run.files())
        }
      }
      let (whole, resumed) = (try #require(results["stages-whole"]), try #require(results["stages-resumed"]))
      for (a, b) in zip(whole, resumed) { #expect(differences(a, b) == []) }
    }

    /// A run that stopped with a checkpoint after some cycles.
    private func stopped(_ place: String, after checkpoint: Int = 3) throws -> InterruptedRun {
      let run = try InterruptedRun(try workshop(), place)
      let job = try run.start(ranks: 2)
      run.waitForCheckpoint(checkpoint, of: job)
      job.signalLauncher(SIGUSR1)
      try #require(try job.wait().status == 75)
      return run
    }

    @Test func onlyTheSameJobGoesOn() throws {
      let run = try stopped("other-job")
      let before = try run.files()
      for (more, message) in [
        (["--set", "filter.inflation=1.2"], "key filter.inflation: found 1.2; expected 1.0;"),
        (["--seed", "7", "--members", "5"], "key members: found 5; expected 4; key seed: found 7; expected 1"),
      ] {
        let result = try run.job(ranks: 2, resumes: true, more: more)
        #expect(result.status == 65)
        #expect(result.stderr.contains(message), "\(result.stderr)")
      }
      let other = try InterruptedRun(run.workshop, "other-job", command: ["train"])
      let result = try other.job(ranks: 1, resumes: true)
      #expect(result.status == 65)
      #expect(result.stderr.contains("command: found Train; expected Run"), "\(result.stderr)")
      // And without --resume nothing of the unfinished job is overwritten.
      let anew = try run.job(ranks: 2)
      #expect(anew.status == 65)
      #expect(anew.stderr.contains("of an unfinished job; expected none; add --resume"), "\(anew.stderr)")
      #expect(differences(try run.files(), before) == [])
    }

    @Test func resumingNothingIsAnError() throws {
      let run = try InterruptedRun(try workshop(), "nothing")
      let result = try run.job(ranks: 2, resumes: true)
      #expect(result.status == 65)
      #expect(result.stderr.contains("out/checkpoints: found no checkpoint"), "\(result.stderr)")
      #expect(!FileManager.default.fileExists(atPath: run.folder.path + "/out"))
    }

    enum Damage: CaseIterable { case truncated, flipped, emptied, removed, exchanged }

    /// - Parameter other: a whole file of another rank or section.
    private func damage(_ path: String, _ kind: Damage, other: String? = nil) throws {
      let url = URL(filePath: path)
      var data = try Data(contentsOf: url)
      switch kind {
      case .truncated: data = data.prefix(data.count * 2 / 3)
      case .flipped: data[data.count / 2] ^= 0x10
      case .emptied: data = Data()
      case .removed:
        try FileManager.default.removeItem(at: url)
        return
      case .exchanged: data = try Data(contentsOf: URL(filePath: try #require(other)))
      }
      try data.write(to: url)
    }

    /// Whatever happens to a file of the newest checkpoint, the one before it is whole.
    @Test(arguments: Damage.allCases) func damagedCheckpointIsLeftOut(_ kind: Damage) throws {
      let run = try stopped("damaged-\(kind)", after: 4)
      let newest = try #require(run.checkpoints.last)
      let folder = run.folder.path + "/out/checkpoints"
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      let own = names.filter { $0.contains(".\(newest).rank-") || $0 == "manifest-\(newest).json" }
      try #require(own.count >= 4)
      let number = Damage.allCases.firstIndex(of: kind) ?? 0
      let victim = own[kind == .exchanged ? own.count - 1 : number % own.count]
      let others = own.filter { $0 != victim && $0.hasSuffix(".nc") }
      try damage("\(folder)/\(victim)", kind, other: others.first.map { "\(folder)/\($0)" })
      let result = try run.job(ranks: 3, resumes: true, more: ["--checkpoint-every", "0"])
      #expect(result.status == 0, "\(result.stderr)")
      #expect(result.stderr.contains("checkpoint \(newest) is left out: "), "\(result.stderr)")
      #expect(result.stderr.contains(victim), "\(result.stderr)")
      #expect(differences(try run.files(), try InterruptedRun.reference(run.workshop)) == [])
    }

    @Test func noWholeCheckpointIsAnError() throws {
      let run = try stopped("damaged-both", after: 4)
      for number in run.checkpoints {
        try damage(run.folder.path + "/out/checkpoints/manifest-\(number).json", .flipped)
      }
      let result = try run.job(ranks: 2, resumes: true)
      #expect(result.status == 65)
      #expect(result.stderr.contains("out/checkpoints: found no whole checkpoint"), "\(result.stderr)")
    }
  }
}
