import DaunceArchive
import DaunceModels
import DaunceSettings
import DaunceState
import Foundation
import Glibc

/// What all instances of an external model in this process share: its description, how it is handed states, and the
/// programs.
final class ExternalSetup {
  let settings: ExternalSettings
  let description: ModelDescription
  let layout: StateLayout
  let invariants: [LinearInvariant]
  let exchange: any StateExchange
  let folders: MemberFolders
  /// What is asked for a forecast, an initial state and a coarse forecast.
  let forecast: RequestLine
  let start, coarse: RequestLine?
  let runner: any ProgramRunner
  var reusesFinished: Bool
  var usage = ForecastUsage()

  /// Name in messages.
  static let name = "external model"

  /// - Parameter cores: of this node, for all of its processes.
  /// - Throws: `CouplingError` for what is missing or contradicts itself, `ArchiveError` for files, `ConfigurationError` for a
  ///   description with mistakes.
  init(_ settings: ExternalSettings, cores: Int) throws {
    self.settings = settings
    reusesFinished = settings.reusesFinished
    guard let path = settings.description else {
      throw CouplingError(Self.name, "key model.description", found: "none", expected: "the file that says what a state is")
    }
    guard let text = FileManager.default.contents(atPath: path) else {
      throw ArchiveError(.missingFile, path: path, found: "a file that cannot be read", expected: "the model's description")
    }
    description = try ModelDescription(yaml: String(decoding: text, as: UTF8.self), source: path)
    try description.validate(source: .file(path))
    let arrays = { (name: String, count: Int) throws -> [Double] in
      guard let file = settings.arrays else {
        throw CouplingError(
          Self.name, "array \(name) of \(path)", found: "no file (model.arrays: none)", expected: "a NetCDF file with that variable")
      }
      let values = try StoredVariable.read(name, from: file)
      guard values.count == count else {
        throw CouplingError(Self.name, "\(file): variable \(name)", found: "\(values.count) values", expected: "\(count)")
      }
      return values
    }
    layout = try description.makeLayout(of: path, arrays: arrays)
    invariants = try description.makeInvariants(in: layout, arrays: arrays)
    let exchange: any StateExchange
    if !settings.files.isEmpty {
      exchange = try NamedFilesExchange(settings.files, of: layout)
    } else if settings.format == .netcdf {
      exchange = OwnFileExchange(layout: layout)
    } else {
      exchange = NumbersExchange(count: layout.count)
    }
    let originals = exchange.originals
    self.exchange = exchange
    folders = try MemberFolders(
      settings.folder, template: settings.template, copied: settings.copied,
      written: originals + settings.keeps.filter { !originals.contains($0) })

    let isWorker = settings.worker != nil
    let (template, here) = (folders.template, FileManager.default.currentDirectoryPath)
    func line(_ text: String?, _ key: String) throws -> RequestLine? {
      guard let text else { return nil }
      let line = try RequestLine(text, key: key)
      return isWorker ? line : line.located(from: here, unlessIn: template)
    }
    guard
      let forecast = try line(
        settings.command ?? (isWorker ? "forecast {input} {output} {from} {to} {seed}" : nil), "model.command")
    else {
      throw CouplingError(Self.name, "key model.command", found: "none", expected: "the program that carries a state, or model.worker")
    }
    self.forecast = forecast
    start = try line(settings.start ?? (isWorker ? "start {output} {seed}" : nil), "model.start")
    coarse = try line(settings.coarse, "model.coarse")
    let worker = try settings.worker.map { text in
      try RequestLine(text, key: "model.worker").located(from: here, unlessIn: template)
    }
    let surroundings = try Self.surroundings(settings, cores: cores, folder: folders.path)
    usage.cores = cores
    if let worker {
      runner = WorkerPool(surroundings, folders: folders) {
        worker.filled { $0 == .cores ? "\(settings.cores)" : "" }
      }
    } else {
      runner = ProgramPool(surroundings)
    }
  }

  private static func surroundings(
    _ settings: ExternalSettings, cores: Int, folder: String
  ) throws -> ProgramSurroundings {
    let atStart = ProcessEnvironment.atStart
    var variables = Dictionary(uniqueKeysWithValues: settings.environment.parameters.map { ($0.name, $0.value) })
    // Members' own mpiruns don't know of each other, and would all bind their ranks to the first cores.
    for (name, value) in ["OMPI_MCA_hwloc_base_binding_policy": "none", "OMPI_MCA_rmaps_base_oversubscribe": "1"]
    where atStart[name] == nil && variables[name] == nil {
      variables[name] = value
    }
    let environment = ProcessEnvironment.cleaned(
      atStart, keepsMPISettings: true, keepsAllocation: false, cores: settings.cores, adding: variables)
    // mpirun binds ranks to cores, but not itself: a rank's programs use those of others that have nothing to do.
    let limits = ProcessLimits(
      seconds: settings.seconds, memory: settings.gigabytes.map { Int($0 * 1e9) },
      coresOf: atStart["OMPI_COMM_WORLD_LOCAL_SIZE"] == nil ? nil : getppid())
    let atOnce = settings.atOnce ?? max(1, cores / settings.cores)
    // Other processes of the job on this node start programs too.
    let isAlone = ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "SLURM_NTASKS_PER_NODE", "SLURM_TASKS_PER_NODE"]
      .compactMap { atStart[$0] }.allSatisfy { $0 == "1" }
    var slots: NodeSlots?
    if !isAlone {
      let place = "\(atStart["TMPDIR"] ?? "/tmp")/daunce-\(getuid())-\(String(Digest.xxh64(Array(folder.utf8)), radix: 16))"
      slots = try NodeSlots(folder: place, count: atOnce)
    }
    return ProgramSurroundings(environment: environment, limits: limits, atOnce: atOnce, slots: slots)
  }

  /// Does work by programs and counts what it takes.
  func run(_ work: any ProgramWork) {
    let begin = secondsNow()
    runner.run(work)
    usage.seconds += secondsNow() - begin
  }

  /// Counts a program that has run.
  func count(_ seconds: Double, of name: @autoclosure () -> String) {
    usage.count += 1
    usage.coreSeconds += seconds * Double(settings.cores)
    if seconds > usage.slowest { (usage.slowest, usage.slowestName) = (seconds, name()) }
  }
}
