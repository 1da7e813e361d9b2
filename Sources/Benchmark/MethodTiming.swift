import DaunceEnsemble
import DaunceExperiment
import DaunceSettings
import Foundation
import DaunceMPI

/// How long one method's cycles took, part by part, and what they sent.
struct MethodTiming {
  let method: Configuration.Method
  /// Solver of a constrained filter.
  let solver: Configuration.Filter.Solver?
  /// Whether the method failed as it is and was timed with values cut off at the lower bounds.
  let isFloored: Bool
  let members: Int
  let measurement: CycleMeasurement

  private var cycles: [[Double]] { measurement.parts }

  /// Forecast and analysis of one cycle, without what is done with the analysis.
  private static func step(_ cycle: [Double]) -> Double {
    analysisParts.reduce(0) { $0 + cycle[$1.rawValue] }
  }

  /// The parts of forecast and analysis.
  private static let analysisParts: [PhaseClock.Phase] = [.forecast, .waiting, .reduction, .update]

  /// The middle half of the cycles by time of forecast and analysis; all of them if there are fewer than four. The
  /// means of the parts over these add up, as medians of the parts would not.
  private var middle: ArraySlice<[Double]> {
    let sorted = cycles.sorted { Self.step($0) < Self.step($1) }
    return sorted[sorted.count / 4..<sorted.count - sorted.count / 4]
  }

  /// Wall seconds of a part of a cycle.
  func seconds(_ phase: PhaseClock.Phase) -> Double {
    middle.reduce(0) { $0 + $1[phase.rawValue] } / Double(middle.count)
  }

  /// Wall seconds of forecast and analysis, the waiting in them included.
  var secondsPerCycle: Double { Self.analysisParts.reduce(0) { $0 + seconds($1) } }

  private var secondsWithOutput: Double { secondsPerCycle + seconds(.diagnosis) + seconds(.output) }

  /// The same of the fastest cycle.
  var fastest: Double { cycles.map(Self.step).min() ?? .nan }

  /// Collectives of a cycle, and bytes that all ranks put into them.
  private func perCycle(_ traffic: Traffic) -> (collectives: Double, bytes: Double) {
    (Double(traffic.collectives) / Double(cycles.count), Double(traffic.bytes) / Double(cycles.count))
  }

  /// The entry of benchmark.json, with the time over that of `rl` if that was timed.
  func json(relativeTo rl: MethodTiming?) -> JSON {
    let parts = PhaseClock.Phase.allCases.map { ("\($0)", JSON.number(seconds($0))) }
    var entry: [String: JSON] = [
      "cycles": .integer(cycles.count),
      "seconds_per_cycle": .number(secondsPerCycle),
      "seconds_with_output": .number(secondsWithOutput),
      "output_share": .number(seconds(.output) / secondsWithOutput),
      "fastest_cycle": .number(fastest),
      "parts": .object(Dictionary(uniqueKeysWithValues: parts)),
      "messages": .object([
        "analysis": json(measurement.analysis), "vote": json(measurement.vote), "output": json(measurement.output),
      ]),
      "floored": .flag(isFloored),
    ]
    if let whole = measurement.whole {
      let memberCycles = Double(whole.cycles * members)
      var run: [String: JSON] = [
        "cycles_per_second": .number(Double(whole.cycles) / whole.seconds),
        "cpu_seconds_per_member_cycle": .number(whole.processorSeconds / memberCycles),
        "user_seconds_per_member_cycle": .number(whole.userSeconds / memberCycles),
      ]
      if let allocations = whole.allocations {
        run["allocations_per_cycle"] = .number(Double(allocations) / Double(whole.cycles))
      }
      entry["whole_cycles"] = .object(run)
    }
    if let solver { entry["solver"] = .text(solver.rawValue) }
    if let rl { entry["ratio_to_rl"] = .number(secondsPerCycle / rl.secondsPerCycle) }
    return .object(entry)
  }

  private func json(_ traffic: Traffic) -> JSON {
    let (collectives, bytes) = perCycle(traffic)
    return .object(["collectives": .number(collectives), "bytes": .number(bytes)])
  }

  /// The cells of its row in the table.
  func row(relativeTo rl: MethodTiming?) -> [String] {
    var name = method.rawValue
    if let solver { name += " (\(solver.rawValue))" }
    if isFloored { name += " (floored)" }
    let times = PhaseClock.Phase.allCases.map { seconds($0) } + [secondsPerCycle, fastest]
    let (collectives, bytes) = perCycle(measurement.analysis + measurement.vote)
    var row = [name] + times.map { String(format: "%.1e", $0) }
    row.append(rl.map { String(format: "%.1f", secondsPerCycle / $0.secondsPerCycle) } ?? "-")
    row += [collectives, bytes].map { String(format: "%.0f", $0) }
    row.append(measurement.whole.map { String(format: "%.0f", Double($0.cycles) / $0.seconds) } ?? "-")
    row.append("\(cycles.count)")
    return row
  }

  /// The table's first row.
  static let header =
    ["method"] + PhaseClock.Phase.allCases.map { "\($0) s" }
    + ["s/cycle", "fastest", "over rl", "messages", "bytes", "cycles/s", "cycles"]
}
