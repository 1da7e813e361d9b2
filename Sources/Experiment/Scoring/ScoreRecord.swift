import DaunceArchive
import DaunceConstraints
import DaunceNumerics
import DaunceState

extension ScoreTable {
  /// Writes scores.nc: every method's scores on every truth.
  func write(to output: OutputFolder, context: ExperimentContext, band: Band?) throws {
    guard let first = methods.first else { return }
    var file = ScoresFile(
      methods: methods.map(\.method), seeds: first.truths.map(\.seed), fields: first.fields,
      variableCount: first.variables, members: methods.map(\.members),
      spinUpCycles: context.configuration.truths.spinupCycles)
    let truths = methods.flatMap(\.truths)
    /// One number of every field of every truth that a method came through.
    func scores(
      _ name: String, _ longName: String, of count: Int, _ value: (TruthScore.Field) -> Double?
    ) -> ScoresFile.Score {
      ScoresFile.Score(
        name, longName,
        truths.flatMap { truth in
          truth.fields.prefix(count).map { truth.failure == nil ? value($0) ?? .nan : .nan }
        })
    }
    let all = first.fields.count
    file.fieldScores = [
      scores("rmse", "RMSE over x, mean over times, over the truth's standard deviation over x and time", of: all) {
        field in field.error.mean.map { $0 / field.truthDeviation }
      },
      scores("normalised_rmse", "RMSE over the truth's standard deviation over x, mean over times", of: all) {
        $0.normalisedRMSE.mean
      },
      scores("correlation", "pattern correlation, mean over times", of: all) { $0.correlation.mean },
      scores("error", "root mean square error of the mean over x and time", of: all) { $0.squareError.value },
      scores("bias", "ensemble mean less truth, mean over x and time, in the field's unit", of: all) { $0.bias.mean },
      scores("spread", "root mean square spread over x and time", of: all) { $0.spread.value },
    ]
    file.variableScores = [
      scores("crps", "continuous ranked probability score", of: first.variables) { $0.crps.mean }
    ]
    let ranks = (file.members.max() ?? 0) + 1
    file.rankHistogram = truths.flatMap { truth in
      truth.fields.prefix(first.variables).flatMap { field in
        (0..<ranks).map { truth.failure == nil && $0 < field.ranks.counts.count ? Int64(field.ranks.counts[$0]) : 0 }
      }
    }
    file.energyInBand = truths.map { truth in
      truth.failure == nil && truth.memberCycles > 0 ? Double(truth.inBand) / Double(truth.memberCycles) : .nan
    }
    file.failureCycle = truths.map { Int64($0.failure ?? 0) }
    if let band {
      file.band = [band.lower, band.upper]
      file.energy = band.function.name
    }
    try file.write(to: output.path("scores.nc"), provenance: output.provenance.titled("scores by truth"))
  }
}
