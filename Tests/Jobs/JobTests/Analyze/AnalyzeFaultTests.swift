import Foundation
import TestSupport
import Testing

extension JobTests {
  /// What may happen to an analysis at work: inputs stay, and what has its name in the output is whole.
  @Suite struct AnalyzeFaultTests {
    static let settings = ["--set", "filter.half_width=6", "--method", "letkf"]

    /// Large enough to be caught at work.
    private static func write(in place: AnalyzePlace, cells: Int = 160, members: Int = 12, count: Int = 2000) throws {
      let plane = Plane(cells: [cells, cells], members: members)
      try place.writeEnsemble(plane)
      var sightings: [Sighting] = []
      for k in 0..<count {
        let width = cells * 10 - 10
        let y = Double(k * 37 % width) / 10, x = Double(k * 91 % (width - 1)) / 10
        sightings.append(Sighting(y: y, x: x, value: 280 + sin(Double(k))))
      }
      try place.writeNetCDF(sightings)
    }

    private static func inputs(_ place: AnalyzePlace) throws -> [Data] {
      try ["ensemble.nc", "obs.nc"].map { try place.bytes($0) }
    }

    /// Any rank, at any moment, by the signal that nobody can catch.
    @Test func killedRankLeavesNothingHalf() throws {
      let workshop = try workshop()
      let whole = try AnalyzePlace(workshop, "whole")
      try Self.write(in: whole, cells: 300, members: 16, count: 4000)
      let start = ContinuousClock.now
      _ = try whole.analyzed(2, Self.settings)
      let duration = (ContinuousClock.now - start) / .seconds(1)
      let (reference, given) = (try whole.contents("out"), try Self.inputs(whole))
      try #require(reference.count == 3)
      var random = SplitMix(state: 20_261_124)
      var (atWork, caughtWriting) = (0, 0)
      for seed in 0..<12 {
        let place = try AnalyzePlace(workshop, "killed-\(seed)")
        for (name, bytes) in zip(["ensemble.nc", "obs.nc"], given) {
          try bytes.write(to: place.folder.appending(path: name))
        }
        let ranks = 1 + seed % 4
        let job = try RunningJob(
          ranks: ranks, executable: "daunce-mpi", arguments: AnalyzePlace.arguments(Self.settings), in: place.folder)
        let victim = Self.process(ofRank: seed % ranks, of: job)
        // At any moment, or while a file is being written, for which there is little time.
        let awaited = [nil, "ensemble.nc", "ensemble.nc", "increments.nc"][seed / 3]
        while let awaited, job.isRunning, !place.names("out").contains(where: { $0.hasPrefix(awaited) }) { usleep(300) }
        usleep(UInt32(random.fraction() * (awaited == nil ? 0.9 : 0.02) * duration * 1e6))
        let wasThere = victim.map { kill(pid_t($0), SIGKILL) == 0 } ?? false
        let result = try job.wait()
        if wasThere, result.status != 0 { atWork += 1 }
        #expect(processesLeft(marked: job.mark).isEmpty, "seed \(seed)")
        #expect(try Self.inputs(place) == given, "seed \(seed)")
        let left = try place.contents("out")
        if left.keys.contains(where: { $0.contains(".tmp-") }) { caughtWriting += 1 }
        for (name, bytes) in left {
          if let expected = reference[name] {
            #expect(bytes == expected, "seed \(seed): \(name)")
          } else {
            #expect(name.contains(".tmp-"), "seed \(seed): \(name)")
          }
        }
        // The ensemble comes last: whoever sees it sees everything.
        if left["ensemble.nc"] != nil { #expect(left["observations.nc"] != nil && left["increments.nc"] != nil) }
        guard !left.isEmpty || seed == 0 else { continue }
        // Once more, into the same folder.
        let again = try place.analyzed(2, Self.settings)
        #expect(again.stdout.contains("letkf: 16 members"))
        #expect(try place.contents("out").filter { reference[$0.key] != nil } == reference, "seed \(seed)")
      }
      #expect(atWork >= 6 && caughtWriting >= 1, "\(atWork) killed at work, \(caughtWriting) of them writing")
    }

    /// Number of a rank's process, for which this waits; `nil` if the job has ended before it was seen.
    private static func process(ofRank rank: Int, of job: RunningJob) -> Int? {
      let variable = Data("\0OMPI_COMM_WORLD_RANK=\(rank)\0".utf8)
      while job.isRunning {
        // Children of the rank have its environment, and come later.
        let found = processes(marked: job.mark).sorted().first { process in
          FileManager.default.contents(atPath: "/proc/\(process)/environ")?.range(of: variable) != nil
        }
        if let found { return found }
      }
      return nil
    }

    /// A generator of Steele et al. (2014).
    private struct SplitMix {
      var state: UInt64

      mutating func fraction() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((z ^ (z >> 31)) >> 11) / 0x1p53
      }
    }

    /// A place that takes no more before the work, at the copy of the ensemble, and at the files after it; an older
    /// analysis stays.
    @Test(
      .enabled(if: FullDiskTests.mayMount, "needs the right to mount a small file system"),
      arguments: [
        (512, "cannot write 1048576 bytes here"), (2000, "ensemble.nc: cannot write"), (2900, "cannot write"),
      ])
    func fullDisk(kilobytes: Int, message: String) throws {
      let place = try AnalyzePlace(try workshop(), "full-\(kilobytes)")
      try Self.write(in: place)
      let given = try Self.inputs(place)
      let disk = place.folder.appending(path: "out")
      try FileManager.default.createDirectory(at: disk, withIntermediateDirectories: true)
      try #require(mount("none", disk.path, "tmpfs", 0, "size=\(kilobytes)k") == 0)
      defer { umount(disk.path) }
      try place.write("an earlier analysis", to: "out/ensemble.nc")
      let mark = UUID().uuidString
      let result = try place.analyze(3, Self.settings, environment: ["DAUNCE_TEST_JOB": mark])
      #expect(result.status == 74, "\(result.stderr)")
      #expect(result.stdout.isEmpty)
      let messages = result.stderr.split(separator: "\n").filter { $0.contains("daunce-mpi: ") }
      #expect(messages.count == 1 && messages[0].contains(message), "\(result.stderr)")
      #expect(messages.first?.contains("No space left on device") == true, "\(result.stderr)")
      #expect(processesLeft(marked: mark).isEmpty)
      #expect(try Self.inputs(place) == given)
      let left = try place.contents("out")
      #expect(left["ensemble.nc"] == Data("an earlier analysis".utf8))
      #expect(left.keys.allSatisfy { ["ensemble.nc", "increments.nc"].contains($0) }, "\(left.keys.sorted())")
    }

    /// A name that is taken by a folder, and a folder that belongs to somebody else.
    @Test func outputThatCannotBeReplaced() throws {
      let place = try AnalyzePlace(try workshop(), "taken")
      try place.writeEnsemble(Plane(cells: [6, 7], members: 5))
      try place.writeNetCDF([Sighting(y: 1, x: 2, value: 281)])
      for name in ["ensemble.nc", "increments.nc", "observations.nc"] {
        let taken = place.folder.appending(path: "taken-\(name)/\(name)")
        try FileManager.default.createDirectory(at: taken, withIntermediateDirectories: true)
        let result = try place.analyze(2, ["--output", "taken-\(name)"])
        #expect(result.status == 74, "\(result.stderr)")
        let messages = result.stderr.split(separator: "\n").filter { $0.contains("daunce-mpi: ") }
        #expect(messages.count == 1 && messages[0].contains("taken-\(name)/\(name)"), "\(result.stderr)")
        #expect(try !place.contents("taken-\(name)").keys.contains("ensemble.nc"))
        #expect(try place.contents("taken-\(name)").keys.allSatisfy { !$0.contains(".tmp-") })
      }
    }

    @Test(.enabled(if: getuid() != 0, "root may write everywhere"))
    func readOnlyOutput() throws {
      let place = try AnalyzePlace(try workshop(), "read-only")
      try place.writeEnsemble(Plane(cells: [6, 7], members: 5))
      try place.writeNetCDF([Sighting(y: 1, x: 2, value: 281)])
      let out = place.folder.appending(path: "out")
      try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
      try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: out.path)
      defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: out.path) }
      let result = try place.analyze(2, [])
      #expect(result.status == 74, "\(result.stderr)")
      #expect(try place.contents("out").isEmpty)
    }

    /// One analysis with a slow rank has the bytes of one without.
    @Test func slowRankChangesNothing() throws {
      let place = try AnalyzePlace(try workshop(), "slow")
      try Self.write(in: place)
      _ = try place.analyzed(3, Self.settings)
      let reference = try place.contents("out")
      try FileManager.default.removeItem(atPath: place.path("out"))
      let job = try RunningJob(
        ranks: 3, executable: "daunce-mpi", arguments: AnalyzePlace.arguments(Self.settings), in: place.folder)
      _ = job.launcher
      while job.isRunning, !place.exists("out") { usleep(1000) }
      let wasThere = job.signalRank(1, SIGSTOP)
      usleep(300_000)
      job.signalRank(1, SIGCONT)
      let result = try job.wait()
      #expect(wasThere && result.status == 0, "\(result.stderr)")
      #expect(differences(try place.contents("out"), reference) == [])
    }
  }
}
