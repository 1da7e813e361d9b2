import Ensemble
import Foundation

/// How long one method's cycles took, part by part.
public struct MethodTiming {
  public let method: Configuration.Method
  /// Solver of a constrained filter.
  let solver: Configuration.Filter.Solver?
  /// Whether the method failed as it is and was timed with values cut off at the lower bounds.
  let isFloored: Bool
  /// Wall seconds of every part of every cycle on the rank that was slowest in forecast and analysis: `[cycle][phase]`.
  let cycles: [[Double]]

  /// Forecast and analysis of one cycle, without output: what `run` reports too.
  private static func step(_ cycle: [Double]) -> Double {
    cycle.enumerated().reduce(0) { $1.offset == PhaseClock.Phase.output.rawValue ? $0 : $0 + $1.element }
  }

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

  /// Wall seconds of forecast, reduction and update of a cycle.
  public var secondsPerCycle: Double { seconds(.forecast) + seconds(.reduction) + seconds(.update) }

  /// The same of the fastest cycle.
  var fastest: Double { cycles.map(Self.step).min() ?? .nan }

  /// The entry of benchmark.json, with the time over that of `rl` if that was timed.
  func json(relativeTo rl: MethodTiming?) -> JSON {
    let parts = PhaseClock.Phase.allCases.map { ("\($0)", JSON.number(seconds($0))) }
    var entry: [String: JSON] = [
      "cycles": .integer(cycles.count),
      "seconds_per_cycle": .number(secondsPerCycle),
      "seconds_with_output": .number(secondsPerCycle + seconds(.output)),
      "fastest_cycle": .number(fastest),
      "parts": .object(Dictionary(uniqueKeysWithValues: parts)),
      "floored": .flag(isFloored),
    ]
    if let solver { entry["solver"] = .text(solver.rawValue) }
    if let rl { entry["ratio_to_rl"] = .number(secondsPerCycle / rl.secondsPerCycle) }
    return .object(entry)
  }

  /// The cells of its row in the table.
  func row(relativeTo rl: MethodTiming?) -> [String] {
    var name = method.rawValue
    if let solver { name += " (\(solver.rawValue))" }
    if isFloored { name += " (floored)" }
    let times = PhaseClock.Phase.allCases.map { seconds($0) } + [secondsPerCycle, fastest]
    return [name] + times.map { String(format: "%.1e", $0) }
      + [rl.map { String(format: "%.1f", secondsPerCycle / $0.secondsPerCycle) } ?? "-", "\(cycles.count)"]
  }

  /// The table's first row.
  static let header =
    ["method"] + PhaseClock.Phase.allCases.map { "\($0) s" } + ["s/cycle", "fastest", "over rl", "cycles"]
}
