import DaunceCoupling
import Foundation
import Testing

extension CouplingTests {
  /// What is kept of a program's output, and what it costs.
  @Suite struct OutputTests {
    let folder: Folder

    init() throws { folder = try Folder() }

    @Test func streamsAreKeptApartOrTogether() throws {
      let script = "echo out; echo err >&2; echo more"
      #expect(try run(script, in: folder).lastLines == "err")
      #expect(folder.text("stdout.txt") == "out\nmore\n")
      #expect(folder.text("stderr.txt") == "err\n")
      var command = shell(script, in: folder)
      (command.outputFile, command.errorFile) = ("log", "log")
      #expect(try MemberProcess(command).wait().lastLines == "out\nerr\nmore")
      #expect(folder.text("log") == "out\nerr\nmore\n")
    }

    @Test func middleIsLeftOut() throws {
      let script = "i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i + 1)); done"
      let all = (0..<5000).map { "\($0)\n" }.joined()
      _ = try run(script, in: folder)
      #expect(folder.text("stdout.txt") == all)
      _ = try run(script, in: folder, ProcessLimits(keptBytes: 1000))
      let kept = folder.text("stdout.txt")
      let parts = kept.components(separatedBy: "\n[... \(all.utf8.count - 900) bytes left out ...]\n")
      try #require(parts.count == 2, "\(kept)")
      #expect(parts[0].utf8.count + parts[1].utf8.count == 900 && kept.utf8.count <= 1000)
      #expect(all.hasPrefix(parts[0]) && all.hasSuffix(parts[1]))
    }

    @Test func aGigabyteFillsNothing() throws {
      let lines = try probeOutput(["flood", folder.path], in: folder).split(separator: "\n")
      #expect(lines.first == "ending: exit code 0" && lines.last == "last: last")
      let kibibytes = lines.first { $0.hasPrefix("kibibytes: ") }.flatMap { Int($0.dropFirst(11)) }
      #expect(try #require(kibibytes) < 10_000)
      let kept = folder.text("stdout.txt")
      #expect((50_000...100_000).contains(kept.utf8.count))
      #expect(kept.hasPrefix("first\ny\ny\n") && kept.hasSuffix("y\ny\nlast\n"))
      #expect(kept.contains("\n[... 999900111 bytes left out ...]\n"))
    }

    @Test func lastLines() throws {
      let many = try run("i=0; while [ $i -lt 30 ]; do echo line $i; i=$((i + 1)); done", in: folder)
      #expect(many.lastOutput == (20..<30).map { "line \($0)" }.joined(separator: "\n"))
      let long = try run("head -c 9000 /dev/zero | tr '\\0' x; echo end", in: folder)
      #expect(long.lastOutput.count == 2000 && long.lastOutput.hasSuffix("xxend"))
      // Bytes that are no UTF-8, colours, a progress bar, a bell.
      let odd = try run(#"printf 'a\377b\n\033[31mred\033[0m\n10%%\r20%%\rdone\007\n'"#, in: folder)
      #expect(odd.lastOutput == "a\u{FFFD}b\n[31mred[0m\n10%\n20%\ndone")
      // Two-byte letters of which the first that is looked at is cut.
      let wide = try run("i=0; while [ $i -lt 5000 ]; do printf 'é'; i=$((i + 1)); done; printf x", in: folder)
      #expect(wide.lastOutput == String(repeating: "é", count: 1999) + "x")
    }

    @Test func fullDiskIsTold() throws {
      var command = shell("echo lost", in: folder)
      command.outputFile = "/dev/full"
      let outcome = try MemberProcess(command).wait()
      #expect(outcome.isSuccess && outcome.fileProblem == "No space left on device")
      #expect("\(outcome)".contains("its output is not whole: No space left on device"))
    }

    @Test func nothingLeaks() throws {
      let lines = try probeOutput(["leaks", folder.path], in: folder).split(separator: "\n")
      try #require(lines.count == 2)
      let files = lines[0].split(separator: " ").dropFirst()
      #expect(files.count == 2 && Set(files).count == 1, "\(lines[0])")
      #expect(lines[1] == "zombies: 0")
    }

    @Test func noOpenFilesAreHandedOn() throws {
      let file = FileHandle(forReadingAtPath: "/dev/zero")
      let copy = dup(file?.fileDescriptor ?? 0)
      defer { close(copy) }
      // A shell has its three streams, and the folder that ls reads.
      #expect(try run("exec ls /proc/self/fd", in: folder).lastOutput == "0\n1\n2\n3")
    }

    @Test func worksWithoutStandardStreams() throws {
      _ = try probeOutput(["closed", folder.path], in: folder)
      #expect(folder.text("stdout.txt") == "out\n" && folder.text("stderr.txt") == "err\n")
    }
  }
}
