internal import DaunceNumerics
internal import DaunceState

/// Which solver finds the constrained analysis.
public enum ConstraintSolver: String, Sendable, Hashable, CaseIterable {
  /// Active sets in the dual: as many unknowns as active constraints. Convex band functions and inequalities; no
  /// nonlinear equalities.
  case dual
  /// Sequential quadratic programming over the whole state (NLopt's SLSQP; Kraft 1994): any smooth constraint.
  case slsqp
}

/// How the projection of one member ended.
public struct ProjectionOutcome: Sendable, Hashable {
  /// What became of the unconstrained analysis.
  public enum Status: Sendable, Hashable {
    /// The unconstrained analysis respected everything.
    case unchanged
    /// The minimiser was found.
    case converged
    /// Some constraint could not be met, or the iteration limit was reached; bounds are respected.
    case notConverged
  }

  /// What became of the unconstrained analysis.
  public var status: Status
  /// `1/2 (x - xu)^T Pa^-1 (x - xu)`: by how much (2.8) exceeds its unconstrained minimum.
  public var cost: Double
  /// Elements at a bound because of a constraint force.
  public var activeBounds: Int
  /// Bands and inequalities that hold with equality.
  public var activeBands: Int
  /// Quadratic subproblems, or iterations of the general solver.
  public var iterations: Int
}

/// Counts over the members held here of one analysis.
public struct ProjectionReport: Sendable, Hashable {
  /// Members projected.
  public var members = 0
  /// Members that needed a change.
  public var changed = 0
  /// Elements at a bound, over all members.
  public var activeBounds = 0
  /// Bands and inequalities that hold with equality, over all members.
  public var activeBands = 0
  /// Members for which a solver found no minimiser.
  public var notConverged = 0

  /// Nothing counted.
  public init() {}

  /// Counts one member more.
  package mutating func add(_ outcome: ProjectionOutcome) {
    members += 1
    changed += outcome.status == .unchanged ? 0 : 1
    activeBounds += outcome.activeBounds
    activeBands += outcome.activeBands
    notConverged += outcome.status == .notConverged ? 1 : 0
  }
}

/// Finds the minimiser of `1/2 (x - xu)^T Pa^-1 (x - xu)` subject to constraints.
protocol ProjectionSolver: AnyObject {
  /// - Parameters:
  ///   - state: xu on entry, the minimiser on return (`[element]`). All numbers; some constraint is violated.
  ///   - targets: values that the invariants must have.
  func solve(_ state: inout [Double], targets: [Double], covariance: any CovarianceOperator) -> ProjectionOutcome
}

/// The constrained analysis of one member (2.6-2.8), as the projection of its unconstrained analysis xu onto the
/// constraints in the metric of the analysis covariance Pa: (2.8) is a quadratic function with minimiser xu and Hessian
/// Pa^-1.
///
/// Elements without spread cannot move; where they violate a bound they are set to it. Invariants that Pa gives no
/// freedom to satisfy are left as they are.
public final class ConstrainedProjection {
  /// What every member has to respect.
  public let constraints: ConstraintSet
  /// How the minimiser is found.
  public let solver: ConstraintSolver

  private let check: ConstraintCheck
  private let implementation: any ProjectionSolver
  private var state: [Double]
  private var targets: [Double]

  /// A projection of states of `order` elements.
  ///
  /// - Throws: `ConstraintError` for constraints of another state size, or nonlinear equalities with `dual`.
  public init(_ constraints: ConstraintSet, order: Int, solver: ConstraintSolver) throws(ConstraintError) {
    guard constraints.lowerBounds.count == order else {
      throw .elements(name: "lower bounds", found: constraints.lowerBounds.count, expected: order)
    }
    guard constraints.upperBounds.count == order else {
      throw .elements(name: "upper bounds", found: constraints.upperBounds.count, expected: order)
    }
    for invariant in constraints.invariants where invariant.coefficients.count != order {
      throw .elements(name: invariant.name, found: invariant.coefficients.count, expected: order)
    }
    if solver == .dual, let equality = constraints.equalities.first {
      throw .unsupported(name: equality.name, solver: solver.rawValue)
    }
    self.constraints = constraints
    self.solver = solver
    check = ConstraintCheck(constraints)
    implementation =
      switch solver {
      case .dual: DualProjection(check)
      case .slsqp: SLSQPProjection(check)
      }
    state = [Double](repeating: 0, count: order)
    targets = [Double](repeating: 0, count: constraints.invariants.count)
  }

  /// Projects one member.
  ///
  /// - Parameters:
  ///   - analysis: unconstrained analysis on entry, constrained on return (`[element]`). Left alone if not all numbers.
  ///   - offset: where the member starts in `analysis`.
  ///   - forecast: the member before the analysis, whose invariants the result keeps (`[element]`).
  ///   - covariance: Pa.
  public func project(
    _ analysis: inout MutableSpan<Double>, offset: Int = 0, forecast: Span<Double>, covariance: any CovarianceOperator
  ) -> ProjectionOutcome {
    var sum = 0.0
    for i in state.indices {
      state[i] = analysis[offset + i]
      sum += state[i]
    }
    var outcome = ProjectionOutcome(status: .unchanged, cost: 0, activeBounds: 0, activeBands: 0, iterations: 0)
    guard sum.isFinite else {
      outcome.status = .notConverged
      return outcome
    }
    for k in targets.indices { targets[k] = constraints.invariants[k].value(of: forecast) }
    if state.withSpan({ check.isFeasible($0, targets: targets) }) { return outcome }
    outcome = implementation.solve(&state, targets: targets, covariance: covariance)
    for i in state.indices { analysis[offset + i] = state[i] }
    return outcome
  }
}

extension ConstrainedProjection {
  /// Projects the members in `local` of a whole analysis ensemble (`[member][element]`); `forecast` holds theirs only.
  package func project(
    _ states: inout MutableSpan<Double>, local: Range<Int>, forecast: Span<Double>, covariance: any CovarianceOperator
  ) -> ProjectionReport {
    let n = constraints.lowerBounds.count
    var report = ProjectionReport()
    for (held, member) in local.enumerated() {
      let before = forecast.extracting(held * n..<(held + 1) * n)
      report.add(project(&states, offset: member * n, forecast: before, covariance: covariance))
    }
    return report
  }
}
