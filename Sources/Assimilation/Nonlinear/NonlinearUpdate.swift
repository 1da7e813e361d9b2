public import DaunceNumerics

/// A Bayesian update that knows no Gaussian: it moves the members' h(x) from samples of the prior to samples of the
/// posterior, and says so by the matrix that does it.
///
/// Since an observation says something of the state by h(x) alone, p(x | y) = int p(x | h) p(h | y) dh: what makes
/// of h(x) what it has to be makes it of everything else, if members are combined with those that are near them in h.
public protocol NonlinearUpdate: AnyObject {
  /// Fills the matrix of an update.
  ///
  /// - Parameters:
  ///   - noise: the same for every element that sees these observations.
  ///   - matrix: identity on entry.
  func solve(_ problem: ObservedProblem, noise: RandomStream, into matrix: MemberMatrix)
}

/// A nonlinear update by name, and how it takes observations.
public struct NonlinearMethod: Sendable {
  /// Which observations it takes at a time.
  public enum Order: Sendable, Hashable {
    /// One after the other; each moves what is near it by its taper's share.
    case serial
    /// All that are near an element at once, error variances divided by their tapers.
    case together
  }

  /// How it takes observations.
  public let order: Order
  /// An update for ensembles of so many members.
  public let make: @Sendable (_ members: Int) -> any NonlinearUpdate

  /// See the properties.
  public init(_ order: Order, make: @escaping @Sendable (_ members: Int) -> any NonlinearUpdate) {
    (self.order, self.make) = (order, make)
  }
}
