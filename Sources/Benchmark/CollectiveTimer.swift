import DaunceEnsemble
import DaunceExperiment
import DaunceMPI

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
    /// Wall seconds of one call on the slowest rank: that of the call which a twentieth of all calls were faster than,
    /// since on a shared machine most calls are disturbed.
    let seconds: Double

    var json: JSON {
      .object([
        "operation": .text(operation), "path": .text(path), "bytes": .integer(bytes), "seconds": .number(seconds),
      ])
    }
  }

  /// Longest message, in bytes.
  private static let longest = 1 << 18
  /// Calls of a kind, and the wall seconds that they may take, about.
  private static let (fewest, most) = (40, 400)
  private static let wallSeconds = 0.1

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
    /// Seconds of `count` calls, each on the slowest rank, ascending; all ranks begin a call together.
    func calls(_ count: Int) throws -> [Double] {
      var seconds = [Double](repeating: 0, count: count)
      for k in seconds.indices {
        try world.barrier(isCounted: false)
        let start = Usage.now.wall
        try call()
        seconds[k] = Usage.now.wall - start
      }
      try world.allreduce(&seconds, .max)
      return seconds.sorted()
    }
    let typical = try calls(5)[2]
    let count = max(fewest, min(most, Int(wallSeconds / max(typical, 1e-9))))
    return try calls(count)[count / 20]
  }
}
