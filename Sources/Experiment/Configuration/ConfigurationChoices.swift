public import DaunceAgents
import DaunceArchive
public import DaunceSettings

// The alternatives that keys choose from; the raw value is the word in a configuration file.

extension Configuration.Agents {
  /// Weights of agents, which `weigh` computes.
  public enum Weights: String, ConfigurationChoice {
    /// All alike.
    case equal
    case proper
    /// A power of the proper ones.
    case tempered

    /// Which of a file; `nil` for equal ones.
    var kind: WeightsFile.Kind? {
      switch self {
      case .equal: nil
      case .proper: .proper
      case .tempered: .tempered
      }
    }
  }
}

extension Configuration.Model {
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

extension Configuration.Forecasts {
  /// What becomes of a member whose forecast fails.
  public enum OnFailure: String, ConfigurationChoice {
    /// The job stops.
    case stop
    /// The others go on without it.
    case survivors
    /// Another member takes its place, perturbed.
    case replace
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

  /// Densities that particles are drawn from.
  public enum Proposal: String, ConfigurationChoice {
    /// The forecast's.
    case prior
    /// That of the state given forecast and observations.
    case optimal
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
    /// <x^2> / 2 of Lorenz-96.
    case kinetic
    /// <x> of Lorenz-96.
    case mean
    /// <(u - 1)^2> of the tracer.
    case variance
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
