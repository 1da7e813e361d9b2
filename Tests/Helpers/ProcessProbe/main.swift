// The program that tests of DaunceCoupling start where they need a process of their own: one that is killed, one under
// mpirun, or one in which nothing else opens files. By hand, `ProcessProbe measure` tells what programs and workers cost.

import DaunceCoupling
import Glibc

let words = Array(CommandLine.arguments.dropFirst())

/// A program that a shell runs, without files, within `folder`.
func shell(_ script: String, in folder: String, limits: ProcessLimits = ProcessLimits()) -> ProcessCommand {
  ProcessCommand(
    ["/bin/sh", "-c", script], in: folder, environment: ProcessEnvironment.current, limits: limits, outputFile: nil,
    errorFile: nil)
}

/// Number of entries of a folder.
func entries(of path: String) -> Int {
  guard let folder = opendir(path) else { return -1 }
  defer { closedir(folder) }
  var count = 0
  while readdir(folder) != nil { count += 1 }
  return count
}

switch words.first {
case "run":
  // run FOLDER PROGRAM ...: in the environment for a program that calls mpirun itself.
  let environment = ProcessEnvironment.cleaned(ProcessEnvironment.atStart, keepsMPISettings: true)
  let command = ProcessCommand(Array(words.dropFirst(2)), in: words[1], environment: environment)
  print(try MemberProcess(command).wait())
  print(try MemberProcess(command).wait().lastOutput)
case "parent":
  // parent FOLDER SCRIPT: runs it until somebody kills one of them.
  print(try MemberProcess(shell(words[2], in: words[1])).wait())
case "slot":
  // slot FOLDER COUNT: takes a place and keeps it until standard input ends.
  let slot = try NodeSlots(folder: words[1], count: Int(words[2]) ?? 1).take()
  print(slot.map { "place \($0.number)" } ?? "none")
  fflush(nil)
  _ = readLine()
  slot?.release()
case "busy":
  // busy FOLDER COUNT PROGRAMS SCRIPT: runs programs that need places.
  let slots = try NodeSlots(folder: words[1] + "/slots", count: Int(words[2]) ?? 1)
  let count = Int(words[3]) ?? 0
  let pool = ProcessPool(limit: count, slots: slots)
  pool.run((0..<count).map { _ in shell(words[4], in: words[1]) }) { print($0.outcome.ending); return nil }
case "leaks": try reportLeaks(in: words[1])
case "flood": try reportFlood(in: words[1])
case "closed":
  // closed FOLDER: without any standard stream of its own.
  for stream in 0...2 { close(Int32(stream)) }
  let command = ProcessCommand(
    ["sh", "-c", "cat; echo out; echo err >&2"], in: words[1], environment: ProcessEnvironment.current)
  exit(try MemberProcess(command).wait().isSuccess ? 0 : 1)
case "measure": try measure(in: "/tmp")
default: exit(64)
}
