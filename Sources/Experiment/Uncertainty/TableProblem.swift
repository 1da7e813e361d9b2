import DaunceArchive
import DaunceUncertainty

/// Three tables as the fundamental equation needs them: which columns are what, working numbers, errors.
struct TableProblem {
  let inputs, outputs: [Variable]
  let training, testing, new: MeasuredRows
  /// The new rows' inputs as they are in the file, `[input][row]`, and units of inputs and outputs.
  let newValues: [[Double]]
  let inputUnits, outputUnits: [String]
  /// What the new rows' outputs were found to be, and the standard deviations of their errors, in working units
  /// (`[row][output]`); `nil` if the table does not tell.
  let found: (y: [Double], error: [Double])?
  /// Things that a user should know.
  let notes: [String]

  /// Reads and checks all of it. Throws one error that names the file, the row and the column.
  init(_ configuration: UncertaintyConfiguration, training: String, testing: String, new: String) throws {
    let tables = (
      training: try NumberTable(path: training), testing: try NumberTable(path: testing), new: try NumberTable(path: new)
    )
    let roles = try Roles(configuration, tables.training)
    let raw = (
      training: try RawRows(tables.training, roles, configuration, wantsOutputs: true),
      testing: try RawRows(tables.testing, roles, configuration, wantsOutputs: true),
      new: try RawRows(tables.new, roles, configuration, wantsOutputs: false)
    )
    try Self.checkSizes(tables.training, tables.testing, configuration)
    try Self.checkUnseen(tables.training, raw.training, tables.testing, raw.testing)
    func variable(_ name: String, _ values: [Double], others: [[Double]]) throws -> Variable {
      let suggests = Variable.suggestsLogarithm(values) && others.allSatisfy { $0.allSatisfy { $0 > 0 } }
      let isLogarithmic = configuration.logarithm?.contains(name) ?? suggests
      return Variable(name: name, values: values, isLogarithmic: isLogarithmic)
    }
    inputs = try roles.inputs.enumerated().map { i, name in
      try variable(name, raw.training.x[i], others: [raw.testing.x[i], raw.new.x[i]])
    }
    outputs = try roles.outputs.enumerated().map { o, name in
      try variable(name, raw.training.y[o], others: [raw.testing.y[o]])
    }
    try Self.checkLogarithms(configuration, inputs + outputs, roles, [tables.training, tables.testing, tables.new])
    self.training = raw.training.working(inputs, outputs)
    self.testing = raw.testing.working(inputs, outputs)
    let measured = raw.new.working(inputs, outputs)
    self.new = MeasuredRows(
      inputs: inputs.count, outputs: outputs.count, x: measured.x, xError: measured.xError, y: [], yError: [])
    found = measured.y.isEmpty ? nil : (measured.y, measured.yError)
    newValues = raw.new.x
    inputUnits = roles.inputs.map { tables.training.units[$0] ?? "" }
    outputUnits = roles.outputs.map { tables.training.units[$0] ?? "" }
    notes = Self.notes(inputs, outputs, raw.training)
  }

  private static func notes(_ inputs: [Variable], _ outputs: [Variable], _ training: RawRows) -> [String] {
    var notes: [String] = []
    let logarithmic = (inputs + outputs).filter(\.isLogarithmic).map(\.name)
    if !logarithmic.isEmpty { notes.append("logarithms are worked with: \(logarithmic.joined(separator: ", "))") }
    for (variable, values) in zip(inputs, training.x) where values.allSatisfy({ $0 == values[0] }) {
      notes.append("input \(variable.name) has the same value in all training rows")
    }
    return notes
  }

  // MARK: Checks

  private static func checkSizes(
    _ training: NumberTable, _ testing: NumberTable, _ configuration: UncertaintyConfiguration
  ) throws {
    let networks = configuration.networks.trainingDraws * configuration.networks.each
    guard training.rows >= networks else {
      throw ExperimentError(
        .data, training.path, found: "\(training.rows) rows",
        expected: "at least as many as networks, \(networks) (keys networks.training_draws and networks.each)")
    }
    guard testing.rows >= 10 else {
      throw ExperimentError(.data, testing.path, found: "\(testing.rows) rows", expected: "at least 10, to tell residuals by")
    }
  }

  /// Testing rows that networks were trained on tell nothing.
  private static func checkUnseen(
    _ training: NumberTable, _ trained: RawRows, _ testing: NumberTable, _ tested: RawRows
  ) throws {
    func rows(_ raw: RawRows) -> [[Double]] {
      (0..<(raw.x.first?.count ?? 0)).map { row in raw.x.map { $0[row] } + raw.y.map { $0[row] } }
    }
    let known = Set(rows(trained))
    let repeated = rows(tested).filter { known.contains($0) }.count
    guard 2 * repeated <= testing.rows else {
      throw ExperimentError(
        .data, testing.path, found: "\(repeated) of \(testing.rows) rows that \(training.path) has too",
        expected: "rows that no network is trained on")
    }
  }

  private static func checkLogarithms(
    _ configuration: UncertaintyConfiguration, _ variables: [Variable], _ roles: Roles, _ tables: [NumberTable]
  ) throws {
    for name in configuration.logarithm ?? [] where !variables.contains(where: { $0.name == name }) {
      throw ExperimentError(
        .data, "key logarithm", found: name, expected: "inputs or outputs (\(variables.map(\.name).joined(separator: ", ")))")
    }
    for variable in variables where variable.isLogarithmic {
      for table in tables where table.has(variable.name) {
        // Outputs of the new rows need not be known.
        guard let values = try? table.numbers(variable.name), let row = values.firstIndex(where: { $0 <= 0 }) else { continue }
        throw ExperimentError(
          .data, table.path, "\(table.place(of: row)), column \(variable.name)", found: "\(values[row])",
          expected: "a positive number, for its logarithm is worked with (key logarithm)")
      }
    }
  }

  // MARK: Columns

  /// Which columns are inputs and which outputs.
  struct Roles {
    let inputs, outputs: [String]

    init(_ configuration: UncertaintyConfiguration, _ table: NumberTable) throws {
      guard let outputs = configuration.outputs, !outputs.isEmpty else {
        throw ExperimentError(
          .data, "key outputs", found: "none",
          expected: "columns that are to be predicted, of \(table.names.prefix(20).joined(separator: ", ")); or --outputs")
      }
      for name in outputs { _ = try table.numbers(name) }
      self.outputs = outputs
      inputs =
        try configuration.inputs
        ?? table.names.filter { name in
          guard !outputs.contains(name) else { return false }
          guard name.hasSuffix("_error") else { return true }
          let owner = String(name.dropLast("_error".count))
          guard table.has(owner) else {
            throw ExperimentError(
              .data, table.path, "column \(name)", found: "errors of a column that is not there",
              expected: "a column \(owner), or the inputs by name (--inputs)")
          }
          return false
        }
      guard !inputs.isEmpty else {
        throw ExperimentError(
          .data, table.path, found: "no column but outputs and errors", expected: "at least one input")
      }
      for error in configuration.errors {
        guard outputs.contains(error.column) || inputs.contains(error.column) else {
          throw ExperimentError(
            .data, "key errors", found: "column \(error.column)",
            expected: "inputs or outputs (\((inputs + outputs).joined(separator: ", ")))")
        }
        guard (error.sd == nil) != (error.relative == nil) else {
          throw ExperimentError(
            .data, "key errors", found: "column \(error.column) with \(error.sd == nil ? "neither sd nor relative" : "both")",
            expected: "sd or relative")
        }
      }
    }
  }

  /// A table's inputs and outputs by columns, with errors.
  struct RawRows {
    /// `[input][row]`.
    var x: [[Double]] = []
    var xError: [[Double]] = []
    /// `[output][row]`; empty where the table does not tell.
    var y: [[Double]] = []
    var yError: [[Double]] = []

    init(_ table: NumberTable, _ roles: Roles, _ configuration: UncertaintyConfiguration, wantsOutputs: Bool) throws {
      for name in roles.inputs {
        x.append(try table.numbers(name))
        xError.append(try Self.errors(table, name, x[x.count - 1], configuration))
      }
      if !wantsOutputs {
        guard roles.outputs.allSatisfy({ (try? table.numbers($0)) != nil }) else { return }
      }
      for name in roles.outputs {
        let values = try table.numbers(name)
        if wantsOutputs, values.allSatisfy({ $0 == values[0] }) {
          throw ExperimentError(
            .data, table.path, "column \(name)", found: "\(values[0]) in all \(values.count) rows",
            expected: "an output that varies")
        }
        y.append(values)
        yError.append(try Self.errors(table, name, values, configuration))
      }
    }

    /// Standard deviations by row: of the column of errors, else of the configuration, else 0.
    private static func errors(
      _ table: NumberTable, _ name: String, _ values: [Double], _ configuration: UncertaintyConfiguration
    ) throws -> [Double] {
      if table.has("\(name)_error") {
        let errors = try table.numbers("\(name)_error")
        if let row = errors.firstIndex(where: { $0 <= 0 }) {
          throw ExperimentError(
            .data, table.path, "\(table.place(of: row)), column \(name)_error", found: "\(errors[row])",
            expected: "a positive standard deviation; leave the column out where \(name) is exact")
        }
        return errors
      }
      guard let law = configuration.errors.first(where: { $0.column == name }) else {
        return [Double](repeating: 0, count: values.count)
      }
      return values.map { law.sd ?? (law.relative ?? 0) * abs($0) }
    }

    /// In working numbers.
    func working(_ inputs: [Variable], _ outputs: [Variable]) -> MeasuredRows {
      func rows(_ columns: [[Double]], _ number: (Int, Int) -> Double) -> [Double] {
        (0..<(columns.first?.count ?? 0)).flatMap { row in columns.indices.map { number($0, row) } }
      }
      return MeasuredRows(
        inputs: inputs.count, outputs: outputs.count, x: rows(x) { inputs[$0].working(x[$0][$1]) },
        xError: rows(x) { inputs[$0].workingDeviation(xError[$0][$1], at: x[$0][$1]) },
        y: rows(y) { outputs[$0].working(y[$0][$1]) },
        yError: rows(y) { outputs[$0].workingDeviation(yError[$0][$1], at: y[$0][$1]) })
    }
  }
}
