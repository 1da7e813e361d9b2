import DaunceCoupling
import Foundation
import Testing

extension CouplingTests {
  /// Programs that stay alive and answer.
  @Suite struct WorkerTests {
    let folder: Folder

    init() throws { folder = try Folder() }

    /// A worker that carries out `script` for each request, whose words are `$line`.
    private func worker(
      _ script: String, _ limits: ProcessLimits = ProcessLimits(seconds: 10, grace: 0.3)
    ) throws -> WorkerProcess {
      try WorkerProcess(shell("while read -r line; do \(script)\ndone; echo bye", in: folder, limits))
    }

    /// How a request ended that was not answered.
    private func ending(_ worker: WorkerProcess, _ words: [String] = ["go"]) -> (ProcessOutcome?, String) {
      do throws(WorkerError) {
        return (nil, "\(try worker.ask(words))")
      } catch {
        guard case .ended(let outcome) = error.problem else { return (nil, "\(error)") }
        return (outcome, "\(error)")
      }
    }

    @Test func answers() throws {
      let worker = try worker(#"printf 'ok %s\n' "$line""#)
      #expect(try worker.ask(["forecast", "7", "/data/a b"]) == ["forecast", "7", "/data/a b"])
      let odd = ["50%", "é", "line\nbreak", "tab\t", "%20", "\u{7F}"]
      #expect(try worker.ask(odd) == odd)
      #expect(try worker.ask(["ok"]) == ["ok"])
      let long = String(repeating: "x", count: 300_000)
      #expect(try worker.ask([long, "y"]) == [long, "y"])
      let outcome = worker.stop()
      #expect(outcome.isSuccess && outcome.lastOutput == "bye")
    }

    @Test func wordsAreEncoded() throws {
      let worker = try worker(#"echo "$line" >> lines; printf 'ok  a  b%%20c \r\n'"#)
      #expect(try worker.ask(["a b", "100%", "", "z"]) == ["a", "b c"])
      #expect(folder.text("lines") == "a%20b 100%25  z\n")
    }

    @Test func errorsAreTold() throws {
      let worker = try worker(#"[ "$line" = good ] && echo ok || echo error no such member: "$line", 50% done"#)
      #expect(throws: WorkerError.self) { try worker.ask(["member", "9"]) }
      #expect(ending(worker, ["m"]).1.hasSuffix("error on request `m`: no such member: m, 50% done"))
      #expect(try worker.ask(["good"]).isEmpty)
    }

    @Test func ordinaryOutputIsKept() throws {
      let worker = try worker("echo warning: $line; echo okay; printf 'part '; echo of a line; echo ok 1; echo ok 2")
      #expect(try worker.ask(["a"]) == ["1"])
      // What comes after an answer is not the next one.
      usleep(100_000)
      #expect(try worker.ask(["b"]) == ["1"])
      usleep(100_000)
      _ = worker.stop()
      let one = "okay\npart of a line\n"
      #expect(folder.text("stdout.txt") == "warning: a\n\(one)ok 2\nwarning: b\n\(one)ok 2\nbye\n")
    }

    @Test func outputWithoutEndIsNoAnswer() throws {
      let worker = try worker("yes | tr -d '\\n' | head -c 5000000; echo ok 1; echo; echo ok 2")
      #expect(try worker.ask(["a"]) == ["2"])
    }

    @Test func endlessAnswerIsRefused() throws {
      let worker = try worker("printf 'ok '; yes | tr -d '\\n'")
      #expect(ending(worker).1.contains("an answer of more than 1048576 bytes"))
    }

    @Test func death() throws {
      let worker = try worker("echo cannot read $line >&2; printf 'half a line'; exit 3")
      let (outcome, text) = ending(worker, ["member", "3"])
      #expect(outcome?.ending == .exited(3) && outcome?.lastErrors == "cannot read member 3")
      #expect(outcome?.lastOutput == "half a line" && folder.text("stdout.txt") == "half a line")
      #expect(text.hasPrefix("no answer to request `member 3` for "))
      #expect(text.contains(": exit code 3 after ") && text.hasSuffix("its last lines:\ncannot read member 3"))
      // And it stays dead.
      #expect(worker.outcome?.ending == .exited(3) && ending(worker).0?.ending == .exited(3))
    }

    @Test func deathBetweenRequests() throws {
      let worker = try worker("echo ok 1; exit 4")
      #expect(try worker.ask(["a"]) == ["1"])
      usleep(100_000)
      #expect(ending(worker).0?.ending == .exited(4))
      // Even if its end is seen together with its answer.
      let quick = try self.worker("echo ok 1; exit 4")
      try quick.begin(["a"])
      usleep(100_000)
      WorkerProcess.serve([quick], within: 5)
      #expect(try quick.answer() == ["1"] && quick.outcome?.ending == .exited(4))
      #expect(ending(quick).0?.ending == .exited(4))
    }

    @Test func hangingWorkerIsEnded() throws {
      let worker = try worker("trap '' TERM; echo $$ > pids; sleep 100", ProcessLimits(seconds: 0.3, grace: 0.2))
      let begin = Date()
      let (outcome, text) = ending(worker)
      let seconds = Date().timeIntervalSince(begin)
      guard case .timedOut(let after) = outcome?.ending else {
        Issue.record("\(text)")
        return
      }
      #expect((0.3..<0.5).contains(after) && (0.5..<1.5).contains(seconds))
      #expect(haveEnded(folder.numbers("pids", count: 1)))
    }

    @Test func limitIsThatOfARequest() throws {
      let worker = try worker("sleep 0.3; echo ok", ProcessLimits(seconds: 0.5))
      for _ in 0..<3 { #expect(try worker.ask(["a"]).isEmpty) }
      #expect(throws: WorkerError.self) { try worker.ask(["a"], within: 0.1) }
    }

    @Test func answerInTimeCanBeFetchedLater() throws {
      let worker = try worker("sleep 0.1; echo ok $line", ProcessLimits(seconds: 0.3))
      try worker.begin(["a"])
      #expect(throws: WorkerError.self) { try worker.ask(["b"]) }
      for _ in 0..<10 {
        WorkerProcess.serve([worker], within: 0)
        usleep(50_000)
      }
      #expect(try worker.answer() == ["a"] && worker.ask(["c"]) == ["c"])
    }

    @Test func closedStreams() throws {
      let worker = try worker("exec >&-; sleep 100")
      let (outcome, text) = ending(worker)
      #expect(outcome != nil && text.contains("having closed its standard input or output"))
    }

    @Test func severalAtATime() throws {
      let workers = try (0..<3).map { index in
        var command = shell("while read x; do sleep 0.3; echo ok \(index) $x; done", in: folder)
        (command.outputFile, command.errorFile) = (nil, nil)
        return try WorkerProcess(command)
      }
      let begin = Date()
      for (index, worker) in workers.enumerated() { try worker.begin(["\(10 * index)"]) }
      var answers = [[String]?](repeating: nil, count: 3)
      while answers.contains(where: { $0 == nil }) {
        WorkerProcess.serve(workers, within: 5)
        for (index, worker) in workers.enumerated() where worker.isBusy { answers[index] = try worker.answer() }
      }
      #expect(answers == [["0", "0"], ["1", "10"], ["2", "20"]])
      #expect(Date().timeIntervalSince(begin) < 0.8)
    }

    @Test func roundTripIsShort() throws {
      let worker = try worker("echo ok")
      _ = try worker.ask(["a"])
      // The best of some: tests share their cores.
      let best = try (0..<30).map { _ in
        let begin = Date()
        for _ in 0..<100 { _ = try worker.ask(["a"]) }
        return Date().timeIntervalSince(begin) / 100
      }.min()
      #expect(try #require(best) < 0.2e-3)
    }
  }
}
