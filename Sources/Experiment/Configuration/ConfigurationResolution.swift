/// What `auto` stands for where the model's name decides it. The rest follows from the model object
/// (`ForecastModel.observing`) or from nature runs (the energy band).
extension Configuration {
  /// Cells of the grid.
  public var cells: Int {
    if let cells = model.cells { return cells }
    return switch model.name {
    case .mjoSkeleton, .advection1d: 64
    case .lorenz96: 40
    }
  }

  /// Spin-up of nature runs, in the model's time units: about two years for the skeleton in either unit system, forty
  /// turns of the tracer.
  public var spinup: Double {
    if let spinup = nature.spinup { return spinup }
    return switch model.name {
    case .mjoSkeleton: model.units == .standard ? 2000 : 20
    case .lorenz96: 20
    case .advection1d: 40
    }
  }

  /// The energy that is held in a band, `off` if none is.
  public var energy: Constraints.Energy {
    if let energy = constraints.energy { return energy }
    return switch model.name {
    case .mjoSkeleton: .conserved
    case .lorenz96, .advection1d: .off
    }
  }
}
