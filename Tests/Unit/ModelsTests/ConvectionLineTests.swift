import DaunceModels
import DaunceNumerics
import DaunceState
import Foundation
import Testing

/// The squall line itself, as a truth of twin experiments.
@Suite struct ConvectionLineTests {
  private func small() throws -> Convection {
    var configuration = ConvectionConfiguration()
    (configuration.columns, configuration.levels) = (64, 20)
    return try Convection(configuration)
  }

  /// Three hours on the full grid.
  @Test func lineLivesAndMovesWithItsColdPool() throws {
    let model = try Convection()
    var state = model.initialState(RandomStream(seed: 1, purpose: .test))
    #expect(state.count == 300 * (8 * 40 + 39))
    let start = model.budget(of: state)
    var (peaks, rain, fronts): ([Double], [Double], [Double]) = ([], [], [])
    for _ in 0..<18 {
      state = model.after(100, from: state)
      peaks.append(model.field("w", of: state).max() ?? 0)
      rain.append(model.rainedOut)
      let lowest = model.field("theta", of: state)[..<300]
      fronts.append(Double(lowest.lastIndex { $0 < -1 } ?? 0) * 1000)
    }
    // Updraughts from half an hour on, rain until the end.
    #expect(peaks[3...].allSatisfy { $0 > 8 && $0 < 40 }, "\(peaks)")
    #expect(peaks[3...].reduce(0, +) / 15 > 10 && peaks[3...].reduce(0, +) / 15 < 30)
    for t in 4..<18 { #expect(rain[t] > rain[t - 1] + 1000, "\(rain)") }
    // The front of the cold pool, over the ground, in the last hour.
    let speed = (fronts[17] - fronts[11]) / 3600 + model.configuration.frameSpeed
    #expect(speed > 14 && speed < 25, "\(speed)")
    let end = model.budget(of: state)
    #expect(abs(end.dryAir / start.dryAir - 1) < 1e-12)
    #expect(abs((end.water + model.rainedOut) / start.water - 1) < 1e-12)
    // Ice above, rain below.
    #expect(model.field("q_s", of: state).contains { $0 > 1e-3 })
    #expect(model.field("q_r", of: state).contains { $0 > 1e-3 })
    #expect(model.field("q_i", of: state)[..<(5 * 300)].allSatisfy { $0 == 0 })
  }

  @Test func stateIsAllThatAForecastNeeds() throws {
    let model = try small()
    let start = model.after(400, from: model.initialState(RandomStream(seed: 2, purpose: .test)))
    #expect(model.field("q_r", of: start).contains { $0 > 1e-4 })
    let whole = model.after(10, from: start)
    let other = try small()
    #expect(other.after(10, from: start) == whole)
    #expect(other.after(6, from: model.after(4, from: start)) == whole)
    #expect(model.after(0, from: start) == start)
  }

  /// One object carries all members, in any order.
  @Test func membersDoNotDependOnOneAnother() throws {
    let model = try small()
    let states = (0..<3).map {
      model.after(300, from: model.initialState(RandomStream(seed: 3, purpose: .test, member: $0)))
    }
    let forwards = states.map { model.after(5, from: $0) }
    let backwards = states.reversed().map { model.after(5, from: $0) }
    #expect(forwards == backwards.reversed())
    #expect(states[0] != states[1])
  }

  /// Draws differ in where and how warm the line is, in wind and in moisture.
  @Test func initialStatesAreDrawn() throws {
    let model = try Convection()
    let states = (0..<40).map { model.initialState(RandomStream(seed: 4, purpose: .test, member: $0)) }
    #expect(states[0] == model.initialState(RandomStream(seed: 4, purpose: .test, member: 0)))
    let top = states.map { model.field("u", of: $0).last ?? 0 }
    #expect(abs(mean(top) / 12 - 1) < 0.06)
    #expect(abs(variance(top).squareRoot() / 1.2 - 1) < 0.35)
    let moisture = states.map { model.field("q_v", of: $0)[0] }
    #expect(abs(variance(moisture).squareRoot() / (0.03 * mean(moisture)) - 1) < 0.35)
    let places = states.map { state in
      let theta = model.field("theta", of: state)[600..<900].map { max($0 - 0.5, 0) }
      return zip(theta, 0..<300).reduce(0) { $0 + $1.0 * Double($1.1) } / theta.reduce(0, +)
    }
    #expect(abs(variance(places).squareRoot() / 4 - 1) < 0.4)
    #expect(abs(mean(places) - 149.5) < 2.5)
  }

  @Test func fieldsAndObservationsAreToldToFilters() throws {
    let model = try small()
    #expect(model.timeStep == 6)
    #expect(model.observing == ObservingSystem(variable: 1, errorVariance: 0.04, law: .gaussian, stepsBetween: 50))
    #expect(model.layout.fields.map(\.name) == ["u", "w", "theta", "pi", "q_v", "q_c", "q_i", "q_r", "q_s"])
    #expect(model.layout.fields.map { $0.lowerBound } == [nil, nil, nil, nil, 0, 0, 0, 0, 0])
    #expect(model.layout.geometry.axes.map(\.period) == [64_000, nil])
    #expect(model.layout.place(of: model.layout.offsets[1]).coordinates.x == 500)
    #expect(model.layout.place(of: model.layout.offsets[1]).coordinates.y == 1000)
    #expect(model.layout.place(of: 1).coordinates.x == 1000)
  }

  @Test func unusableSettingsAreNamed() throws {
    func key(_ change: (inout ConvectionConfiguration) -> Void) -> String? {
      var configuration = ConvectionConfiguration()
      change(&configuration)
      return #expect(throws: ModelError.self) { try Convection(configuration) }?.key
    }
    #expect(key { $0.columns = 15 } == "cells")
    #expect(key { $0.levels = 7 } == "levels")
    #expect(key { $0.shear = .nan } == "shear")
    #expect(key { $0.spacing = 0 } == "spacing")
    #expect(key { $0.depth = 1e5 } == "depth")
    #expect(key { $0.timeStep = 13 } == "time_step")
  }
}
