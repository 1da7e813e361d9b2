import DaunceNetworks

/// A training of one policy that all agents start from, in closed loop with whole ensembles; for `base: analysis`.
public struct CommonSettings: Sendable, Hashable {
  /// Adam steps; 0: none.
  public var steps: Int
  /// Ensembles side by side, each with a state of all cells in a step.
  public var batch: Int
  /// Learning rate at the start; it falls to zero along a cosine.
  public var learningRate: Double

  /// All settings; see the properties.
  public init(steps: Int, batch: Int, learningRate: Double) {
    (self.steps, self.batch, self.learningRate) = (steps, batch, learningRate)
  }
}

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
    /// What a member is worth to the CRPS of its ensemble in all fields, those that agents don't set among them, beside
    /// the others: for agents that see the ensemble.
    case ensembleCRPS = "ensemble-crps"
  }

  /// Rollouts with an update each; 0: no PPO.
  public var iterations: Int
  /// Observation times of a rollout.
  public var horizon: Int
  /// Observation times after which a sequence starts again from a state of the reference filter.
  public var episode: Int
  /// Rollouts side by side.
  public var sequences: Int
  /// Passes over a rollout.
  public var epochs: Int
  /// Minibatches of a pass.
  public var minibatches: Int
  /// Discount of later rewards, from 0 to 1.
  public var discount: Double
  /// Lambda of the generalised advantage estimate, from 0 to 1.
  public var gaeLambda: Double
  /// Clip range of the probability ratio.
  public var clip: Double
  /// Step size of the policy.
  public var learningRate: Double
  /// Step size of the value function.
  public var valueLearningRate: Double
  /// Weight of the entropy bonus.
  public var entropy: Double
  /// Largest norm of a gradient.
  public var maximumGradientNorm: Double
  /// Kullback-Leibler divergence that ends an update early, at 1.5 times its value.
  public var targetKL: Double
  /// What an action is rewarded for.
  public var reward: Reward
  /// Cells along each dimension, odd, over which the reward `ensembleCRPS` is averaged around an action.
  public var rewardWindow: Int

  /// All settings; see the properties.
  public init(
    iterations: Int, horizon: Int, episode: Int, sequences: Int, epochs: Int, minibatches: Int, discount: Double, gaeLambda: Double,
    clip: Double, learningRate: Double, valueLearningRate: Double, entropy: Double, maximumGradientNorm: Double,
    targetKL: Double, reward: Reward, rewardWindow: Int = 1
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
    self.rewardWindow = rewardWindow
  }
}
