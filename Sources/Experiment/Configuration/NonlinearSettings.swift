import DaunceAssimilation
public import DaunceSettings
import DaunceState

/// Settings of the nonlinear updates, in the section `filter` of an experiment and of an analysis alike.
public struct NonlinearSettings: Codable, Sendable, Hashable {
  @Key("which observations are taken at a time: one after the other, or all near an element; auto: the method's own")
  public var order: Order?
  @Key("standard deviation, in that of the members around it, of what tells a particle's copies apart", .nonNegative)
  public var jitter = 0.5
  @Key("particle-filter: least share of particles that a step of the tempered likelihood leaves; 0: one step", .fraction)
  public var temperedShare = 0.0
  @Key(
    "transport, schroedinger-bridge: entropic regularisation over the members' mean squared distance; auto: 0.02, and none for transport by one observation after the other",
    .positive)
  public var regularisation: Double?
  @Key("transport: give the new members the weighted covariance")
  public var secondOrder = true
  @Key("diffusion: how the likelihood enters the score")
  public var likelihood = Likelihood.kernelMixture
  @Key("langevin: D of the quantity", .nonNegative)
  public var diffusivity = 1.0
  @Key("langevin: D of the momentum", .nonNegative)
  public var friction = 1.0
  @Key("langevin: Q between quantity and momentum; 0: no momentum")
  public var rotation = 0.0
  @Key("localized-particle-filter: least share of particles that an observation leaves", .fraction)
  public var leastShare = 0.3
  @Key("interpolants: noise half way, in standard deviations of the members", .nonNegative)
  public var interpolantNoise = 0.2
  @Key("rank-histogram and its like: how elements follow: in normal scores, in values, or in values near each member")
  public var regression = Regression.probit
  @Key("rank-histogram and its like: laws of single fields")
  public var laws: [FieldLaw] = []
  @Key("steps of diffusion, particle-flow, interpolants, langevin; auto: the method's own", .within(1...100_000))
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

/// The law of a field's prior, as an element of `filter.nonlinear.laws`.
public struct FieldLaw: ConfigurationGroup {
  @Key("field of the state")
  public var field = ""
  @Key("form of its law")
  public var law = Form.rankHistogram

  /// The defaults.
  public init() {}

  /// Forms of laws.
  public enum Form: String, ConfigurationChoice {
    /// As in Kalman filters.
    case normal
    /// Even between neighbouring members.
    case rankHistogram = "rank-histogram"
    /// Kernels on the members.
    case kernelDensity = "kernel-density"
    /// Above a lower bound.
    case gamma
    /// Cut off at the bounds.
    case boundedNormal = "bounded-normal"
  }
}

extension NonlinearSettings {
  /// Refuses laws of fields that a state does not have, and several of one field.
  func checkLaws(in layout: StateLayout) throws(ConfigurationError) {
    var known: Set<String> = []
    for (i, entry) in laws.enumerated() {
      let isField = layout.fieldIndex(entry.field) != nil
      guard !isField || !known.insert(entry.field).inserted else { continue }
      let names = layout.fields.map(\.name).joined(separator: ", ")
      throw ConfigurationError([
        .init(
          .outOfRange, source: .program, keys: ["filter.nonlinear.laws[\(i)].field"],
          found: isField ? "\(entry.field) once more" : entry.field, expected: "a field of the state, each once: \(names)")
      ])
    }
  }

  /// Whether a method's law ends at bounds that its regression would not know.
  func losesBounds(_ methods: [String]) -> Bool {
    regression == .local && methods.contains { [PriorLawKind.gamma, .boundedNormal].map(\.rawValue).contains($0) }
  }

  /// How what is not observed follows.
  public enum Regression: String, ConfigurationChoice {
    /// In normal scores.
    case probit
    /// In values.
    case linear
    /// In values, near each member, as after diffusion; without bounds.
    case local
  }

  var localizedParticles: LocalizedParticles { LocalizedParticles(jitter: jitter, leastShare: leastShare) }

  func quantile(_ law: PriorLawKind) -> LocalAnalysis.Method {
    let kernels = kernels
    if regression == .local { return scalarMethod { QuantileUpdate(members: $0, law: law, kernels: kernels) } }
    var own: [String: PriorLawKind] = [:]
    for entry in laws { own[entry.field] = PriorLawKind(rawValue: entry.law.rawValue) }
    return .quantile(QuantileMethod(law, laws: own, isProbit: regression == .probit, kernels: kernels))
  }

  func interpolants(_ members: Int) -> Interpolants {
    var settings = Interpolants.Settings(noise: interpolantNoise, kernels: kernels)
    settings.steps = steps ?? settings.steps
    return Interpolants(members: members, settings: settings)
  }

  func langevin(_ members: Int) -> Langevin {
    var settings = Langevin.Settings(kernels: kernels)
    settings.process = LangevinProcess(diffusivity: diffusivity, friction: friction, rotation: rotation)
    settings.steps = steps ?? settings.steps
    return Langevin(members: members, settings: settings)
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

  var kernels: KernelShape { KernelShape(bandwidth: bandwidth, window: window ?? .infinity) }

  func diffusion(_ members: Int) -> Diffusion {
    var settings = Diffusion.Settings(kernels: kernels)
    settings.likelihood = Diffusion.Likelihood(rawValue: likelihood.rawValue) ?? settings.likelihood
    settings.steps = steps ?? settings.steps
    return Diffusion(members: members, settings: settings)
  }

  func particleFlow(_ members: Int) -> ParticleFlow {
    var settings = ParticleFlow.Settings(kernels: kernels)
    settings.steps = steps ?? settings.steps
    return ParticleFlow(members: members, settings: settings)
  }
}
