/// A forecast that a model could not make, with whose it was.
public struct ForecastFailure: Error, CustomStringConvertible {
  /// `member 3, cycle 7`.
  public let trajectory: String
  /// What the model said.
  public let cause: any Error
  /// File with the analyses before it, if there is one.
  private var path: String?
  /// What else there is to say.
  private var notes: [String] = []

  init(trajectory: String, cause: any Error) {
    (self.trajectory, self.cause) = (trajectory, cause)
  }

  /// The same, with the file that has what was done before.
  func keeping(_ path: String?) -> Self {
    var failure = self
    failure.path = path
    return failure
  }

  /// The same, with more to say.
  func noting(_ notes: [String]) -> Self {
    var failure = self
    failure.notes += notes
    return failure
  }

  /// As messages show it: what else there is to say behind the cause, below it where that has several lines.
  public var description: String {
    let text = "\(trajectory): \(cause)"
    let more = notes + (path.map { ["\($0) holds the analyses before it"] } ?? [])
    return ([text] + more).joined(separator: text.contains("\n") ? "\n" : "; ")
  }
}
