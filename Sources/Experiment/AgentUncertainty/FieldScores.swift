import DaunceArchive
import DaunceNumerics
import DaunceState
import DaunceUncertainty
import Foundation

/// How predicted fields fit truths, and where their variance comes from, on rank 0.
struct FieldScores {
  /// Quantiles that a law is scored by.
  private static let quantiles = 100

  private let layout: StateLayout
  /// Of every field: the full account, and the members of one ensemble with equal weights.
  private var full, members: [Calibration]
  /// Coverage of each truth, `[field][truth][interval]`, and what had been counted before it.
  private var coverage: [[[Double]]]
  private var before: [(count: Int, covered: [Double])]
  /// Sums over places and times of the variances by source, then of the interaction, over the field's scale squared.
  private var parts: [[Double]]
  private var places = 0

  init(_ layout: StateLayout) {
    self.layout = layout
    let fields = layout.fields.count
    full = [Calibration](repeating: Calibration(), count: fields)
    members = full
    coverage = [[[Double]]](repeating: [], count: fields)
    before = (0..<fields).map { _ in (0, [Double](repeating: 0, count: Calibration.intervals.count)) }
    parts = [[Double]](repeating: [Double](repeating: 0, count: Source.allCases.count + 1), count: fields)
  }

  /// Takes the predictions of one time.
  ///
  /// - Parameter truth: `[layout.count]`; `nil` where there is none.
  mutating func add(_ rows: ElementRows, _ laws: FieldLaws, truth: [Double]?) {
    places += 1
    for (v, field) in layout.fields.enumerated() {
      for element in layout.range(v) {
        let law = laws.law(rows, v, element)
        let scale = field.scale
        for (s, part) in law.variance.parts.enumerated() { parts[v][s] += part / (scale * scale) }
        parts[v][Source.allCases.count] += law.variance.interaction / (scale * scale)
        guard let truth else { continue }
        full[v].add(law.quantiles(Self.quantiles).map { $0 / scale }, truth: truth[element] / scale)
        members[v].add(rows.members(element).map { Double($0) / scale }, truth: truth[element] / scale)
      }
    }
  }

  /// A truth is over.
  mutating func endTruth() {
    for v in full.indices {
      let count = Double(full[v].count - before[v].count)
      guard count > 0 else { continue }
      coverage[v].append(zip(full[v].covered, before[v].covered).map { ($0 - $1) / count })
      before[v] = (full[v].count, full[v].covered)
    }
  }

  private var hasTruths: Bool { full.contains { $0.count > 0 } }

  /// Standard error of a field's coverage, from truth to truth.
  private func error(_ v: Int, _ interval: Int) -> Double? {
    let own = coverage[v].map { $0[interval] }
    guard own.count > 1 else { return nil }
    let mean = own.reduce(0, +) / Double(own.count)
    return (own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(own.count * (own.count - 1))).squareRoot()
  }

  // MARK: What is told

  /// Several lines.
  var text: String {
    let names = Source.allCases.map(\.name) + ["interaction"]
    var lines = [Columns.row(["variance", "total"] + names)]
    for (v, field) in layout.fields.enumerated() {
      let total = parts[v].reduce(0, +)
      let mean = total / Double(max(1, places * layout.range(v).count))
      lines.append(
        Columns.row(
          [field.name, String(format: "%.4g", mean)]
            + parts[v].map { total > 0 ? String(format: "%.1f %%", 100 * $0 / total) : "0 %" }))
    }
    guard hasTruths else { return lines.joined(separator: "\n") }
    lines += ["", Columns.row(["", "50 % holds", "80 % holds", "95 % holds", "CRPS", "rmse", "spread", "80 % width"])]
    for (v, field) in layout.fields.enumerated() {
      for (name, calibration) in [(field.name, full[v]), ("  members", members[v])] {
        guard let s = calibration.scores else { continue }
        let held = s.coverage.enumerated().map { k, share in
          String(format: "%.1f %%", 100 * share)
            + (name == field.name ? error(v, k).map { String(format: " +- %.1f", 100 * $0) } ?? "" : "")
        }
        lines.append(
          Columns.row([name] + held + [s.crps, s.rmse, s.spread, s.width[1]].map { String(format: "%.4f", $0) }))
      }
    }
    lines.append("variances, CRPS and widths are over the fields' scales; members: those of one ensemble, with equal weights")
    return lines.joined(separator: "\n")
  }

  /// The same in full.
  var json: JSON {
    func numbers(_ values: [Double]) -> JSON { .array(values.map { .number($0) }) }
    func scores(_ calibration: Calibration) -> [String: JSON] {
      calibration.scores?.json ?? [:]
    }
    var fields: [String: JSON] = [:]
    for (v, field) in layout.fields.enumerated() {
      let count = Double(max(1, places * layout.range(v).count))
      var own: [String: JSON] = [
        "scale": .number(field.scale),
        "variance_by_source": .object(
          Dictionary(
            uniqueKeysWithValues: zip(Source.allCases.map(\.name) + ["interaction"], parts[v]).map { ($0, .number($1 / count)) })),
      ]
      if hasTruths {
        var full = scores(full[v])
        full["coverage_error"] = numbers(Calibration.intervals.indices.map { error(v, $0) ?? .nan })
        own["full"] = .object(full)
        own["members"] = .object(scores(members[v]))
      }
      fields[field.name] = .object(own)
    }
    return .object(["fields": .object(fields)])
  }
}
