public import DaunceNumerics

/// The bootstrap particle filter (Gordon, Salmond & Smith 1993) with systematic resampling, and its tempered form:
///
///     w_m ~ p(y | x_m)^beta,   sum of the beta = 1
///
/// Where weights would leave fewer than a share of the members, the likelihood is taken in as many steps as it needs,
/// each with as much of it as keeps that share, resampling in between. Copies are told apart by jitter, which is as wide as
/// the members are around their ancestor and grows as members are lost.
public final class ParticleFilter: NonlinearUpdate {
  /// Settings.
  public struct Settings: Sendable, Hashable {
    /// Standard deviation of the jitter, in that of the members around an ancestor.
    public var jitter: Double
    /// Least share of members that a step leaves; 0: all of the likelihood in one step.
    public var temperedShare: Double

    /// See the properties.
    public init(jitter: Double = 0.5, temperedShare: Double = 0) {
      (self.jitter, self.temperedShare) = (jitter, temperedShare)
    }
  }

  private let settings: Settings
  private var logarithms: [Double]
  private var weights: ParticleWeights
  private var jitter: Jitter
  /// One step's matrix.
  private let one: MemberMatrix

  /// Effective size from which weighted variances are worth more than those of the particles drawn.
  static let leastSize = 5.0
  /// Steps of one update at most, which is more than any temper needs.
  private static let mostSteps = 30

  /// A filter of so many members.
  public init(members: Int, settings: Settings) {
    self.settings = settings
    logarithms = [Double](repeating: 0, count: members)
    weights = ParticleWeights(members: members)
    jitter = Jitter(members: members)
    one = MemberMatrix(members: members)
  }

  /// Fills the matrix of the resampling; see `NonlinearUpdate`.
  public func solve(_ problem: ObservedProblem, noise: RandomStream, into matrix: MemberMatrix) {
    for m in logarithms.indices { logarithms[m] = 0 }
    problem.addLogLikelihood(to: &logarithms)
    weights.take(logarithms: logarithms)
    matrix.setWeights(weights.values, leastSize: Self.leastSize)
    var (left, step) = (1.0, 0)
    let least = settings.temperedShare * Double(problem.members)
    while left > 0 {
      for m in logarithms.indices { logarithms[m] = 0 }
      problem.addLogLikelihood(to: &logarithms)
      for m in logarithms.indices { logarithms[m] *= left }
      let part = least > 0 && step < Self.mostSteps ? ParticleWeights.temper(logarithms, least: least) : 1
      for m in logarithms.indices { logarithms[m] *= part }
      weights.take(logarithms: logarithms)
      resample(problem, step, noise, matrix)
      left = part == 1 ? 0 : left * (1 - part)
      step += 1
    }
  }

  private func resample(_ problem: ObservedProblem, _ step: Int, _ noise: RandomStream, _ matrix: MemberMatrix) {
    let members = problem.members
    let copies = weights.copies(uniform: noise.uniform(at: step << 24))
    let lost = Double(copies.count { $0 == 0 }) / Double(members)
    let ancestors = ParticleWeights.ancestors(copies)
    one.setZero()
    for (m, ancestor) in ancestors.enumerated() { one[ancestor, m] = 1 }
    jitter.add(
      settings.jitter * lost.squareRoot(), to: one, ancestors: ancestors, problem, noise, first: (step << 24) + 2)
    for n in 0..<members { one.apply(to: matrix.values + n &* matrix.stride) }
    for k in 0..<problem.count { one.apply(to: problem.row(k)) }
  }
}
