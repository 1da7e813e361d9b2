/// Settings of the stochastic skeleton model.
public struct MJOConfiguration: Sendable, Hashable {
  /// Domain, time step and noise that go together.
  public enum Preset: String, Sendable, Hashable, CaseIterable {
    /// Behnoudfar & Chen (2025): L = 8/3, dt = 0.001 of a two-month unit (1.44 h), dA = 1.
    ///
    /// The constants are those of `standard` in other units, so the waves are about ten times faster against the MJO
    /// than in nature: the Kelvin wave's speed would be 2.9 m/s if the equator were this long.
    case paper
    /// Thual, Majda & Stechmann (2014): L = 80/3 units of 1500 km, dt = 0.2 units of 8.33 h, dA = 0.001: the physical
    /// one, with a Kelvin wave of 50 m/s and an MJO of about 5 m/s.
    case standard

    /// 40,000 km of equator are L; a time step of the paper's is 1.44 h.
    var physicalUnits: PhysicalUnits {
      switch self {
      case .paper: PhysicalUnits(hours: 1440, kilometres: 15000)
      case .standard: PhysicalUnits(hours: 8.33, kilometres: 1500)
      }
    }
  }

  /// The heating that the mean state balances.
  public enum Background: String, Sendable, Hashable, CaseIterable {
    /// S = 0.022 everywhere.
    case homogeneous
    /// S(x) = 0.022 (1 - 0.6 cos(2 pi x / L)), (4.9).
    case warmPool = "warm-pool"
  }

  /// How the square-root noise is sampled.
  public enum NoiseScheme: String, Sendable, Hashable, CaseIterable {
    /// A normal number with the exact mean and variance of the transition, then a floor.
    case eulerFloor = "euler-floor"
    /// The exact transition, a Poisson mixture of gamma numbers, then a floor.
    case feller
  }

  /// Units and sizes.
  public var preset: Preset
  /// Homogeneous, or with a warm pool (4.9).
  public var background: Background
  /// Number of cells, at least 8.
  public var cells: Int
  /// Circumference, in the preset's unit of length.
  public var length: Double
  /// Time step, in the preset's unit of time.
  public var timeStep: Double
  /// dA: the noise's variance per unit of activity; 0 switches it off.
  ///
  /// It has to suit the unit of time. Preset `standard` runs stably up to 0.1; with 1 the exact sampler leaves cells at
  /// the floor so long that moisture piles up, and the events that follow outrun the time step.
  public var noiseAmplitude: Double
  /// Smallest activity, a_min > 0.
  public var floor: Double
  /// How the square-root noise is sampled.
  public var noiseScheme: NoiseScheme
  /// Error variance of an observation of a.
  public var observationVariance: Double
  /// Time steps from one observation to the next.
  public var stepsBetweenObservations: Int

  /// The settings of `preset` on `background`; every one can be changed before a model is made.
  public init(_ preset: Preset = .paper, background: Background = .homogeneous) {
    self.preset = preset
    self.background = background
    cells = 64
    floor = 1e-4
    noiseScheme = .eulerFloor
    switch preset {
    case .paper:
      length = 8.0 / 3
      timeStep = 0.001
      noiseAmplitude = 1
      observationVariance = 0.0063
      stepsBetweenObservations = 20
    case .standard:
      length = 80.0 / 3
      timeStep = 0.2
      noiseAmplitude = 0.001
      // The same share of the variance of a as in the paper, 7.5%.
      observationVariance = 0.0013
      // 28.8 h are 3.457 units of 8.33 h; 17 steps are 28.3 h.
      stepsBetweenObservations = 17
    }
  }

  func validate() throws(ModelError) {
    try ModelError.require(cells >= 8, "cells", cells, "at least 8")
    try ModelError.require(length > 0 && length.isFinite, "length", length, "a positive number")
    try ModelError.require(timeStep > 0 && timeStep.isFinite, "time_step", timeStep, "a positive number")
    // The leapfrog is stable up to 2 over the local frequency, which is 1.1 in a strong event, a = 4.
    try ModelError.require(timeStep <= 1, "time_step", timeStep, "at most 1, where strong events are still stable")
    try ModelError.require(
      noiseAmplitude >= 0 && noiseAmplitude.isFinite, "noise_amplitude", noiseAmplitude, "0 or a positive number")
    try ModelError.require(
      floor > 0 && floor < MJOConstants.homogeneousSource * 0.4 / MJOConstants.heatingRate, "floor", floor,
      "a positive number below 0.04, the smallest background activity of the warm pool")
    try ModelError.require(
      observationVariance > 0 && observationVariance.isFinite, "observation_variance", observationVariance,
      "a positive number")
    try ModelError.require(
      stepsBetweenObservations >= 1, "steps_between_observations", stepsBetweenObservations, "at least 1")
  }
}

/// Constants of (4.3), common to both unit systems.
public enum MJOConstants {
  /// Gamma: growth rate of activity per unit of moisture.
  public static let growthRate = 1.66
  /// Q-tilde: background vertical moisture gradient.
  public static let moistureGradient = 0.9
  /// H: heating per unit of activity.
  public static let heatingRate = 0.22
  /// S: sources of moisture and heat of the homogeneous background.
  public static let homogeneousSource = 0.022
}
