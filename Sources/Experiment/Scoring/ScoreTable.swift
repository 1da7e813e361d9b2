import Foundation
import DaunceModels
import DaunceNumerics
import DaunceState

/// One method's scores, averaged over truths: a row of the table and an entry of scores.json.
public struct MethodScore {
  /// The word in `methods`.
  public let method: String
  let truths: [TruthScore]
  let fields: [String]
  /// Variables among the fields; the rest are derived.
  let variables: Int
  let observed: String
  let bounded: [String]
  let members: Int
  /// Linear invariants of the model.
  let invariants: [String]
  /// Amounts that updates change, of the model.
  let budgets: [String]
  /// Whether an energy has a band.
  let hasBand: Bool

  init(_ method: String, _ truths: [TruthScore], context: ExperimentContext) {
    self.method = method
    self.truths = truths
    let layout = context.layout
    fields = layout.fields.map(\.name) + context.traits.diagnostics.map(\.name)
    variables = layout.fields.count
    observed = layout.fields[context.observing.variable].name
    members = context.configuration.members
    bounded = layout.fields.filter { $0.lowerBound != nil }.map(\.name)
    invariants = context.traits.invariants.map(\.name)
    budgets = context.traits.budgetNames
    hasBand = context.energy != nil
  }

  /// Mean over the truths that the method came through; `nil` if there is none.
  func mean(_ value: (TruthScore) -> Double?) -> Double? {
    let values = truths.filter { $0.failure == nil }.compactMap(value)
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  /// Standard error of that mean; `nil` for fewer than two truths.
  func standardError(_ value: (TruthScore) -> Double?) -> Double? {
    let values = truths.filter { $0.failure == nil }.compactMap(value)
    guard values.count > 1, let mean = mean(value) else { return nil }
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(values.count - 1) / Double(values.count)).squareRoot()
  }

  func index(_ field: String) -> Int? { fields.firstIndex(of: field) }

  /// RMSE over x divided by the truth's standard deviation over space and time.
  func relativeRMSE(_ f: Int) -> Double? { mean { $0.relativeRMSE(f) } }

  /// RMSE of a field in its own unit, mean over times.
  func absoluteRMSE(_ f: Int) -> Double? { mean { $0.fields[f].error.mean } }

  /// RMSE of a field at each time over the truth's standard deviation over x at that time (4.10).
  func normalisedRMSE(_ f: Int) -> Double? { mean { $0.fields[f].normalisedRMSE.mean } }

  func correlation(_ f: Int) -> Double? { mean { $0.fields[f].correlation.mean } }

  func crps(_ f: Int) -> Double? { mean { $0.fields[f].crps.mean } }

  func spreadErrorRatio(_ f: Int) -> Double? { mean { $0.spreadErrorRatio(f) } }

  /// Mean over space and time of (mean - truth), in the field's own unit.
  func bias(_ f: Int) -> Double? { mean { $0.fields[f].bias.mean } }

  /// What an update changes of a budget in the members' mean, over the forecast's; mean over times.
  func budgetChange(_ b: Int) -> Double? { mean { $0.budgetChanges[b].mean } }

  var inBand: Double? { mean(\.shareInBand) }

  var diverged: Double { Double(truths.filter { $0.failure != nil }.count) / Double(max(1, truths.count)) }

  var firstFailure: Int? { truths.compactMap(\.failure).min() }

  /// Median wall seconds of a cycle, forecast and analysis together.
  var secondsPerCycle: Double? {
    var all = RunningMedian()
    for truth in truths { all.add(truth.seconds) }
    return all.value
  }

  /// Smallest value of each bounded field in any member; `nil` without truths.
  var smallest: [Double?] {
    bounded.indices.map { b in
      let least = truths.map { $0.smallest[b] }.min() ?? .infinity
      return least.isFinite ? least : nil
    }
  }

  /// Largest relative change of an invariant in any member, until a failure if there was one; `nil` without truths.
  func invariantError(_ k: Int) -> Double? { truths.map { $0.invariantErrors[k] }.max() }

  /// The entry of scores.json.
  var json: JSON {
    var entry: [String: JSON] = [
      "members": .integer(members),
      "crps": .object(named(0..<fields.count) { .number(crps($0)) }),
      "crps_by_truth": .object(named(0..<fields.count) { f in byTruth { $0.fields[f].crps.mean } }),
      "rmse": .object(named(0..<variables) { .number(relativeRMSE($0)) }),
      "absolute_rmse": .object(named(0..<variables) { .number(absoluteRMSE($0)) }),
      "rmse_by_truth": .object(named(0..<variables) { f in byTruth { $0.relativeRMSE(f) } }),
      "bias": .object(named(0..<fields.count) { .number(bias($0)) }),
      "correlation": .object(named(0..<variables) { .number(correlation($0)) }),
      "spread_error_ratio": .object(named(0..<fields.count) { .number(spreadErrorRatio($0)) }),
      "rank_histogram": .object(named(0..<variables) { f in .integers(histogram(f)) }),
      "diverged": .number(diverged),
      "first_failure_cycle": firstFailure.map { .integer($0) } ?? .null,
      "failure_cycles": .array(truths.map { $0.failure.map { .integer($0) } ?? .null }),
      "energy_in_band": .number(inBand),
      "seconds_per_cycle": .number(secondsPerCycle),
    ]
    for f in variables..<fields.count {
      let name = fields[f].lowercased()
      entry["\(name)_rmse"] = .number(normalisedRMSE(f))
      entry["\(name)_corr"] = .number(correlation(f))
      entry["\(name)_rmse_standard_error"] = .number(standardError { $0.fields[f].normalisedRMSE.mean })
      entry["\(name)_rmse_by_truth"] = byTruth { $0.fields[f].normalisedRMSE.mean }
    }
    var errors: [String: JSON] = [
      "rmse": .object(named(0..<variables) { f in .number(standardError { $0.relativeRMSE(f) }) }),
      "bias": .object(named(0..<fields.count) { f in .number(standardError { $0.fields[f].bias.mean }) }),
      "energy_in_band": .number(standardError(\.shareInBand)),
    ]
    if let f = index(observed) {
      entry["crps_\(observed)"] = .number(crps(f))
      entry["crps_\(observed)_by_truth"] = byTruth { $0.fields[f].crps.mean }
      entry["spread_error_ratio_\(observed)"] = .number(spreadErrorRatio(f))
      errors["crps_\(observed)"] = .number(standardError { $0.fields[f].crps.mean })
      errors["spread_error_ratio_\(observed)"] = .number(standardError { $0.spreadErrorRatio(f) })
    }
    entry["standard_error"] = .object(errors)
    for (name, least) in zip(bounded, smallest) { entry["min_\(name)"] = .number(least) }
    entry["invariant_error"] = .object(
      Dictionary(uniqueKeysWithValues: invariants.enumerated().map { ($1, .number(invariantError($0))) }))
    if !budgets.isEmpty {
      entry["update_change"] = .object(
        Dictionary(uniqueKeysWithValues: budgets.enumerated().map { b, name in
          (name, .object([
            "mean": .number(budgetChange(b)), "size": .number(mean { $0.budgetChangeSizes[b].mean }),
          ]))
        }))
    }
    if truths.contains(where: { !$0.events.isEmpty }) {
      func sum(_ count: KeyPath<MemberEvents, Int>) -> JSON { .integer(truths.reduce(0) { $0 + $1.events[keyPath: count] }) }
      entry["failed_forecasts"] = .object([
        "retried": sum(\.retried), "replaced": sum(\.replaced), "given_up": sum(\.givenUp),
      ])
    }
    if let places = truths.first?.places, !places.isEmpty {
      entry["at_observations"] = parts(places.map(\.field), \.observed)
      entry["elsewhere"] = parts(places.map(\.field), \.elsewhere)
    }
    return .object(entry)
  }

  /// Scores of observed fields over a part of their cells; errors over the truth's standard deviation over all of them.
  private func parts(_ observed: [Int], _ part: KeyPath<ObservedPlaces, ObservedPlaces.Part>) -> JSON {
    let entries = observed.enumerated().map { p, f in
      func value(_ score: @escaping (ObservedPlaces.Part) -> Double?) -> (TruthScore) -> Double? {
        { score($0.places[p][keyPath: part]) }
      }
      let rmse = { (truth: TruthScore) in
        truth.places[p][keyPath: part].error.mean.map { $0 / truth.fields[f].truthDeviation }
      }
      let ratio = value { part in
        part.spread.value.flatMap { spread in part.squareError.value.map { spread / $0 } }
      }
      return (
        fields[f],
        JSON.object([
          "rmse": .number(mean(rmse)), "rmse_by_truth": byTruth(rmse), "bias": .number(mean(value(\.bias.mean))),
          "crps": .number(mean(value(\.crps.mean))), "crps_by_truth": byTruth(value(\.crps.mean)),
          "spread_error_ratio": .number(mean(ratio)),
        ])
      )
    }
    return .object(Dictionary(uniqueKeysWithValues: entries))
  }

  /// A score of every truth, null where the method failed.
  private func byTruth(_ value: (TruthScore) -> Double?) -> JSON {
    .array(truths.map { .number($0.failure == nil ? value($0) : nil) })
  }

  private func named(_ range: Range<Int>, _ value: (Int) -> JSON) -> [String: JSON] {
    Dictionary(uniqueKeysWithValues: range.map { (fields[$0], value($0)) })
  }

  private func histogram(_ f: Int) -> [Int] {
    var sum: [Int] = []
    for truth in truths where truth.failure == nil {
      let counts = truth.fields[f].ranks.counts
      if sum.isEmpty { sum = counts } else { for k in sum.indices { sum[k] += counts[k] } }
    }
    return sum
  }
}

/// Lines of equal columns, the first to the left, the others to the right.
package func alignedColumns(_ rows: [[String]]) -> String {
  let columns = rows.map(\.count).max() ?? 0
  let widths = (0..<columns).map { c in rows.map { c < $0.count ? $0[c].count : 0 }.max() ?? 0 }
  return rows.map { row in
    row.enumerated().map { c, cell in
      let padding = String(repeating: " ", count: widths[c] - cell.count)
      return c == 0 ? cell + padding : padding + cell
    }.joined(separator: "  ")
  }.joined(separator: "\n")
}

extension TruthScore {
  /// RMSE over x divided by the truth's standard deviation over space and time; `nil` where the truth is the same everywhere
  /// and always, as a parameter's is.
  fileprivate func relativeRMSE(_ f: Int) -> Double? {
    fields[f].truthDeviation > 0 ? fields[f].error.mean.map { $0 / fields[f].truthDeviation } : nil
  }

  fileprivate func spreadErrorRatio(_ f: Int) -> Double? {
    guard let spread = fields[f].spread.value, let error = fields[f].squareError.value else { return nil }
    return spread / error
  }

  /// Member-cycles with their energy in the band over all; `nil` without a band.
  fileprivate var shareInBand: Double? { memberCycles > 0 ? Double(inBand) / Double(memberCycles) : nil }
}

/// The table of methods and scores that `run` prints.
public struct ScoreTable {
  let methods: [MethodScore]

  /// Lines of equal columns, a header first.
  public var text: String {
    guard let first = methods.first else { return "" }
    var header = ["method"]
    for f in first.variables..<first.fields.count { header += ["\(first.fields[f]) RMSE", "corr"] }
    header += first.fields[..<first.variables].map { "\($0) RMSE" }
    // Published errors of models without derived fields, such as Lorenz-96, are in the model's unit.
    let isAbsolute = first.variables == first.fields.count
    if isAbsolute { header += first.fields.map { "\($0) error" } }
    header += ["CRPS \(first.observed)", "spread/error"] + (first.hasBand ? ["in band"] : [])
    header += first.bounded.map { "min \($0)" } + (first.invariants.isEmpty ? [] : ["invariants"])
    header += first.budgets.map { "\($0) change" }
    header += ["s/cycle", "failed"]
    var rows = [header]
    for m in methods {
      var row = [m.method]
      for f in m.variables..<m.fields.count { row += [fixed(m.normalisedRMSE(f), 3), fixed(m.correlation(f), 4)] }
      row += (0..<m.variables).map { fixed(m.relativeRMSE($0), 3) }
      if isAbsolute { row += (0..<m.variables).map { fixed(m.absoluteRMSE($0), 3) } }
      let f = m.index(m.observed) ?? 0
      row += [fixed(m.crps(f), 4), fixed(m.spreadErrorRatio(f), 2)]
      if m.hasBand { row.append(m.inBand.map { fixed(100 * $0, 2) + " %" } ?? "-") }
      row += m.smallest.map(scientific)
      let errors = m.invariants.indices.compactMap { m.invariantError($0) }
      if !m.invariants.isEmpty { row.append(scientific(errors.max())) }
      row += m.budgets.indices.map { scientific(m.budgetChange($0)) }
      row.append(scientific(m.secondsPerCycle))
      row.append(
        m.firstFailure.map { "\(m.truths.filter { $0.failure != nil }.count)/\(m.truths.count), cycle \($0)" } ?? "no")
      rows.append(row)
    }
    return alignedColumns(rows)
  }

  private func scientific(_ value: Double?) -> String { value.map { String(format: "%.1e", $0) } ?? "-" }

  private func fixed(_ value: Double?, _ digits: Int) -> String {
    value.map { String(format: "%.\(digits)f", $0) } ?? "-"
  }
}
