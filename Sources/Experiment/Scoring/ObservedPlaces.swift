import DaunceNumerics
import DaunceState

/// Scores of an observed field at its observed cells and at all others, where a network observes it by itself and at
/// some of its cells.
struct ObservedPlaces: Codable {
  /// Scores over some of a field's cells.
  struct Part: Codable {
    /// RMSE over the cells in the field's own unit.
    var error: RunningScore
    var squareError: RunningRootMeanSquare
    var spread: RunningRootMeanSquare
    var crps: RunningScore
    /// Sum of (mean - truth) over the cells, over their number.
    var bias: RunningScore

    fileprivate init(skipping spinUp: Int) {
      (error, crps, bias) = (RunningScore(skipping: spinUp), RunningScore(skipping: spinUp), RunningScore(skipping: spinUp))
      (squareError, spread) = (RunningRootMeanSquare(skipping: spinUp), RunningRootMeanSquare(skipping: spinUp))
    }

    /// Takes a cycle's sums over `count` cells.
    fileprivate mutating func add(_ sums: Sums, count: Int) {
      let n = Double(count)
      let rmse = (sums.squares / n).squareRoot()
      error.add(rmse)
      squareError.add(rmse)
      spread.add((sums.variances / n).squareRoot())
      crps.add(sums.crps / n)
      bias.add(sums.errors / n)
    }
  }

  /// Sums over cells of one cycle.
  fileprivate struct Sums {
    var (errors, squares, variances, crps) = (0.0, 0.0, 0.0, 0.0)

    mutating func add(error: Double, spread: Double) {
      errors += error
      squares += error * error
      variances += spread * spread
    }
  }

  /// Number of the field in the layout.
  let field: Int
  /// Cells that some network observes, ascending.
  let cells: [Int]
  var observed: Part
  var elsewhere: Part

  private init(field: Int, cells: [Int], skipping spinUp: Int) {
    self.field = field
    self.cells = cells
    (observed, elsewhere) = (Part(skipping: spinUp), Part(skipping: spinUp))
  }

  /// Every field that is observed by itself at some cells and not at others, at any time.
  static func all(in context: ExperimentContext) -> [ObservedPlaces] {
    let networks = context.networks.networks
    return context.layout.fields.indices.compactMap { f in
      // Quantities begin with each field by itself.
      let cells = Set(networks.filter { $0.kind == f }.flatMap(\.cells)).sorted()
      guard !cells.isEmpty, cells.count < context.layout.range(f).count else { return nil }
      return ObservedPlaces(field: f, cells: cells, skipping: context.configuration.truths.spinupCycles)
    }
  }

  /// Takes the analysis of the next cycle.
  ///
  /// - Parameters:
  ///   - truth: the field's (`[cell]`).
  ///   - crps: of the field, summed over all of its cells.
  mutating func add(_ summary: AnalysisSummary, truth: [Double], crps: Double, members: Int, stride: Int) {
    let first = summary.offsets[field]
    var (here, others) = (Sums(), Sums())
    var next = 0
    for c in truth.indices {
      let (error, spread) = (summary.mean[first + c] - truth[c], summary.spread[first + c])
      if next < cells.count, cells[next] == c {
        here.add(error: error, spread: spread)
        here.crps += DaunceNumerics.crps((0..<members).map { summary.members[$0 * stride + first + c] }, truth: truth[c])
        next += 1
      } else {
        others.add(error: error, spread: spread)
      }
    }
    others.crps = max(0, crps - here.crps)
    observed.add(here, count: cells.count)
    elsewhere.add(others, count: truth.count - cells.count)
  }
}
