/// What became of every agent in the course of a training; the same on every rank.
public struct TrainingHistory: Sendable, Hashable, Codable {
  /// Steps of the common training up to and with each point of `commonLoss`.
  public var commonSteps: [Int] = []
  /// Mean negative log-likelihood per action of the common policy over the steps since the point before.
  public var commonLoss: [Double] = []
  /// Warm-start steps up to and with each point of `warmStartLoss`.
  public var warmStartSteps: [Int] = []
  /// Mean negative log-likelihood per action over the steps since the point before, round by round
  /// (`[round]` of `[member][point]`).
  public var warmStartLoss: [[Double]] = []
  /// Mean reward per cell and step of every PPO iteration, without penalty (`[iteration][member]`).
  public var reward: [Double] = []
  /// Multiplier of every band after every PPO iteration (`[iteration][member][band]`).
  public var multiplier: [Double] = []
  /// Deviation dE of every band in units of the tolerance, above 1 where the multiplier rises: a mean over the
  /// iteration's rollouts, harmonic for the reciprocal forms (`[iteration][member][band]`).
  public var deviation: [Double] = []
  /// Mean reward per cell and step on fixed rollouts before and after PPO (`[2][member]`); empty without PPO.
  public var evaluation: [Double] = []

  /// A training that has not begun.
  public init() {}
}

/// Every local agent's loss as means over blocks of steps: as many points as a figure can show, however long a training
/// is.
struct LossCurve {
  static let points = 200
  private let steps: Int
  private let length: Int
  /// `[agent][block]`.
  private(set) var means: [Double]

  init(steps: Int, agents: Int) {
    self.steps = steps
    length = max(1, (steps + Self.points - 1) / Self.points)
    means = [Double](repeating: 0, count: agents * ((steps + length - 1) / length))
  }

  /// Every agent's curve if the stage ended after so many steps: the last point a mean over the steps that there were, and
  /// not-a-number beyond.
  func ended(after done: Int) -> [Double] {
    means.enumerated().map { i, mean in
      let first = i % blocks * length
      let planned = min(length, steps - first)
      return done <= first ? .nan : mean * Double(planned) / Double(min(planned, done - first))
    }
  }

  /// Points of one agent's curve.
  var blocks: Int { (steps + length - 1) / length }

  /// Every local agent's points, for a snapshot.
  var members: [[Double]] {
    get { stride(from: 0, to: means.count, by: blocks).map { Array(means[$0..<$0 + blocks]) } }
    set { means = newValue.flatMap { $0 } }
  }

  /// Steps up to and with each block.
  var ends: [Int] { stride(from: 0, to: steps, by: length).map { min($0 + length, steps) } }

  mutating func add(_ loss: Double, agent: Int, step: Int) {
    let block = step / length
    means[agent * blocks + block] += loss / Double(min(length, steps - block * length))
  }
}
