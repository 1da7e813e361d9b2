import DaunceArchive
import Foundation
import DaunceMPI

// Damaged files against every reader of the program. Children work through ranges of inputs, so that a crash counts as
// one input's and the next one follows.
//
//     FileFuzzer COUNT [SEED [SHARE]]           inputs 0..<COUNT of a seed
//     FileFuzzer --only INDEX [SEED [SHARE]]    one input again, in this process
//     FileFuzzer --list-model FILE [CHILD]      the state in a model's file
//     FileFuzzer --list FILE [CHILD]            everything in a file; CHILD: executable that reads others' NetCDF-4
//
// One in SHARE inputs (20) is another program's NetCDF-4 file, which takes twenty times longer than others.
// Exit code 0: every input was read or refused. 1: not so; such inputs are kept in the folder that is named.
// With DAUNCE_FUZZ_IN_PROCESS=1 other programs' NetCDF-4 files are not isolated: what the libraries do by themselves.

let arguments = Array(CommandLine.arguments.dropFirst())
let environment = ProcessInfo.processInfo.environment
let isSanitized = environment["ASAN_OPTIONS"] != nil

/// A number of the command line, if it is there and not negative.
func number(_ place: Int) -> Int? {
  arguments.indices.contains(place) ? Int(arguments[place]).flatMap { $0 >= 0 ? $0 : nil } : nil
}

var limits = SandboxedReader.Limits()
limits.seconds = isSanitized ? 30 : 3
// A sanitizer's shadow memory takes terabytes of addresses.
if isSanitized { limits.memory = nil }
if let code = SandboxedReader.serve(arguments, limits: limits) { exit(code) }
if environment["DAUNCE_FUZZ_IN_PROCESS"] != "1", arguments.first?.hasPrefix("--list") != true { SandboxedReader.isolate() }

do {
  switch arguments.first {
  case "corpus"?:
    let mpi = try DaunceMPI.Environment()
    let folder = URL(filePath: arguments[1])
    let readers = try Readers(mpi, corpus: folder)
    try Corpus.make(in: folder, readers)
    try Run.checkCorpus(folder, readers)
    try mpi.finalize()
  case "work"?:
    let numbers = arguments[3...].compactMap { Int($0) }
    try work(
      in: URL(filePath: arguments[1]), seed: UInt64(arguments[2]) ?? 0, isolatedShare: numbers[0], first: numbers[1],
      last: numbers[2], step: numbers[3], limit: isSanitized ? 120 : 20)
  case "--list"? where arguments.count > 1:
    if arguments.count > 2 { SandboxedReader.isolate(executable: arguments[2]) }
    print(try listing(of: arguments[1]).joined(separator: "\n"))
  case "--list-model"? where arguments.count > 1:
    if arguments.count > 2 { SandboxedReader.isolate(executable: arguments[2]) }
    print(try modelListing(of: arguments[1]).joined(separator: "\n"))
  case "--only"?:
    let (index, seed, share) = (number(1) ?? 0, number(2) ?? 1, number(3) ?? 20)
    let run = try Run(seed: UInt64(seed), isolatedShare: share)
    try work(
      in: run.folder, seed: run.seed, isolatedShare: share, first: index, last: index + 1, step: 1, limit: 1000)
    print("kept in \(run.folder.path)")
  default:
    guard let count = number(0), count > 0 else {
      print("expected: FileFuzzer COUNT [SEED [SHARE]] or FileFuzzer --only INDEX [SEED [SHARE]]")
      exit(64)
    }
    exit(try Run(seed: UInt64(number(1) ?? 1), isolatedShare: number(2) ?? 20).go(count: count) ? 0 : 1)
  }
} catch {
  print("FileFuzzer: \(error)")
  exit(70)
}
