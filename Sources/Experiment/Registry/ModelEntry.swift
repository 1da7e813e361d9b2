import DaunceCoupling
import DaunceMPI
public import DaunceModels
import DaunceSettings

/// A forecast model that configurations know by name: `model.name`.
public struct ModelEntry: RegistryEntry {
  /// The word of `model.name`.
  public let name: String
  /// What it is, in a line.
  public let summary: String
  /// Keys of the section `model` that it takes beside `name`; others are refused where they are not their defaults.
  public let keys: Set<String>
  /// What `model.cells: auto` stands for; `nil` for a model whose grid is known when it is made.
  public let cells: Int?
  /// What `constraints.energy: auto` stands for; `off` for a model without an energy to be held.
  public let energy: Configuration.Constraints.Energy
  /// Functions of the state that can be held in a band.
  public let energies: Set<Configuration.Constraints.Energy>
  /// The model of a configuration.
  public let make: @Sendable (Configuration) throws -> any ForecastModel

  /// - Parameters: as the properties of their names.
  public init(
    _ name: String, _ summary: String, keys: Set<String> = ["cells"], cells: Int?, energy: Configuration.Constraints.Energy = .off,
    energies: Set<Configuration.Constraints.Energy> = [],
    make: @escaping @Sendable (Configuration) throws -> any ForecastModel
  ) {
    self.name = name
    self.summary = summary
    self.keys = keys
    self.cells = cells
    self.energy = energy
    self.energies = energies.union([energy]).subtracting([.off])
    self.make = make
  }

  /// All models.
  public static let registry = Registry<ModelEntry>(builtIn)

  /// The program's own: a new one is its file in `Models` and an entry here.
  private static let builtIn = [
    ModelEntry(
      "mjo-skeleton", "stochastic skeleton of the Madden-Julian Oscillation (4.3-4.6)",
      keys: ["cells", "units", "background", "noise_amplitude", "noise_scheme", "floor"], cells: 64,
      energy: .conserved, energies: [.printed],
      make: { try MJOSkeleton(MJOConfiguration($0)) }),
    ModelEntry(
      "lorenz96", "Lorenz (1996) on a circle", keys: ["cells", "forcing", "damping"], cells: 40,
      energies: [.kinetic, .mean],
      make: { try Lorenz96(cells: $0.cells, forcing: $0.model.forcing, damping: $0.model.damping) }),
    ModelEntry("lorenz63", "Lorenz (1963), three values", keys: [], cells: 1) { _ in try Lorenz63() },
    ModelEntry(
      "advection1d", "a positive tracer in a random wind, with its mass conserved", keys: ["cells", "noise_amplitude", "floor"],
      cells: 64, energies: [.variance],
      make: { try Advection1D(cells: $0.cells, noiseAmplitude: $0.model.noiseAmplitude, floor: $0.model.floor) }),
    ModelEntry(
      "convection", "a squall line in two dimensions, with warm rain and simple ice", keys: ["cells", "levels", "shear"], cells: 300,
      make: { try Convection(ConvectionConfiguration($0)) }),
    ModelEntry(
      "plugin", "a model in a shared library of one's own", keys: ["library", "parameters"], cells: nil,
      make: { try PluginModel(library: $0.model.library ?? "", parameters: $0.model.parameters) }),
    ModelEntry(
      "bmi", "a model with the Basic Model Interface 2.0, in a shared library",
      keys: ["library", "register", "config", "variables"], cells: nil,
      make: {
        try BMIModel(
          library: $0.model.library ?? "", register: $0.model.register ?? "", configuration: $0.model.config ?? "",
          variables: $0.model.variables)
      }),
    ModelEntry(
      "external", "a program of one's own that is run for each member",
      keys: [
        "description", "arrays", "command", "start", "coarse", "worker", "template", "copied", "folder", "format", "files",
        "keeps", "time_limit", "cores", "memory", "at_once", "environment",
      ], cells: nil,
      make: { try ExternalModel(ExternalSettings($0), cores: Environment.usableCores) }),
  ]
}

extension Configuration.Model {
  /// Name of a forecast model.
  public struct Name: RegisteredName {
    /// The word in a file.
    public let rawValue: String
    /// A name that may not be registered; those of files and command lines are checked.
    public init(_ name: String) { rawValue = name }

    /// Where names are looked up.
    public static var registry: Registry<ModelEntry> { ModelEntry.registry }

    /// Stochastic skeleton of the Madden-Julian Oscillation.
    public static let mjoSkeleton = Self("mjo-skeleton")
    /// Lorenz (1996).
    public static let lorenz96 = Self("lorenz96")
    /// Lorenz (1963).
    public static let lorenz63 = Self("lorenz63")
    /// A positive tracer in a random wind.
    public static let advection1d = Self("advection1d")
    /// A squall line in two dimensions.
    public static let convection = Self("convection")
    /// A shared library of the user's.
    public static let plugin = Self("plugin")
    /// A model with the Basic Model Interface.
    public static let bmi = Self("bmi")
    /// A program of the user's.
    public static let external = Self("external")
  }
}

extension MJOConfiguration {
  fileprivate init(_ configuration: Configuration) {
    let model = configuration.model
    self.init(
      model.units == .paper ? .paper : .standard,
      background: model.background == .homogeneous ? .homogeneous : .warmPool)
    cells = configuration.cells
    noiseAmplitude *= model.noiseAmplitude * model.noiseAmplitude
    floor = model.floor
    noiseScheme = model.noiseScheme == .feller ? .feller : .eulerFloor
  }
}

extension ExternalSettings {
  fileprivate init(_ configuration: Configuration) {
    self.init()
    let model = configuration.model
    (description, arrays) = (model.description, model.arrays)
    (command, start, coarse, worker) = (model.command, model.start, model.coarse, model.worker)
    (template, copied, folder) = (model.template, model.copied, model.folder)
    (format, files, keeps) = (model.format, model.files, model.keeps)
    (seconds, cores, gigabytes, atOnce) = (model.timeLimit, model.cores, model.memory, model.atOnce)
    environment = model.environment
    retries = configuration.forecasts.retries
  }
}

extension ConvectionConfiguration {
  fileprivate init(_ configuration: Configuration) {
    self.init()
    columns = configuration.cells
    levels = configuration.model.levels
    shear = configuration.model.shear
  }
}
