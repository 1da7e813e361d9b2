import DaunceArchive
import DaunceCoupling
import DaunceSettings

/// What a host tells before its first analysis.
public struct HostedSettings {
  /// The fields of its states, in YAML, as models describe themselves.
  public var description = ""
  /// Numbers that the description refers to by a name.
  public var arrays: [String: [Double]] = [:]
  /// File of a configuration, if there is one.
  public var path: String?
  /// The same in YAML, over the file's.
  public var text: String?
  /// Single keys with their values, over both.
  public var keys: [(key: String, value: String)] = []
  /// How the ensemble is updated.
  public var method = ""
  /// Folder of trained agents, for the methods that need them.
  public var agents: String?
  /// Members that this rank holds.
  public var members = 0
  /// Time of the first states, in the model's unit; `nil`: the file's, or 0.
  public var start: Double?
  /// File of the first states, if there is one.
  public var initial: String?
  /// File of observations, if there is one.
  public var observations: String?
  /// For agents that correct it.
  public var coarse: HostModel.CoarseForecast?

  /// Nothing told yet.
  public init() {}

  /// The configuration, with the host in place of its model. What is wrong is told with the function that gave it.
  func configuration() throws(ConfigurationError) -> Configuration {
    ModelEntry.registerHost()
    var configuration = Configuration()
    if let path { try configuration.apply(yaml: Configuration.read(path), source: path) }
    if let text { try configuration.apply(yaml: text, source: "daunce_set_configuration") }
    try configuration.apply(keys.map { ConfigurationOverride(option: "daunce_set", key: $0.key, value: $0.value) })
    configuration.model.name = .init(ModelEntry.hostName)
    try configuration.validate(source: path.map { .file($0) } ?? .option("daunce_set_configuration"))
    return configuration
  }

  /// The description, checked.
  func modelDescription() throws -> ModelDescription {
    guard !description.isEmpty else {
      throw HostedError(.usage, "daunce_start", found: "no description", expected: "one by daunce_set_description")
    }
    let described = try ModelDescription(yaml: description, source: "description")
    try described.validate(source: .file("description"))
    return described
  }

  /// The method by its name, and agents only where they mean something.
  func checkedMethod() throws(HostedError) -> Configuration.Method {
    guard let known = Configuration.Method(rawValue: method) else {
      throw HostedError(
        .usage, "daunce_set_method", found: method.isEmpty ? "nothing" : method,
        expected: "one of \(MethodEntry.registry.names.joined(separator: ", "))")
    }
    guard !known.isLarge else {
      throw HostedError(
        .usage, "daunce_set_method", found: method, expected: "constrained-eakf and a larger ensemble: this one exists in run only")
    }
    guard known.isAgents == (agents != nil) else {
      throw HostedError(
        .usage, "daunce_set_method", found: agents == nil ? "no folder for \(method)" : "a folder of agents for \(method)",
        expected: agents == nil ? "a folder of trained agents" : "none")
    }
    return known
  }

  /// Digest of what all ranks have to give alike.
  var digest: UInt64 {
    var packed = PackedBytes()
    packed.put(description)
    for (name, values) in arrays.sorted(by: { $0.key < $1.key }) {
      packed.put(name)
      packed.put(values)
    }
    packed.put(method)
    packed.put(start.map { [$0] } ?? [])
    packed.put([agents == nil, initial == nil, observations == nil, coarse == nil].map { $0 ? Int64(1) : 0 })
    return Digest.xxh64(packed.bytes)
  }
}
