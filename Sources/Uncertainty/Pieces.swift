public import DaunceMPI

/// Independent pieces of work, spread over the ranks, each with equally many numbers as its result: the same numbers at
/// any number of ranks.
public struct Pieces: Sendable {
  /// Number of pieces, and of numbers that each results in.
  public let count, width: Int
  /// `[piece][number]`, of pieces that are done somewhere and have been brought together.
  public private(set) var values: [Double]
  /// Which pieces those are.
  public private(set) var isDone: [Bool]
  /// Results of this rank that the others do not know yet.
  private var own: [(piece: Int, values: [Double])] = []

  /// Nothing is done yet.
  public init(count: Int, width: Int) {
    (self.count, self.width) = (count, width)
    values = [Double](repeating: 0, count: count * width)
    isDone = [Bool](repeating: false, count: count)
  }

  /// With results of an earlier job; `nil` if their number is another.
  public init?(count: Int, width: Int, values: [Double], isDone: [Bool]) {
    guard values.count == count * width, isDone.count == count else { return nil }
    (self.count, self.width, self.values, self.isDone) = (count, width, values, isDone)
  }

  /// Does all that is not done, and brings the results together on every rank. Collective.
  ///
  /// - Parameters:
  ///   - boundary: called by all ranks after each round of a piece a rank, with the pieces done so far and this object,
  ///     which it may `collect`.
  ///   - work: the result of one piece.
  public mutating func complete(
    on communicator: Communicator, boundary: (Int, inout Pieces) throws -> Void, work: (Int) throws -> [Double]
  ) throws {
    let open = (0..<count).filter { !isDone[$0] }
    let rounds = (open.count + communicator.size - 1) / communicator.size
    for round in 0..<rounds {
      let place = round * communicator.size + communicator.rank
      if place < open.count {
        let result = try work(open[place])
        precondition(result.count == width, "a piece has \(result.count) numbers in place of \(width)")
        own.append((open[place], result))
      }
      let done = count - open.count + min(open.count, (round + 1) * communicator.size)
      try boundary(done, &self)
    }
    try collect(on: communicator)
  }

  /// Does all that is not done, each piece by all ranks together, which all get the same result. Collective.
  ///
  /// - Parameters:
  ///   - boundary: called by all ranks after each piece.
  ///   - work: the result of one piece, the same on every rank.
  public mutating func completeTogether(
    boundary: (Int, inout Pieces) throws -> Void, work: (Int) throws -> [Double]
  ) throws {
    var done = isDone.count { $0 }
    for piece in 0..<count where !isDone[piece] {
      let result = try work(piece)
      precondition(result.count == width, "a piece has \(result.count) numbers in place of \(width)")
      values.replaceSubrange(piece * width..<(piece + 1) * width, with: result)
      isDone[piece] = true
      done += 1
      try boundary(done, &self)
    }
  }

  /// Brings together what is done. Collective.
  public mutating func collect(on communicator: Communicator) throws {
    var counts = [Int64](repeating: 0, count: communicator.size)
    try communicator.allgatherv(
      [Int64(own.count)], into: &counts, counts: [Int](repeating: 1, count: communicator.size))
    let total = Int(counts.reduce(0, +))
    var numbers = [Int64](repeating: 0, count: total)
    try communicator.allgatherv(own.map { Int64($0.piece) }, into: &numbers, counts: counts.map { Int($0) })
    var results = [Double](repeating: 0, count: total * width)
    try communicator.allgatherv(own.flatMap(\.values), into: &results, counts: counts.map { Int($0) * width })
    for (k, number) in numbers.enumerated() {
      let piece = Int(number)
      for i in 0..<width { values[piece * width + i] = results[k * width + i] }
      isDone[piece] = true
    }
    own = []
  }

  /// One piece's result.
  public subscript(piece: Int) -> [Double] { Array(values[piece * width..<(piece + 1) * width]) }
}

/// Who is told of the progress of long work, and may keep its results for a job that goes on later.
public protocol WorkKeeper {
  /// Pieces of work called `name`, with what an earlier job has done of them.
  func begin(_ name: String, count: Int, width: Int) throws -> Pieces
  /// A round of pieces is done, `done` in all. Collective; may end the job.
  func offer(_ name: String, done: Int, _ pieces: inout Pieces) throws
  /// All of them are.
  func end(_ name: String, _ pieces: Pieces) throws
}

extension WorkKeeper {
  /// Does pieces of work under this keeper's eyes. Collective.
  public func complete(
    _ name: String, count: Int, width: Int, on communicator: Communicator, work: (Int) throws -> [Double]
  ) throws -> Pieces {
    var pieces = try begin(name, count: count, width: width)
    try pieces.complete(on: communicator, boundary: { try offer(name, done: $0, &$1) }, work: work)
    try end(name, pieces)
    return pieces
  }

  /// Does pieces of work one after the other, each by all ranks together. Collective.
  public func completeTogether(
    _ name: String, count: Int, width: Int, work: (Int) throws -> [Double]
  ) throws -> Pieces {
    var pieces = try begin(name, count: count, width: width)
    try pieces.completeTogether(boundary: { try offer(name, done: $0, &$1) }, work: work)
    try end(name, pieces)
    return pieces
  }
}
