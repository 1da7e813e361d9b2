import DaunceModels
import DaunceNumerics
import DaunceState
import Foundation
import Testing

extension Convection {
  /// `state` after `steps` time steps.
  func after(_ steps: Int, from state: [Double]) -> [Double] {
    var next = state
    var span = next.mutableSpan
    forecast(&span, steps: steps, noise: RandomStream(seed: 0, purpose: .test))
    return next
  }

  /// Values of a field by its name, `[height][x]`.
  func field(_ name: String, of state: [Double]) -> [Double] {
    layout.fieldIndex(name).map { Array(state[layout.range($0)]) } ?? []
  }

  /// The base state with `warmth` at every place, in kelvin of potential temperature.
  func state(warmth: (_ x: Double, _ z: Double) -> Double) -> [Double] {
    var state = baseState
    for element in layout.range(2) {
      let place = layout.place(of: element).coordinates
      state[element] = warmth(place[0], place[1])
    }
    return state
  }
}

/// The squall line's dynamics against known answers.
@Suite struct ConvectionFlowTests {
  private func model(_ columns: Int, _ levels: Int, shear: Double = 12) throws -> Convection {
    var configuration = ConvectionConfiguration()
    (configuration.columns, configuration.levels, configuration.shear) = (columns, levels, shear)
    return try Convection(configuration)
  }

  /// A thermal of radii 10 km and 1.5 km in the middle of x.
  private func thermal(_ model: Convection, _ kelvin: Double) -> [Double] {
    let middle = Double(model.configuration.columns) * model.configuration.spacing / 2
    return model.state { x, z in
      let distance = (pow((x - middle) / 10_000, 2) + pow((z - 1500) / 1500, 2)).squareRoot()
      return distance < 1 ? kelvin * pow(cos(.pi * distance / 2), 2) : 0
    }
  }

  /// An hour of nothing, with wind and without.
  @Test(arguments: [0.0, 12]) func restStaysRest(shear: Double) throws {
    let model = try model(64, 40, shear: shear)
    let start = model.baseState
    let end = model.after(600, from: start)
    #expect(model.field("w", of: end).allSatisfy { abs($0) < 1e-10 })
    #expect(distance(end, start) < 1e-9)
    #expect(end != start)
  }

  /// The density current of Straka et al. (1993): with 25 m its front is at 15.5 km and its lowest potential
  /// temperature is 10 K below the air's, with 200 m 15.2 to 15.5 km and 9 to 11 K.
  @Test func densityCurrentIsTheKnownOne() throws {
    let model = try Convection(.densityCurrent(spacing: 200))
    let sounding = model.configuration.sounding
    let start = model.state { x, z in
      let distance = (pow((x - 25_600) / 4000, 2) + pow((z - 3000) / 2000, 2)).squareRoot()
      return distance < 1 ? -7.5 * (cos(.pi * distance) + 1) / sounding.state(at: z).exner : 0
    }
    let end = model.after(750, from: start)
    let theta = model.field("theta", of: end)
    let lowest = theta[..<256]
    let cold = lowest.indices.filter { lowest[$0] < -1 }
    let last = try #require(cold.last)
    // Between cells.
    let front = (Double(last) + 0.5 + (lowest[last] + 1) / (lowest[last] - lowest[last + 1])) * 200 - 25_600
    #expect(front > 15_100 && front < 15_600, "\(front)")
    let coldest = try #require(theta.min())
    #expect(coldest > -11 && coldest < -9, "\(coldest)")
    #expect(theta.allSatisfy { $0 < 0.5 })
    // Two fronts, one the mirror image of the other.
    for k in 0..<32 {
      for i in 0..<128 { #expect(abs(theta[k * 256 + i] - theta[k * 256 + 255 - i]) < 1e-9) }
    }
    #expect(abs(model.budget(of: end).dryAir / model.budget(of: start).dryAir - 1) < 1e-12)
  }

  /// Water of one mixing ratio stays what it is, wherever the air goes: its fluxes are those of the air.
  @Test func uniformVapourStaysUniform() throws {
    let model = try Convection(.densityCurrent(spacing: 400))
    var start = model.state { x, z in abs(x - 25_600) < 4000 && abs(z - 3000) < 2000 ? -10 : 0 }
    for element in model.layout.range(4) { start[element] = 1e-6 }
    let end = model.after(200, from: start)
    #expect(model.field("u", of: end).contains { $0 > 10 })
    #expect(model.field("q_v", of: end).allSatisfy { abs($0 / 1e-6 - 1) < 1e-12 })
  }

  /// Without wind a warm bubble that condenses, rains and freezes is its own mirror image.
  @Test func bubbleStaysSymmetric() throws {
    let model = try model(64, 40, shear: 0)
    var still = model.configuration
    still.frameSpeed = 0
    let resting = try Convection(still)
    let end = resting.after(250, from: thermal(resting, 3))
    let (w, snow) = (resting.field("w", of: end), resting.field("q_s", of: end))
    #expect(w.contains { $0 > 5 } && snow.contains { $0 > 1e-3 })
    for k in 0..<39 {
      for i in 0..<32 {
        #expect(abs(w[k * 64 + i] - w[k * 64 + 63 - i]) < 1e-8)
        #expect(abs(snow[k * 64 + i] - snow[k * 64 + 63 - i]) < 1e-11)
      }
    }
  }

  /// 40 columns of a 20 km high storm for an hour: dry air stays, water is where it was or has rained out.
  @Test(arguments: [40, 43]) func massIsConservedAndWaterIsNeverNegative(columns: Int) throws {
    let model = try model(columns, 20)
    var state = thermal(model, 3)
    let start = model.budget(of: state)
    for _ in 0..<12 {
      state = model.after(50, from: state)
      let now = model.budget(of: state)
      #expect(abs(now.dryAir / start.dryAir - 1) < 1e-12)
      #expect(abs((now.water + model.rainedOut) / start.water - 1) < 1e-12)
      for f in 4..<9 { #expect(state[model.layout.range(f)].allSatisfy { $0 >= 0 }) }
    }
    #expect(model.rainedOut > 1000)
    #expect(state.allSatisfy { $0.isFinite })
  }

  /// Water that an analysis left negative is none.
  @Test func negativeWaterBecomesNone() throws {
    let model = try model(32, 20)
    var broken = thermal(model, 3)
    let sound = broken
    for f in 5..<9 {
      for element in model.layout.range(f) where element % 3 == 0 { broken[element] = -1e-3 }
    }
    #expect(model.after(3, from: broken) == model.after(3, from: sound))
  }

  /// What is not finite shows, and the next member does not see it.
  @Test func brokenStatesStayBrokenAndAlone() throws {
    let model = try model(32, 20)
    let sound = model.after(100, from: thermal(model, 3))
    var broken = sound
    broken[model.layout.range(4).lowerBound + 40] = .nan
    let fresh = try self.model(32, 20).after(3, from: sound)
    #expect(model.after(3, from: broken).contains { !$0.isFinite })
    #expect(model.after(3, from: sound) == fresh)
  }
}
