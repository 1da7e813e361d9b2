public import DaunceAgents

/// The alternatives that keys choose from; the raw value is the word in a configuration file.
extension Configuration {
  /// How an ensemble is updated.
  public enum Method: String, ConfigurationChoice {
    /// Agents trained with multipliers on the energy band.
    case rl
    /// The same agents trained without multipliers.
    case rlUnconstrained = "rl-unconstrained"
    /// Ensemble adjustment Kalman filter (Anderson 2001).
    case eakf
    /// EAKF whose members are projected on the constraints: the agents' reference.
    case constrainedEAKF = "constrained-eakf"
    /// The same with `filter.large_members` members: what agents are measured against.
    case largeConstrainedEAKF = "constrained-eakf-large"
    /// EAKF whose members are cut off at the lower bounds.
    case flooredEAKF = "floored-eakf"
    /// Stochastic ensemble Kalman filter with perturbed observations (2.1-2.5).
    case enkf
    /// Stochastic EnKF under constraints (2.6-2.8).
    case constrainedEnKF = "constrained-enkf"
    /// No update at all: what the observations are worth.
    case free
  }
}

extension Configuration.Model {
  /// Forecast models.
  public enum Name: String, ConfigurationChoice {
    /// Stochastic skeleton of the Madden-Julian Oscillation (4.3-4.6).
    case mjoSkeleton = "mjo-skeleton"
    /// Lorenz (1996) on a circle.
    case lorenz96
    /// A positive tracer in a random wind, with its mass conserved.
    case advection1d
  }

  /// Unit systems of the MJO skeleton.
  public enum Units: String, ConfigurationChoice {
    /// The paper's: L = 8/3, a time unit of two months.
    case paper
    /// Thual, Majda and Stechmann (2014): 1500 km, 8.33 h.
    case standard
  }

  /// Sources S(x) of the MJO skeleton.
  public enum Background: String, ConfigurationChoice {
    case homogeneous
    /// Equation (4.9).
    case warmPool = "warm-pool"
  }

  /// Schemes for the square-root noise.
  public enum NoiseScheme: String, ConfigurationChoice {
    /// Euler-Maruyama, cut off at the floor.
    case eulerFloor = "euler-floor"
    /// Exact sampling of the Feller diffusion (Poisson-Gamma mixture).
    case feller
  }
}

extension Configuration.Initial {
  /// What an ensemble is started from.
  public enum Kind: String, ConfigurationChoice {
    /// The truth, with perturbations.
    case perturbed
    /// Independent nature runs of the truth's age.
    case climatology
  }

  /// What the initial members are scattered around.
  public enum Centre: String, ConfigurationChoice {
    /// The truth itself.
    case truth
    /// The truth with a perturbation like the members' own.
    case perturbed
  }
}

extension Configuration.Filter {
  /// Variable localization.
  public enum Update: String, ConfigurationChoice {
    /// An observation updates the variable it measures.
    case own
    /// An observation updates every variable.
    case all
  }

  /// Solvers of the constrained analysis.
  public enum Solver: String, ConfigurationChoice {
    /// Non-negative least squares in the active constraints.
    case dual
    /// NLopt's sequential quadratic programming, for any constraint.
    case slsqp
  }
}

extension Configuration.Constraints {
  /// Which energy is held in a band.
  public enum Energy: String, ConfigurationChoice {
    /// The energy that the noise-free model conserves.
    case conserved
    /// The energy as the paper prints it.
    case printed
    /// No band.
    case off = "none"
  }
}

// The agents' alternatives are the agents' own: the same word in a file and in the code that acts on it.
extension AgentSettings.Base: ConfigurationChoice {}
extension AgentSettings.Inputs: ConfigurationChoice {}
extension AgentSettings.Target: ConfigurationChoice {}
extension AgentSettings.Draws: ConfigurationChoice {}
extension AgentSettings.Bounds: ConfigurationChoice {}
extension PPOSettings.Reward: ConfigurationChoice {}
extension MultiplierForm: ConfigurationChoice {}
