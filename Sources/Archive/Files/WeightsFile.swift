/// Importance weights of an ensemble of trained agents.
///
///     dimensions:
///       member = 10 ;
///     variables:
///       int member(member) ;
///       double log_likelihood(member) ;  double log_prior(member) ;  double log_proposal(member) ;
///       double proper_weight(member) ;  double tempered_weight(member) ;
///       double exponent ;  double proper_size ;  double tempered_size ;
///
/// The logarithm of a proper weight is log_likelihood + log_prior - log_proposal, that of a tempered one `exponent` times that, both
/// but for a constant.
public struct WeightsFile: Sendable, Hashable {
  /// `[member]`.
  public var logLikelihood, logPrior, logProposal, proper, tempered: [Double]
  /// Of the tempered weights.
  public var exponent: Double
  /// Effective sizes: inverse sums of the squared weights.
  public var properSize, temperedSize: Double

  /// Weights of as many members as all lists have.
  public init(
    logLikelihood: [Double], logPrior: [Double], logProposal: [Double], proper: [Double], tempered: [Double], exponent: Double,
    properSize: Double, temperedSize: Double
  ) {
    (self.logLikelihood, self.logPrior, self.logProposal) = (logLikelihood, logPrior, logProposal)
    (self.proper, self.tempered, self.exponent) = (proper, tempered, exponent)
    (self.properSize, self.temperedSize) = (properSize, temperedSize)
  }

  /// Writes the file. Throws if lists have different lengths.
  @discardableResult
  public func write(to path: String, provenance: Provenance) throws(ArchiveError) -> UInt64 {
    let writer = try DatasetWriter(path: path, provenance: provenance)
    let member = try writer.defineMembers(logLikelihood.count)
    func notes(_ words: String) -> [Attribute] { [Attribute("long_name", words), Attribute("units", "1")] }
    for (name, words, values) in [
      ("log_likelihood", "logarithm of the validation truths' likelihood", logLikelihood),
      ("log_prior", "logarithm of the prior density of the weights", logPrior),
      ("log_proposal", "logarithm of the density of the weights that training makes, a normal law about its end", logProposal),
      ("proper_weight", "importance weight", proper), ("tempered_weight", "importance weight, tempered", tempered),
    ] { try writer.write(values, to: writer.variable(name, over: [member], attributes: notes(words))) }
    for (name, words, value) in [
      ("exponent", "exponent of the tempered weights", exponent),
      ("proper_size", "effective number of agents by importance weights", properSize),
      ("tempered_size", "effective number of agents by tempered weights", temperedSize),
    ] { try writer.write([value], to: writer.variable(name, over: [], attributes: notes(words))) }
    return try writer.finish()
  }

  /// Which of the weights.
  public enum Kind: String, Sendable {
    case proper
    case tempered
  }

  /// One kind of weights of a file, which have the sum 1. Throws where they are missing, negative, or of another number.
  public static func weights(_ kind: Kind, in path: String, members: Int) throws(ArchiveError) -> [Double] {
    let reader = try DatasetReader(path: path)
    let name = "\(kind.rawValue)_weight"
    let weights = try reader.field(name)
    guard weights.count == members else {
      throw ArchiveError(
        .wrongSize, path: path, object: "variable \(name)", found: "weights of \(weights.count) agents",
        expected: "\(members), as many as members")
    }
    guard weights.allSatisfy({ $0 >= 0 }), abs(weights.reduce(0, +) - 1) < 1e-6 else {
      throw ArchiveError(
        .outOfBounds, path: path, object: "variable \(name)", found: "\(weights.prefix(5))",
        expected: "numbers of at least 0 with the sum 1")
    }
    return weights
  }
}
