import Foundation
import DaunceMPI

func reportEnvironment(_ environment: Environment) {
  let world = environment.world
  report("launched", Environment.isLaunchedByMPIRun, world)
  report("size", world.size, world)
  report("local", "\(environment.localRank) of \(environment.localSize)", world)
  report("hostname", environment.hostname, world)
  report("library", environment.libraryVersion, world)
  let yields = getenv("OMPI_MCA_mpi_yield_when_idle").map { String(cString: $0) } ?? "unset"
  report("yield", yields, world)
  report("cores", Environment.usableCores, world)
  report("first", environment.firstLocalRank, world)
}

/// Every collective once, on values that name their rank.
func exerciseCollectives(_ world: Communicator) throws {
  let (rank, size) = (world.rank, world.size)

  var buffer = [1, Double(rank), -Double(rank)]
  try world.allreduce(&buffer, .sum)
  report("sum", buffer, world)
  var integers = [Int64(rank), 1 << 62 - Int64(rank)]
  var span = integers.mutableSpan
  try world.allreduce(&span, .max)
  report("max", integers, world)
  report("min", try world.allreduce(Float(rank) + 0.5, .min), world)
  report("min32", try world.allreduce(Int32(-rank), .min), world)

  // Rank r contributes r + 1 values.
  let counts = (0..<size).map { $0 + 1 }
  let values = [UInt64](repeating: UInt64(rank), count: rank + 1)
  var gathered = [UInt64](repeating: 99, count: counts.reduce(0, +))
  try world.allgatherv(values, into: &gathered, counts: counts)
  let differ = try world.anyRank(gathered != (0..<size).flatMap { [UInt64](repeating: UInt64($0), count: $0 + 1) })
  report("allgatherv", differ ? "wrong" : "right", world)

  var inPlace = [UInt64](repeating: 99, count: gathered.count)
  let first = rank * (rank + 1) / 2
  for i in first..<first + rank + 1 { inPlace[i] = UInt64(rank) }
  try world.allgatherv(inPlace: &inPlace, counts: counts)
  report("in place", try world.anyRank(inPlace != gathered) ? "wrong" : "right", world)

  var atRoot = rank == size - 1 ? [UInt64](repeating: 99, count: gathered.count) : []
  try world.gatherv(values, into: &atRoot, counts: counts, root: size - 1)
  report("gatherv", try world.anyRank(atRoot != (rank == size - 1 ? gathered : [])) ? "wrong" : "right", world)

  // Spans of arrays that nothing else keeps alive.
  var marks = [Int64](repeating: 0, count: size)
  let mark = [Int64(rank) << 40]
  try world.gatherv(mark.span, into: &marks, counts: [Int](repeating: 1, count: size), root: 0)
  report("span", marks == (0..<Int64(size)).map { $0 << 40 } ? "right" : "wrong", world)
  try world.gatherv([Int64(rank + 1) << 40], into: &marks, counts: [Int](repeating: 1, count: size), root: 0)
  report("temporary", marks == (1...Int64(size)).map { $0 << 40 } ? "right" : "wrong", world)

  var fixed = rank == size - 1 ? [1.5, 2.5] : [0, 0]
  try world.broadcast(&fixed, root: size - 1)
  report("broadcast", fixed, world)
  let text = try world.broadcast(rank == size - 1 ? "Kelvin, Rossby, Wärme" : "ignored", root: size - 1)
  report("text", text, world)
  let isTextRight = text == "Kelvin, Rossby, Wärme"
  var bytes = [UInt8](repeating: 7, count: rank == 0 ? 0 : 5)
  try world.broadcast(resizing: &bytes)
  report("wrong anywhere", try world.anyRank(!isTextRight || !bytes.isEmpty), world)

  // Ranks of equal parity, in reverse order; rank 0 alone joins none when there are others.
  let part = try world.split(color: rank == 0 && size > 1 ? nil : rank % 2, key: -rank)
  let members = try part.map { try $0.allreduce(Int64(1) << rank, .sum) } ?? 0
  let highest = members == 0 ? 0 : 63 - members.leadingZeroBitCount
  let isSplitRight = part.map { $0.rank == (highest - rank) / 2 } ?? (rank == 0 && size > 1)
  report("split wrong", try world.anyRank(!isSplitRight), world)
  try part?.free()

  try world.barrier()
  let copy = try world.duplicate()
  var ten = [Double](repeating: 1, count: 10)
  try copy.allreduce(&ten, .sum)
  try copy.barrier()
  report("traffic", "\(copy.traffic.collectives) collectives, \(copy.traffic.bytes) bytes", world)

  do {
    var value = [1.0]
    try world.broadcast(&value, root: size)
  } catch let error {
    report("error", error, world)
  }
}

/// What all ranks learn when some disagree or fail: each rank tells, and the root prints what all told.
func exerciseAgreement(_ world: Communicator) throws {
  try world.agree(on: 17, about: "nothing")
  try world.agree(on: .max, about: "nothing")
  let last = world.size - 1

  let disagreement = try told(world) {
    try world.agree(on: world.rank == last ? 18 : 17, about: "the configuration")
  }
  report("disagreement", disagreement, world)

  let alone = try told(world) {
    try world.collectively { if world.rank == last { throw ProbeError(text: "no file") } }
  }
  report("one fails", alone, world)

  let all = try told(world) {
    try world.collectively { throw ProbeError(text: "no file on \(world.rank)") }
  }
  report("all fail", all, world)

  let nested = try told(world) {
    try world.collectively {
      try world.collectively { if world.rank == last { throw ProbeError(text: "no file") } }
    }
  }
  report("nested", nested, world)

  let owners = try world.allreduce(ownsFailure(world) ? 1 : 0 as Int64, .sum)
  report("owners", owners, world)
  report("result", try world.collectively { 42 }, world)
}

/// The error that `body` throws, as every rank describes it; "differs" if they do.
private func told(_ world: Communicator, _ body: () throws -> Void) throws -> String {
  var text = "nothing"
  do { try body() } catch { text = "\(error)" }
  let reference = try world.broadcast(text)
  return try world.anyRank(text != reference) ? "differs" : text
}

/// Whether this rank is told that the failure is its own.
private func ownsFailure(_ world: Communicator) -> Bool {
  do {
    try world.collectively { if world.rank > 0 || world.size == 1 { throw ProbeError(text: "bad") } }
  } catch {
    if case .rankFailed(let failure) = error { return failure.underlying is ProbeError }
  }
  return false
}

/// An error that the ranks `ranks` don't catch, while the others wait for them.
func fail(_ world: Communicator, on ranks: [Int]) throws {
  var processes = [Int64](repeating: 0, count: world.size)
  try world.gatherv([Int64(getpid())], into: &processes, counts: [Int](repeating: 1, count: world.size))
  report("processes", processes, world)
  fflush(nil)
  try world.barrier()
  if ranks.contains(world.rank) { throw ProbeError(text: "member 3 has no temperature") }
  while true { try world.barrier() }
}
