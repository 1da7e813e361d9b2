public import DaunceNumerics

/// A quantile-conserving update of one quantity without bounds, for what follows by local regression in place of normal
/// scores; see `QuantileKernel`.
public final class QuantileUpdate: ScalarUpdate {
  private let members: Int
  private let law: any PriorLaw
  private let posterior = ScorePosterior()
  private let scores: Workspace<Double>

  /// An update of so many members, for priors of one form.
  ///
  /// - Parameter kernels: of the kernel density.
  public init(members: Int, law: PriorLawKind, kernels: KernelShape = KernelShape()) {
    self.members = members
    self.law = law.make(members: members, kernels: kernels)
    scores = Workspace(repeating: 0, count: members)
  }

  /// Moves members to where the posterior has their quantile of the prior; see `ScalarUpdate`.
  public func update(
    _ values: UnsafePointer<Double>, into moved: UnsafeMutablePointer<Double>, innovation: Double, error: ObservationError,
    noise: RandomStream
  ) {
    law.fit(values, members: members, bounds: QuantityBounds())
    for m in 0..<members { scores.start[m] = law.score(of: values[m]) }
    law.assimilate(
      innovation, error: error, scores: scores.start, into: moved, members: members, by: posterior)
  }
}
