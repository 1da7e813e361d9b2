/// A forecast that a model could not make, with whose it was.
public struct ForecastFailure: Error, CustomStringConvertible {
  /// `member 3, cycle 7`.
  public let trajectory: String
  /// What the model said.
  public let cause: any Error
  /// File with the analyses before it, if there is one.
  private var path: String?

  init(trajectory: String, cause: any Error) {
    (self.trajectory, self.cause) = (trajectory, cause)
  }

  /// The same, with the file that has what was done before.
  func keeping(_ path: String?) -> Self {
    var failure = self
    failure.path = path
    return failure
  }

  /// As messages show it.
  public var description: String { "\(trajectory): \(cause)\(path.map { "; \($0) holds the analyses before it" } ?? "")" }
}
