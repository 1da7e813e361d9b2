public import DaunceNumerics

/// The Schroedinger bridge between the members as they are and as they are weighted: of all processes with these two
/// marginals the one nearest in relative entropy to Brownian motion of variance sigma^2 over unit time.
///
/// Between two empirical measures it is the entropic coupling with eps = 2 sigma^2 (for a squared-distance cost) and a
/// Brownian bridge between coupled points, so a member's end is a draw from its row of the plan.
public final class SchroedingerBridge: NonlinearUpdate {
  /// Settings.
  public struct Settings: Sendable, Hashable {
    /// 2 sigma^2 over the members' mean squared distance.
    public var regularisation: Double
    /// Standard deviation of the jitter that tells copies apart, in that of the members around one.
    public var jitter: Double

    /// See the properties.
    public init(regularisation: Double = 0.02, jitter: Double = 0.5) {
      (self.regularisation, self.jitter) = (regularisation, jitter)
    }
  }

  private let settings: Settings
  private let sinkhorn: Sinkhorn
  private var coupling: WeightCoupling
  private var jitter: Jitter
  private var ends: [Int]

  /// An update of so many members.
  public init(members: Int, settings: Settings) {
    self.settings = settings
    sinkhorn = Sinkhorn(count: members)
    coupling = WeightCoupling(members: members)
    jitter = Jitter(members: members)
    ends = [Int](0..<members)
  }

  /// Fills the matrix of the bridge's ends; see `NonlinearUpdate`.
  public func solve(_ problem: ObservedProblem, noise: RandomStream, into matrix: MemberMatrix) {
    let n = problem.members
    coupling.take(problem)
    coupling.couple(by: sinkhorn, regularisation: settings.regularisation)
    matrix.setZero()
    var isTaken = [Bool](repeating: false, count: n)
    for m in 0..<n {
      ends[m] = draw(m, noise.uniform(at: m))
      matrix[ends[m], m] = 1
      isTaken[ends[m]] = true
    }
    matrix.setWeights(coupling.weights.values, leastSize: ParticleFilter.leastSize)
    let lost = Double(isTaken.count { !$0 }) / Double(n)
    jitter.add(settings.jitter * lost.squareRoot(), to: matrix, ancestors: ends, problem, noise, first: 2 * n)
  }

  /// Where member `m` ends, by its row of the plan.
  private func draw(_ m: Int, _ uniform: Double) -> Int {
    let n = sinkhorn.count
    var rest = uniform / Double(n)
    for j in 0..<n {
      rest -= sinkhorn.plan[m * n + j]
      if rest < 0 { return j }
    }
    return (0..<n).max { sinkhorn.plan[m * n + $0] < sinkhorn.plan[m * n + $1] } ?? m
  }
}
