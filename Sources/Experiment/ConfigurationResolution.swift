/// What `auto` stands for where the model's name decides it. The rest follows from the model object
/// (`ForecastModel.observing`) or from nature runs (the energy band).
extension Configuration {
  /// Cells of the grid.
  public var cells: Int {
    if let cells = model.cells { return cells }
    return switch model.name {
    case .mjoSkeleton: 64
    case .lorenz96: 40
    }
  }

  /// Spin-up of nature runs, in the model's time units: about two years for the skeleton in either unit system.
  public var spinup: Double {
    nature.spinup ?? (model.name == .mjoSkeleton && model.units == .standard ? 2000 : 20)
  }

  /// The energy that is held in a band, `off` if none is.
  public var energy: Constraints.Energy {
    if let energy = constraints.energy { return energy }
    return switch model.name {
    case .mjoSkeleton: .conserved
    case .lorenz96: .off
    }
  }
}
