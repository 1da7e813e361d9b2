public import DaunceSettings

/// What one method has in place of the settings of the section `filter`, as an element of `filter.by_method`: so that one run
/// can hold methods against each other that are tuned each for itself. What is left out is the section's.
public struct MethodSettings: ConfigurationGroup {
  @Key("method that the others are for")
  public var method = Configuration.Method.eakf
  @Key("as filter.half_width", .positive)
  public var halfWidth: Double?
  @Key("as filter.inflation", .atLeast(1))
  public var inflation: Double?
  @Key("as filter.rtps", .fraction)
  public var rtps: Double?
  @Key("as filter.rtpp", .fraction)
  public var rtpp: Double?
  @Key("as filter.additive", .nonNegative)
  public var additive: Double?
  @Key("as filter.proposal")
  public var proposal: Configuration.Filter.Proposal?
  @Key("as filter.adaptive", .nonNegative)
  public var adaptive: Double?
  @Key("as filter.nonlinear.order")
  public var order: NonlinearSettings.Order?
  @Key("as filter.nonlinear.jitter", .nonNegative)
  public var jitter: Double?
  @Key("as filter.nonlinear.tempered_share", .fraction)
  public var temperedShare: Double?
  @Key("as filter.nonlinear.least_share", .fraction)
  public var leastShare: Double?
  @Key("as filter.nonlinear.regularisation", .positive)
  public var regularisation: Double?
  @Key("as filter.nonlinear.regression")
  public var regression: NonlinearSettings.Regression?
  @Key("as filter.nonlinear.steps", .within(1...100_000))
  public var steps: Int?
  @Key("as filter.nonlinear.bandwidth", .fraction)
  public var bandwidth: Double?
  @Key("as filter.nonlinear.window", .positive)
  public var window: Double?

  /// The defaults.
  public init() {}
}

extension Configuration.Filter {
  /// The settings that a method has: these, but for its own in `filter.by_method`.
  package func settings(of method: Configuration.Method) -> Self {
    byMethod.filter { $0.method == method }.reduce(self) { $0.replaced(by: $1) }
  }

  private func replaced(by own: MethodSettings) -> Self {
    var filter = self
    filter.halfWidth = own.halfWidth ?? halfWidth
    filter.inflation = own.inflation ?? inflation
    filter.rtps = own.rtps ?? rtps
    filter.rtpp = own.rtpp ?? rtpp
    filter.additive = own.additive ?? additive
    filter.proposal = own.proposal ?? proposal
    filter.adaptive = own.adaptive ?? adaptive
    filter.nonlinear.order = own.order ?? nonlinear.order
    filter.nonlinear.jitter = own.jitter ?? nonlinear.jitter
    filter.nonlinear.temperedShare = own.temperedShare ?? nonlinear.temperedShare
    filter.nonlinear.leastShare = own.leastShare ?? nonlinear.leastShare
    filter.nonlinear.regularisation = own.regularisation ?? nonlinear.regularisation
    filter.nonlinear.regression = own.regression ?? nonlinear.regression
    filter.nonlinear.steps = own.steps ?? nonlinear.steps
    filter.nonlinear.bandwidth = own.bandwidth ?? nonlinear.bandwidth
    filter.nonlinear.window = own.window ?? nonlinear.window
    return filter
  }
}

extension Configuration {
  /// The same experiment with the settings that one method has.
  package func settled(for method: Method) -> Self {
    var configuration = self
    configuration.filter = filter.settings(of: method)
    return configuration
  }
}
