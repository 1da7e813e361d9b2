/// Why a file could not be read or written: which file, what in it, what was found and what was expected.
public struct ArchiveError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Who has to act.
  public enum Kind: Sendable, Hashable {
    /// The file's contents are wrong: exit code 65.
    case badData
    /// The file system refused: exit code 74.
    case inputOutput
  }

  /// What is wrong.
  public enum Problem: String, Sendable, Hashable {
    // The file system's answers.
    case missingFile, notAFile, permissionDenied, diskFull, ioFailure
    // Files that are not what they should be.
    case notNetCDF, unknownFormat, truncated, damaged, tooLarge
    // Structure.
    case missingDimension, missingVariable, missingAttribute, unknownVariable
    case wrongDimensions, wrongSize, wrongType, invalidName
    // Values.
    case notFinite, outOfBounds, badVariance, wrongUnits, wrongOrder, wrongPosition, noObservations, contradiction
    // Refused by the NetCDF library itself, with the library's own reason.
    case libraryFailure
  }

  public let problem: Problem
  /// The file as the caller named it.
  public let path: String
  /// What in the file: `variable a`, `attribute error_variance of a`; `nil` for the file as a whole.
  public let object: String?
  /// What was found there.
  public let found: String
  /// What should have been there, or what to do.
  public let expected: String?

  /// What is wrong with `path`, in which of its objects, what was found there and what was expected.
  public init(_ problem: Problem, path: String, object: String? = nil, found: String, expected: String? = nil) {
    self.problem = problem
    self.path = path
    self.object = object
    self.found = found
    self.expected = expected
  }

  public var kind: Kind {
    switch problem {
    case .missingFile, .notAFile, .permissionDenied, .diskFull, .ioFailure: .inputOutput
    default: .badData
    }
  }

  /// One line: `truth.nc: variable a: found NaN at time 3, x 17; expected a finite number`.
  public var description: String {
    var text = path
    if let object { text += ": \(object)" }
    text += ": \(found)"
    if let expected { text += "; expected \(expected)" }
    return text
  }
}
