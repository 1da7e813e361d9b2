public import DaunceObservations
public import DaunceState

extension AgentSettings {
  /// A kind of observations that agents see.
  public struct Observed: Sendable, Hashable {
    /// As in files.
    public let name: String
    /// Its number in observation networks.
    public let number: Int
    /// What it measures of a state.
    public let operation: ObservationOperator
    /// A typical error variance, in the unit of what is observed, squared.
    public let errorVariance: Double
    /// Whether agents see how far each observation's error variance is from the typical one.
    public let seesError: Bool

    /// - Parameters:
    ///   - number: in observation networks; a field's own number for the field itself.
    ///   - errorVariance: typical, positive, in the observed unit squared.
    public init(
      name: String, number: Int, operation: ObservationOperator, errorVariance: Double, seesError: Bool = false
    ) {
      (self.name, self.number, self.operation) = (name, number, operation)
      (self.errorVariance, self.seesError) = (errorVariance, seesError)
    }

    /// A field of a layout itself.
    public init(field: Int, of layout: StateLayout, errorVariance: Double, seesError: Bool = false) {
      self.init(
        name: layout.fields[field].name, number: field, operation: ObservationOperator(fields: [field]),
        errorVariance: errorVariance, seesError: seesError)
    }

    /// The field of a grid that these observations are the values of, `nil` if they are anything else.
    func field(of layout: StateLayout, onGrid grid: Int) -> Int? {
      guard operation == ObservationOperator(fields: [operation.fields[0]]),
        layout.fields[operation.fields[0]].grid == grid
      else { return nil }
      return operation.fields[0]
    }

    /// A typical value and how far values are from it, in the observed unit: those of fields at their references and a
    /// scale off them, and no nearer than the typical error.
    func range(in layout: StateLayout) -> (reference: Double, scale: Double) {
      func value(_ shift: Double) -> Double {
        let isNorm = operation.combination == .norm
        let sum = operation.fields.reduce(0.0) { sum, f in
          let x = layout.fields[f].reference + shift * layout.fields[f].scale
          return sum + (isNorm ? x * x : x)
        }
        return operation.function(isNorm ? sum.squareRoot() : sum)
      }
      let reference = value(0).isFinite ? value(0) : 0
      let steps = [value(-1), value(1)].map { abs($0 - reference) }.filter(\.isFinite)
      return (reference, max(steps.max() ?? 0, errorVariance.squareRoot()))
    }
  }

  /// Number of the grid that agents act on: that of the first control.
  public func grid(in layout: StateLayout) -> Int { controls.first.map { layout.fields[$0].grid } ?? 0 }

  /// Cells of the grid that agents act on.
  public func cells(in layout: StateLayout) -> Int { layout.grids[grid(in: layout)].cells }
}
