import DaunceAssimilation
public import DaunceSettings

/// Settings of the nonlinear updates, in the section `filter` of an experiment and of an analysis alike.
public struct NonlinearSettings: Codable, Sendable, Hashable {
  @Key("which observations are taken at a time: one after the other, or all near an element; auto: the method's own")
  public var order: Order?
  @Key("standard deviation, in that of the members around it, of what tells a particle's copies apart", .nonNegative)
  public var jitter = 0.5
  @Key("particle-filter: least share of particles that a step of the tempered likelihood leaves; 0: one step", .fraction)
  public var temperedShare = 0.0
  @Key("transport, schroedinger-bridge: entropic regularisation, as a share of the members' mean squared distance", .positive)
  public var regularisation = 0.02
  @Key("transport: give the new members the weighted covariance")
  public var secondOrder = true
  @Key("diffusion: how the likelihood enters the score")
  public var likelihood = Likelihood.kernelMixture
  @Key("steps of diffusion (each way), of particle-flow; auto: the method's own", .within(1...100_000))
  public var steps: Int?
  @Key("bandwidth b of the prior's kernels: 0 for the members themselves, 1 for the normal law of a window", .fraction)
  public var bandwidth = 0.9
  @Key("window of kernels and regressions, in standard deviations of the members; none: the whole ensemble", .positive, absent: "none")
  public var window: Double? = 0.3

  /// The defaults.
  public init() {}

  /// Which observations are taken at a time.
  public enum Order: String, ConfigurationChoice {
    /// One after the other.
    case serial
    /// All near an element.
    case together
  }

  /// How the likelihood enters the score.
  public enum Likelihood: String, ConfigurationChoice {
    /// Exactly, kernel by kernel.
    case kernelMixture = "kernel-mixture"
    /// By the moments of h given what is noised.
    case localMoments = "local-moments"
    /// As in the lecture.
    case jointGaussian = "joint-gaussian"
    /// Wrong, for contrast.
    case adHoc = "ad-hoc"
  }
}

extension NonlinearSettings {
  /// An update of as many observations as there are.
  func method(
    _ order: NonlinearMethod.Order, make: @escaping @Sendable (_ members: Int) -> any NonlinearUpdate
  ) -> LocalAnalysis.Method {
    .nonlinear(NonlinearMethod(self.order.map { $0 == .serial ? .serial : .together } ?? order, make: make))
  }

  /// An update of one observed quantity, and the regression of everything else.
  func scalarMethod(make: @escaping @Sendable (_ members: Int) -> any ScalarUpdate) -> LocalAnalysis.Method {
    let window = window
    return .nonlinear(NonlinearMethod(.serial) { RegressedUpdate(make($0), members: $0, window: window) })
  }

  /// The window that kernels need.
  var kernelWindow: Double { window ?? .infinity }

  func diffusion(_ members: Int) -> Diffusion {
    var settings = Diffusion.Settings(bandwidth: bandwidth, window: kernelWindow)
    settings.likelihood = Diffusion.Likelihood(rawValue: likelihood.rawValue) ?? settings.likelihood
    settings.steps = steps ?? settings.steps
    return Diffusion(members: members, settings: settings)
  }

  func particleFlow(_ members: Int) -> ParticleFlow {
    var settings = ParticleFlow.Settings(bandwidth: bandwidth, window: kernelWindow)
    settings.steps = steps ?? settings.steps
    return ParticleFlow(members: members, settings: settings)
  }
}
