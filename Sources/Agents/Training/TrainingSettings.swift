/// Supervised start of a policy: maximum likelihood of the target, first on the reference filter's states and then on
/// the agent's own closed-loop states.
public struct WarmStartSettings: Sendable, Hashable {
  /// Adam steps of each round.
  public var steps: Int
  /// States (of all cells each) in a step.
  public var batch: Int
  /// Learning rate at the start; it falls to zero along a cosine.
  public var learningRate: Double
  /// Rounds on the agent's own closed-loop states, after the round on the reference's.
  public var closedLoopRounds: Int
  /// Fraction of training states that lose part of their observations, so that agents know what to do without.
  public var missingFraction: Double

  /// All settings; see the properties.
  public init(steps: Int, batch: Int, learningRate: Double, closedLoopRounds: Int, missingFraction: Double) {
    self.steps = steps
    self.batch = batch
    self.learningRate = learningRate
    self.closedLoopRounds = closedLoopRounds
    self.missingFraction = missingFraction
  }
}

/// Proximal policy optimisation in closed loop (Schulman et al. 2017).
public struct PPOSettings: Sendable, Hashable {
  /// What the policy is rewarded for, per cell, in units of the variable's variance.
  public enum Reward: String, Sendable, Hashable, Codable, CaseIterable {
    /// `-(x - x*)^2` (3.2). Its optimum has no spread, so the policy's log-scale stays as the warm start left it.
    case squaredError = "squared-error"
    /// `-|x - x*| + |x - x'|` with `x'` a second draw of the same policy: its expected gradient is that of minus the
    /// policy's CRPS, a proper score, so location and scale both follow it.
    case crps
  }

  public var iterations: Int
  /// Observation times of a rollout.
  public var horizon: Int
  /// Observation times after which a sequence starts again from a state of the reference filter.
  public var episode: Int
  /// Rollouts side by side.
  public var sequences: Int
  public var epochs: Int
  public var minibatches: Int
  public var discount: Double
  public var gaeLambda: Double
  public var clip: Double
  public var learningRate: Double
  public var valueLearningRate: Double
  public var entropy: Double
  public var maximumGradientNorm: Double
  public var targetKL: Double
  public var reward: Reward

  /// All settings; see the properties.
  public init(
    iterations: Int, horizon: Int, episode: Int, sequences: Int, epochs: Int, minibatches: Int, discount: Double, gaeLambda: Double,
    clip: Double, learningRate: Double, valueLearningRate: Double, entropy: Double, maximumGradientNorm: Double,
    targetKL: Double, reward: Reward
  ) {
    self.iterations = iterations
    self.horizon = horizon
    self.episode = episode
    self.sequences = sequences
    self.epochs = epochs
    self.minibatches = minibatches
    self.discount = discount
    self.gaeLambda = gaeLambda
    self.clip = clip
    self.learningRate = learningRate
    self.valueLearningRate = valueLearningRate
    self.entropy = entropy
    self.maximumGradientNorm = maximumGradientNorm
    self.targetKL = targetKL
    self.reward = reward
  }
}
