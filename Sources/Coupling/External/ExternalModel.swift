import DaunceArchive
public import DaunceModels
public import DaunceNumerics
public import DaunceState

/// A model that is a program of a user's, run in a folder for each member: once for each forecast, or as a worker that
/// stays alive.
public final class ExternalModel: TwinModel, CoarseModel, ConservingModel, SideBySideModel {
  let setup: ExternalSetup
  private let instance: Instance

  /// What belongs to one trajectory.
  private final class Instance {
    let name: String
    let isTransient: Bool
    var folder: MemberFolder?
    /// Kept files as they are to be before the next forecast; `nil`: as they are in the folder.
    var memory: [UInt8]?
    /// Whether the folder has kept files as they were before the last forecast.
    var hasBefore = false

    init(name: String, isTransient: Bool) { (self.name, self.isTransient) = (name, isTransient) }
  }

  /// Reads the description and gets everything ready; no program is started yet.
  ///
  /// - Parameters:
  ///   - settings: of the section `model`.
  ///   - cores: of this node, for the programs of all of its processes.
  /// - Throws: `CouplingError` for what is missing or contradicts itself, `ArchiveError` for files, `ConfigurationError` for a
  ///   description with mistakes.
  public init(_ settings: ExternalSettings, cores: Int) throws {
    setup = try ExternalSetup(settings, cores: cores)
    instance = Instance(name: "model", isTransient: true)
  }

  private init(_ setup: ExternalSetup, name: String, isTransient: Bool) {
    self.setup = setup
    instance = Instance(name: name, isTransient: isTransient)
  }

  // MARK: What it is

  /// The description's.
  public var name: String { setup.description.name }
  /// Fields of the state, then what the model observes of it.
  public var layout: StateLayout { setup.layout }
  /// The description's, which has been checked.
  public var timeStep: Double { setup.description.timeStep ?? 1 }
  /// The description's.
  public var spinup: Double { setup.description.spinup }
  /// As the description has them.
  public var invariants: [LinearInvariant] { setup.invariants }
  /// None.
  public var energies: [any StateFunction] { [] }
  /// How truths are observed unless a configuration says otherwise.
  public var observing: ObservingSystem { setup.description.makeObserving(in: layout) }
  /// Whether there is a command for it.
  public var hasCoarseForecast: Bool { setup.coarse != nil }

  // MARK: Instances

  /// Whether a member takes files from one forecast to the next.
  public var keepsMemory: Bool { !setup.settings.keeps.isEmpty }
  /// Every member has a folder.
  public var needsInstances: Bool { true }

  /// A model with a folder of its own.
  public func makeInstance(named name: String) throws -> any InstancedModel {
    // What is looked for after a job are members.
    ExternalModel(setup, name: name, isTransient: !name.hasPrefix("member"))
  }

  /// Bytes of the files that it takes from one forecast to the next.
  public func save() throws -> [UInt8] {
    guard keepsMemory else { return [] }
    if let memory = instance.memory { return memory }
    let folder = try folder()
    var memory: [UInt8] = []
    for name in setup.settings.keeps {
      guard let bytes = folder.bytes(of: name) else {
        throw CouplingError(ExternalSetup.name, "\(folder.path)/\(name)", found: "no such file", expected: "one to keep (model.keeps)")
      }
      memory += withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { Array($0) } + bytes
    }
    return memory
  }

  /// Takes them back; they are in its folder when the next forecast begins.
  public func restore(_ memory: [UInt8]) throws {
    guard keepsMemory else { return }
    instance.memory = memory
  }

  /// Takes the files that it takes from one forecast to the next back to what they were before the last one.
  public func rewind() throws {
    guard instance.hasBefore, let folder = instance.folder else { return }
    for name in setup.settings.keeps { try folder.copy("\(MemberFolder.before)/\(name)", to: name) }
    instance.hasBefore = false
  }

  /// Keeps them as they are, for a forecast that fails.
  private func keepBefore(in folder: MemberFolder) throws {
    for name in setup.settings.keeps { try folder.copy(name, to: "\(MemberFolder.before)/\(name)") }
    instance.hasBefore = keepsMemory
  }

  private func putMemory(in folder: MemberFolder) throws {
    guard let memory = instance.memory else { return }
    var rest = memory[...]
    for name in setup.settings.keeps {
      let count = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      guard rest.count >= 8, count <= UInt64(rest.count - 8) else {
        throw CouplingError(ExternalSetup.name, "memory of \(instance.name)", found: "\(memory.count) bytes", expected: "those of \(name) among them")
      }
      rest = rest.dropFirst(8)
      try folder.write(Array(rest.prefix(Int(count))), to: name)
      rest = rest.dropFirst(Int(count))
    }
    instance.memory = nil
  }

  private func folder() throws -> MemberFolder {
    if let folder = instance.folder { return folder }
    let folder = try setup.folders.make(instance.name, keepsFinished: setup.reusesFinished && !instance.isTransient)
    folder.isTransient = instance.isTransient
    instance.folder = folder
    return folder
  }

  // MARK: Forecasts

  /// Carries a state by the program.
  ///
  /// - Throws: `ProcessOutcome` or `WorkerError` of a program that failed, `ArchiveError` or `CouplingError` for what it left.
  public func forecast(_ state: inout MutableSpan<Double>, from start: Int, steps: Int, noise: RandomStream) throws {
    let work = ExternalWork(setup, [Piece(.forecast, of: self, start, steps, seed: noise.seed, state: copy(of: state))])
    try finish(work, into: &state)
  }

  /// Carries a state by the command for coarse forecasts.
  ///
  /// - Throws: as `forecast`.
  public func coarseForecast(_ state: inout MutableSpan<Double>, from start: Int, steps: Int) throws {
    let work = ExternalWork(setup, [Piece(.coarse, of: self, start, steps, seed: 0, state: copy(of: state))])
    try finish(work, into: &state)
  }

  /// A state by the command for initial ones.
  ///
  /// - Throws: as `forecast`; and where there is no such command.
  public func initialState(_ stream: RandomStream) throws -> [Double] {
    guard setup.start != nil else {
      throw CouplingError(
        ExternalSetup.name, "key model.start", found: "none", expected: "a command that makes an initial state, or assimilate with files")
    }
    let work = ExternalWork(setup, [Piece(.start, of: self, 0, 0, seed: stream.seed, state: [])])
    setup.run(work)
    return try work.result(0)
  }

  /// Makes forecasts side by side.
  public func carry(_ tasks: inout [ForecastTask]) {
    let work = ExternalWork(
      setup,
      tasks.map { task in
        Piece(.forecast, of: task.model as? ExternalModel ?? self, task.start, task.steps, seed: task.noise.seed, state: task.state)
      })
    setup.run(work)
    for k in tasks.indices {
      tasks[k].retries = work.failures[k]
      do {
        tasks[k].state = try work.result(k)
        tasks[k].failure = nil
      } catch {
        tasks[k].failure = error
      }
    }
  }

  /// Whether forecasts that an earlier job has finished are taken from members' folders.
  public var reusesFinished: Bool {
    get { setup.reusesFinished }
    set { setup.reusesFinished = newValue }
  }

  /// What programs have taken since this was last asked.
  public func takeUsage() -> ForecastUsage {
    let usage = setup.usage
    setup.usage = ForecastUsage()
    setup.usage.cores = usage.cores
    return usage
  }

  private func copy(of state: borrowing MutableSpan<Double>) -> [Double] {
    state.withUnsafeBufferPointer { Array($0) }
  }

  private func finish(_ work: ExternalWork, into state: inout MutableSpan<Double>) throws {
    setup.run(work)
    let result = try work.result(0)
    state.withUnsafeMutableBufferPointer { target in
      for i in target.indices { target[i] = result[i] }
    }
  }

  // MARK: One piece of work

  /// One run of the program.
  struct Piece {
    enum Kind { case forecast, start, coarse }

    let kind: Kind
    let model: ExternalModel
    let start, steps: Int
    /// 63 bits, which every language has a number for.
    let seed: UInt64
    let state: [Double]
    /// Of all that the result depends on.
    let digest: UInt64

    init(_ kind: Kind, of model: ExternalModel, _ start: Int, _ steps: Int, seed: UInt64, state: [Double]) {
      (self.kind, self.model, self.start, self.steps, self.seed, self.state) = (kind, model, start, steps, seed >> 1, state)
      let request = Array("\(kind) \(start) \(steps) \(seed) \(model.setup.settings.command ?? "")".utf8)
      digest = Digest.xxh64(request + state.withUnsafeBytes { Array($0) })
    }
  }

  /// Puts everything into the folder that a program needs.
  ///
  /// - Parameter isAgain: whether the last run was of the same piece, and failed.
  /// - Returns: what it is asked for; `nil` where the folder has the result already.
  func prepare(_ piece: Piece, isAgain: Bool) throws -> (ProgramRequest, before: [String: FileStamp])? {
    let folder = try folder()
    if !folder.isFresh {
      if piece.kind == .forecast, setup.reusesFinished, folder.hasFinished(piece.digest) {
        (instance.memory, instance.hasBefore) = (nil, false)
        return nil
      }
      try folder.renew(keeping: setup.settings.keeps)
    }
    try folder.note(finished: nil)
    if isAgain { try rewind() }
    try putMemory(in: folder)
    try keepBefore(in: folder)
    let exchange = setup.exchange
    for name in exchange.originals where !setup.settings.keeps.contains(name) { try folder.takeAnew(name) }
    if piece.kind != .start {
      try exchange.put(piece.state, time: Double(piece.start) * timeStep, in: folder.path)
    }
    var before: [String: FileStamp] = [:]
    for name in exchange.outputs {
      let isRead = exchange.originals.contains(name) || piece.kind != .start && setup.settings.files.contains { $0.file == name }
      if isRead || setup.settings.keeps.contains(name) {
        before[name] = FileStamp("\(folder.path)/\(name)")
      } else {
        unlinkFile("\(folder.path)/\(name)")
      }
    }
    let line =
      switch piece.kind {
      case .forecast: setup.forecast
      case .start: setup.start ?? setup.forecast
      case .coarse: setup.coarse ?? setup.forecast
      }
    // A worker works in a folder of its own.
    let place = setup.settings.worker == nil ? "" : "\(folder.path)/"
    let words = line.filled { [timeStep] in
      switch $0 {
      case .input: place + exchange.names.input
      case .output: place + exchange.names.output
      case .from: "\(Double(piece.start) * timeStep)"
      case .to: "\(Double(piece.start + piece.steps) * timeStep)"
      case .steps: "\(piece.steps)"
      case .seed: "\(piece.seed)"
      case .folder: folder.path
      case .cores: "\(setup.settings.cores)"
      }
    }
    return (ProgramRequest(words: words, folder: folder.path), before)
  }

  /// Takes what a program has left.
  func take(_ piece: Piece, before: [String: FileStamp]) throws -> [Double] {
    let folder = try folder()
    for name in setup.exchange.outputs {
      let path = "\(folder.path)/\(name)"
      guard let after = FileStamp(path) else {
        throw CouplingError(ExternalSetup.name, path, found: "no such file after a run without an error", expected: "the state afterwards")
      }
      guard after != before[name] else {
        throw CouplingError(ExternalSetup.name, path, found: "the file that was handed over, unchanged", expected: "the state afterwards")
      }
    }
    let state = try setup.exchange.take(from: folder.path)
    // Without the note it would be run again, no more.
    if piece.kind == .forecast { try? folder.note(finished: piece.digest) }
    return state
  }

  /// Somebody will look for what is in its folder.
  func keepFolder() { instance.folder?.isTransient = false }

  /// Where its files are.
  var place: String { instance.folder?.path ?? instance.name }
  /// Name of its folder.
  var trajectory: String { instance.name }
}

extension ExternalModel: DescribedModel {
  /// Hours in the unit of time, where the description says; lengths mean nothing in nature.
  public var physicalUnits: PhysicalUnits? { setup.description.hours.map { PhysicalUnits(hours: $0, kilometres: nil) } }
}
