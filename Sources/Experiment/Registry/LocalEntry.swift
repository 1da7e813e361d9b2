public import DaunceAssimilation
import DaunceSettings

/// A local analysis that configurations know by name: a method of `run`, `assimilate` and `analyze`.
public struct LocalEntry: RegistryEntry {
  /// The word in `methods` and of `--method`.
  public let name: String
  /// What it is, in a line.
  public let summary: String
  /// Whether observations act near their places only.
  public let isLocal: Bool
  /// Whether it knows one observation at a time only.
  public let isScalar: Bool
  /// What it does near observations, with the settings of the nonlinear updates and the strength of nudging.
  public let method: @Sendable (_ settings: NonlinearSettings, _ nudging: Double) -> LocalAnalysis.Method

  /// - Parameters: as the properties of their names.
  public init(
    _ name: String, _ summary: String, isLocal: Bool = true, isScalar: Bool = false,
    method: @escaping @Sendable (_ settings: NonlinearSettings, _ nudging: Double) -> LocalAnalysis.Method
  ) {
    (self.name, self.summary, self.isLocal, self.isScalar) = (name, summary, isLocal, isScalar)
    self.method = method
  }

  /// All of them: a new one is its file in `Assimilation` and an entry here.
  static let builtIn = [
    LocalEntry("etkf", "ensemble transform Kalman filter (Bishop et al. 2001), not localized", isLocal: false) { _, _ in .transform },
    LocalEntry("letkf", "local ensemble transform Kalman filter (Hunt et al. 2007)") { _, _ in .transform },
    LocalEntry("denkf", "deterministic ensemble Kalman filter (Sakov & Oke 2008)") { _, _ in .deterministic },
    LocalEntry("particle-filter", "particles resampled by their likelihood (Gordon et al. 1993), all at once or tempered") { settings, _ in
      settings.method(.together) {
        ParticleFilter(members: $0, settings: .init(jitter: settings.jitter, temperedShare: settings.temperedShare))
      }
    },
    LocalEntry("localized-particle-filter", "particles resampled and merged near each observation (Poterjoy 2016)", isScalar: true) { settings, _ in
      .particles(settings.localizedParticles)
    },
    LocalEntry("transport", "ensemble transform by entropic optimal transport (Reich 2013)") { settings, _ in
      settings.method(.serial) {
        Transport(
          members: $0, settings: .init(
            regularisation: settings.regularisation, secondOrder: settings.secondOrder, jitter: settings.jitter))
      }
    },
    LocalEntry("schroedinger-bridge", "the random coupling nearest to Brownian motion") { settings, _ in
      settings.method(.serial) {
        SchroedingerBridge(
          members: $0, settings: .init(regularisation: settings.regularisation ?? 0.02, jitter: settings.jitter))
      }
    },
    LocalEntry("particle-flow", "kernel particle flow (Liu & Wang 2016; Pulido & van Leeuwen 2019)", isScalar: true) { settings, _ in
      settings.scalarMethod(make: settings.particleFlow)
    },
    LocalEntry("diffusion", "diffusion with the analytic score of the noised prior", isScalar: true) { settings, _ in
      settings.scalarMethod(make: settings.diffusion)
    },
    LocalEntry("interpolants", "stochastic interpolants from prior to posterior (Albergo et al. 2023)", isScalar: true) { settings, _ in
      settings.scalarMethod(make: settings.interpolants)
    },
    LocalEntry("langevin", "unadjusted Langevin steps of each member by itself (Ma et al. 2015)", isScalar: true) { settings, _ in
      settings.scalarMethod(make: settings.langevin)
    },
    quantile(.rankHistogram, "rank-histogram filter in normal scores (Anderson 2010, 2023)"),
    quantile(.kernelDensity, "the same with kernels on the members"),
    quantile(.gamma, "the same with gamma laws above lower bounds"),
    quantile(.boundedNormal, "the same with normal laws cut off at bounds"),
  ]

  /// A quantile-conserving filter with one law for whatever has no other (Anderson 2022).
  private static func quantile(_ law: PriorLawKind, _ summary: String) -> LocalEntry {
    LocalEntry(law.rawValue, summary, isScalar: true) { settings, _ in settings.quantile(law) }
  }

  /// The serial adjustment, perturbed observations and nudging, which `run` has classes of their own for.
  private static let others = [
    LocalEntry("eakf", "ensemble adjustment Kalman filter (Anderson 2001)") { _, _ in .eakf },
    LocalEntry("enkf", "stochastic ensemble Kalman filter with perturbed observations (Burgers et al. 1998)") { _, _ in .stochastic },
    LocalEntry("nudging", "members moved towards observations, without covariances (Hoke & Anthes 1976)") { _, nudging in
      .nudging(strength: nudging)
    },
  ]

  /// The methods of `analyze`.
  public static let registry = Registry<LocalEntry>(others + builtIn)
}

extension AnalysisConfiguration {
  /// Name of a way of updating an ensemble.
  public struct Method: RegisteredName {
    /// The word in a file.
    public let rawValue: String
    /// A name that may not be registered; those of files and command lines are checked.
    public init(_ name: String) { rawValue = name }

    /// Where names are looked up.
    public static var registry: Registry<LocalEntry> { LocalEntry.registry }

    /// Serial ensemble adjustment filter.
    public static let eakf = Self("eakf")
    /// Local ensemble transform filter.
    public static let letkf = Self("letkf")
    /// The same without localization.
    public static let etkf = Self("etkf")
    /// Deterministic ensemble Kalman filter.
    public static let denkf = Self("denkf")
    /// Stochastic ensemble Kalman filter.
    public static let enkf = Self("enkf")
    /// Members moved towards observations.
    public static let nudging = Self("nudging")
  }
}
