/// Where the uncertainty of a learned prediction comes from, in the order of the fundamental equation (van Leeuwen).
public enum Source: Int, Sendable, CaseIterable {
  /// p(z_t | z): what the new input truly is.
  case newInput
  /// p(test_t | test): what the testing rows truly are.
  case testingData
  /// p(train_t | train): what the training rows truly are.
  case trainingData
  /// p(w | train_t): the network's weights.
  case weights
  /// p(x | w, z_t, test_t): the function itself, which the inputs do not determine.
  case function

  /// Short name, as files have it.
  public var name: String {
    switch self {
    case .newInput: "new input"
    case .testingData: "testing data"
    case .trainingData: "training data"
    case .weights: "weights"
    case .function: "function"
    }
  }
}

/// A predictive variance taken apart.
public struct VarianceBySource: Sendable, Hashable {
  /// Of the prediction.
  public let mean: Double
  /// Of each source by itself, in the order of `Source`.
  public let parts: [Double]
  /// What sources change together beyond what each changes alone.
  public let interaction: Double

  /// The mean of the law, and its variance's parts in the order of `Source`.
  public init(mean: Double, parts: [Double], interaction: Double) {
    precondition(parts.count == Source.allCases.count)
    (self.mean, self.parts, self.interaction) = (mean, parts, interaction)
  }

  /// All of it: the parts and the interaction.
  public var total: Double { parts.reduce(interaction, +) }
}
