public import DaunceSettings

/// A prognostic variable of a model with the Basic Model Interface, as an element of `model.variables`.
public struct BMIVariable: ConfigurationGroup {
  @Key("the model's own name for it")
  public var variable = ""
  @Key("name in files and tables; auto: the last part of the model's")
  public var name: String?
  @Key("typical value, in its unit")
  public var reference = 0.0
  @Key("typical deviation from that, in its unit", .positive)
  public var scale = 1.0
  @Key("smallest admissible value", absent: "none")
  public var lower: Double?
  @Key("largest admissible value", absent: "none")
  public var upper: Double?
  @Key("size of random perturbations of initial states, in scales: what the model starts from is always the same", .nonNegative)
  public var perturbation = 0.1

  /// The defaults.
  public init() {}

  /// `temperature` of `plate_surface__temperature`.
  var fieldName: String {
    if let name { return name }
    var parts = variable.split(separator: "_", omittingEmptySubsequences: true).map(String.init)
    return parts.popLast() ?? variable
  }
}
