import DaunceCoupling
import Foundation
import Glibc
import Testing

/// A folder that is there for as long as this object is.
final class Folder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "coupling-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Contents of a file in it.
  func text(_ name: String) -> String {
    String(decoding: FileManager.default.contents(atPath: "\(path)/\(name)") ?? Data(), as: UTF8.self)
  }

  /// Writes a file into it.
  func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
    let file = "\(path)/\(name)"
    try Data(text.utf8).write(to: URL(filePath: file))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
  }

  /// Numbers of processes that a script has written into a file, once there are so many.
  func numbers(_ name: String, count: Int) -> [pid_t] {
    for _ in 0..<200 {
      let found = text(name).split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
      if found.count == count { return found }
      usleep(20_000)
    }
    return []
  }
}

/// A script for the shell.
func shell(_ script: String, in folder: Folder, _ limits: ProcessLimits = ProcessLimits()) -> ProcessCommand {
  ProcessCommand(["/bin/sh", "-c", script], in: folder.path, environment: ProcessEnvironment.current, limits: limits)
}

/// What a script left behind.
func run(
  _ script: String, in folder: Folder, _ limits: ProcessLimits = ProcessLimits()
) throws -> ProcessOutcome {
  try MemberProcess(shell(script, in: folder, limits)).wait()
}

/// Whether a process of this number runs; one that has ended and has not been waited for does not.
func isRunning(_ number: pid_t) -> Bool {
  guard let stat = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8) else { return false }
  let state = stat.split(separator: ")").last?.split(separator: " ").first
  return state != "Z" && state != "X"
}

/// Whether none of these run, which is waited for.
func haveEnded(_ numbers: [pid_t], within seconds: Double = 5) -> Bool {
  for _ in 0..<Int(seconds * 50) {
    if !numbers.contains(where: isRunning) { return true }
    usleep(20_000)
  }
  return false
}

/// The helper program beside the tests.
var probe: String {
  let link = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
  return URL(filePath: link).resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "ProcessProbe").path
}

/// What the helper program writes, run in a process of its own.
func probeOutput(_ words: [String], in folder: Folder) throws -> String {
  let command = ProcessCommand(
    [probe] + words, in: folder.path, environment: ProcessEnvironment.current,
    limits: ProcessLimits(seconds: 60), outputFile: "probe.txt", errorFile: "probe.txt")
  let outcome = try MemberProcess(command).wait()
  try #require(outcome.isSuccess, "\(outcome)")
  return folder.text("probe.txt")
}

/// Tests of programs measure time and start many of them: one after the other.
@Suite(.serialized) struct CouplingTests {}
