import Ensemble
import MPI

/// How long the collectives of a cycle take, by the length of their messages: what a model of the network is fitted to.
struct CollectiveTimer {
  /// One measured collective.
  struct Point {
    /// `allreduce` of 64-bit integers, or `allgatherv` of doubles.
    let operation: String
    /// `mpi`, or `board` where ranks share a machine's memory.
    let path: String
    /// What one rank puts in.
    let bytes: Int
    /// Wall seconds of one call on the slowest rank, in the fastest of several batches.
    let seconds: Double

    var json: JSON {
      .object([
        "operation": .text(operation), "path": .text(path), "bytes": .integer(bytes), "seconds": .number(seconds),
      ])
    }
  }

  /// Longest message, in bytes.
  private static let longest = 1 << 18
  private static let batches = 7
  /// Wall seconds that a batch takes, about.
  private static let batchSeconds = 0.004

  /// Measures. Collective; some seconds where ranks share cores.
  static func measure(_ world: Communicator) throws -> [Point] {
    let plain = try world.duplicate()
    var points: [Point] = []
    for (path, communicator) in [("mpi", plain)] + (world.hasBoard ? [("board", world)] : []) {
      var bytes = 8
      while bytes <= Self.longest {
        let length = bytes / 8
        var integers = [Int64](repeating: 0, count: length)
        points.append(
          Point(
            operation: "allreduce", path: path, bytes: bytes,
            seconds: try time(world) { try communicator.allreduce(&integers, .sum) }))
        if bytes * world.size <= 1 << 24 {
          let counts = [Int](repeating: length, count: world.size)
          var all = [Double](repeating: 0, count: length * world.size)
          points.append(
            Point(
              operation: "allgatherv", path: path, bytes: bytes,
              seconds: try time(world) { try communicator.allgatherv(inPlace: &all, counts: counts) }))
        }
        bytes *= 8
      }
    }
    try plain.free()
    return points
  }

  private static func time(_ world: Communicator, _ call: () throws -> Void) throws -> Double {
    for _ in 0..<3 { try call() }
    func batch(_ count: Int) throws -> Double {
      try world.barrier(isCounted: false)
      let start = Usage.now.wall
      for _ in 0..<count { try call() }
      return try world.allreduce((Usage.now.wall - start) / Double(count), .max)
    }
    let first = try batch(3)
    let count = max(3, min(1000, Int(batchSeconds / max(first, 1e-9))))
    var least = first
    for _ in 0..<batches { least = min(least, try batch(count)) }
    return least
  }
}
