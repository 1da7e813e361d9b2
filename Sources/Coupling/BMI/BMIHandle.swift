import CDaunceModel

/// One model with the Basic Model Interface: its table of functions, initialised, and finalised with this object.
final class BMIHandle {
  let library: SharedLibrary
  private let register: UnsafeMutableRawPointer
  private let configuration: String
  private let table: UnsafeMutablePointer<Bmi>
  private var isInitialised = false

  /// - Parameters:
  ///   - register: the function that fills in the table.
  ///   - configuration: file that the model is initialised with, empty for none.
  /// - Throws: `CouplingError` where a function is missing or fails.
  init(_ library: SharedLibrary, register name: String, configuration: String) throws {
    guard let register = library.address(of: name) else {
      throw CouplingError(
        library.name, found: "no function \(name)", expected: "the one that fills in the table of functions (key model.register)")
    }
    (self.library, self.register, self.configuration) = (library, register, configuration)
    table = .allocate(capacity: 1)
    table.initialize(to: Bmi())
    _ = try library.call(name, { daunce_guard_bmi_register(register, table) }, doing: "registering")
    let missing = missingFunctions
    guard missing.isEmpty else {
      throw CouplingError(
        library.name, found: "no \(missing.joined(separator: ", ")) in the table of functions", expected: "BMI 2.0's functions")
    }
    try initialise()
  }

  deinit {
    if isInitialised, !library.isBroken { try? finalise() }
    table.deallocate()
  }

  private init(_ other: BMIHandle) throws {
    (library, register, configuration) = (other.library, other.register, other.configuration)
    table = .allocate(capacity: 1)
    table.initialize(to: Bmi())
    _ = try library.call("the registering function", { daunce_guard_bmi_register(register, table) }, doing: "registering")
    try initialise()
  }

  /// Another model of the same configuration.
  func makeAnother() throws -> BMIHandle { try BMIHandle(self) }

  private var missingFunctions: [String] {
    let b = table.pointee
    let all: [(String, Bool)] = [
      ("initialize", b.initialize != nil), ("update", b.update != nil), ("finalize", b.finalize != nil),
      ("get_component_name", b.get_component_name != nil), ("get_var_grid", b.get_var_grid != nil),
      ("get_var_type", b.get_var_type != nil), ("get_var_units", b.get_var_units != nil),
      ("get_var_nbytes", b.get_var_nbytes != nil), ("get_time_step", b.get_time_step != nil),
      ("get_value", b.get_value != nil), ("set_value", b.set_value != nil), ("get_grid_rank", b.get_grid_rank != nil),
      ("get_grid_size", b.get_grid_size != nil), ("get_grid_type", b.get_grid_type != nil),
    ]
    return all.filter { !$0.1 }.map(\.0)
  }

  // MARK: Life

  private func initialise() throws {
    try run("initialize", configuration.isEmpty ? "without a file" : "with \(configuration)") {
      daunce_guard_bmi_start(table.pointee.initialize, table, configuration)
    }
    isInitialised = true
  }

  private func finalise() throws {
    isInitialised = false
    try run("finalize", "at its end") { daunce_guard_bmi_action(table.pointee.finalize, table) }
  }

  /// Brings the model to its beginning again.
  func restart() throws {
    try finalise()
    try initialise()
  }

  /// Carries the model over a time step.
  func update(_ words: @autoclosure () -> String) throws {
    try run("update", words()) { daunce_guard_bmi_action(table.pointee.update, table) }
  }

  // MARK: Values

  func get(_ variable: String, into values: UnsafeMutableRawPointer) throws {
    try run("get_value", variable) { daunce_guard_bmi_values(table.pointee.get_value, table, variable, values) }
  }

  func set(_ variable: String, from values: UnsafeMutableRawPointer) throws {
    try run("set_value", variable) { daunce_guard_bmi_values(table.pointee.set_value, table, variable, values) }
  }

  // MARK: What it says of itself

  func componentName() throws -> String {
    try text("get_component_name") { daunce_guard_bmi_text(table.pointee.get_component_name, table, $0) }
  }

  func timeStep() throws -> Double {
    var step = 0.0
    try run("get_time_step") { daunce_guard_bmi_time(table.pointee.get_time_step, table, &step) }
    return step
  }

  func timeUnits() throws -> String {
    guard let function = table.pointee.get_time_units else { return "" }
    return try text("get_time_units") { daunce_guard_bmi_text(function, table, $0) }
  }

  func type(of variable: String) throws -> String {
    try text("get_var_type", variable) { daunce_guard_bmi_variable_text(table.pointee.get_var_type, table, variable, $0) }
  }

  func units(of variable: String) throws -> String {
    try text("get_var_units", variable) { daunce_guard_bmi_variable_text(table.pointee.get_var_units, table, variable, $0) }
  }

  func bytes(of variable: String) throws -> Int {
    try number("get_var_nbytes", variable, table.pointee.get_var_nbytes)
  }

  func grid(of variable: String) throws -> Int { try number("get_var_grid", variable, table.pointee.get_var_grid) }

  func type(ofGrid grid: Int) throws -> String {
    try text("get_grid_type", "grid \(grid)") {
      daunce_guard_bmi_grid_text(table.pointee.get_grid_type, table, Int32(grid), $0)
    }
  }

  func rank(ofGrid grid: Int) throws -> Int { try numbers("get_grid_rank", grid, table.pointee.get_grid_rank, 1)[0] }

  func size(ofGrid grid: Int) throws -> Int { try numbers("get_grid_size", grid, table.pointee.get_grid_size, 1)[0] }

  /// Cells along every dimension, the slowest first.
  func shape(ofGrid grid: Int, rank: Int) throws -> [Int] {
    try numbers("get_grid_shape", grid, table.pointee.get_grid_shape, rank)
  }

  /// Distances of cells along every dimension, the slowest first.
  func spacing(ofGrid grid: Int, rank: Int) throws -> [Double] {
    try coordinates("get_grid_spacing", grid, table.pointee.get_grid_spacing, rank)
  }

  /// Coordinates of the first cell, of the slowest dimension first.
  func origin(ofGrid grid: Int, rank: Int) throws -> [Double] {
    try coordinates("get_grid_origin", grid, table.pointee.get_grid_origin, rank)
  }

  /// Coordinates along an axis: 0 for x, 1 for y, 2 for z.
  func coordinates(ofGrid grid: Int, axis: Int, count: Int) throws -> [Double] {
    let functions = [table.pointee.get_grid_x, table.pointee.get_grid_y, table.pointee.get_grid_z]
    return try coordinates("get_grid_\(["x", "y", "z"][axis])", grid, functions[axis], count)
  }

  /// Whether there are coordinates along an axis.
  func hasCoordinates(axis: Int) -> Bool {
    [table.pointee.get_grid_x, table.pointee.get_grid_y, table.pointee.get_grid_z][axis] != nil
  }

  // MARK: Calls

  private typealias VariableNumber =
    @convention(c) (UnsafeMutablePointer<Bmi>?, UnsafePointer<CChar>?, UnsafeMutablePointer<Int32>?) -> Int32
  private typealias GridNumbers = @convention(c) (UnsafeMutablePointer<Bmi>?, Int32, UnsafeMutablePointer<Int32>?) -> Int32
  private typealias GridCoordinates =
    @convention(c) (UnsafeMutablePointer<Bmi>?, Int32, UnsafeMutablePointer<Double>?) -> Int32

  private func number(_ name: String, _ variable: String, _ function: VariableNumber?) throws -> Int {
    var number: Int32 = 0
    try run(name, variable) { daunce_guard_bmi_variable_number(function, table, variable, &number) }
    return Int(number)
  }

  private func numbers(_ name: String, _ grid: Int, _ function: GridNumbers?, _ count: Int) throws -> [Int] {
    try require(function != nil, name, grid)
    var numbers = [Int32](repeating: 0, count: max(1, count))
    try run(name, "grid \(grid)") { daunce_guard_bmi_grid_numbers(function, table, Int32(grid), &numbers) }
    return numbers.prefix(count).map(Int.init)
  }

  private func coordinates(_ name: String, _ grid: Int, _ function: GridCoordinates?, _ count: Int) throws -> [Double] {
    try require(function != nil, name, grid)
    var numbers = [Double](repeating: 0, count: max(1, count))
    try run(name, "grid \(grid)") { daunce_guard_bmi_grid_coordinates(function, table, Int32(grid), &numbers) }
    return Array(numbers.prefix(count))
  }

  private func require(_ isThere: Bool, _ name: String, _ grid: Int) throws {
    guard isThere else {
      throw CouplingError(library.name, found: "no \(name) in the table of functions", expected: "it, for grid \(grid)")
    }
  }

  private func text(
    _ name: String, _ doing: String = "", _ body: (UnsafeMutablePointer<CChar>) -> daunce_outcome
  ) throws -> String {
    var text = [CChar](repeating: 0, count: Int(DAUNCE_BMI_TEXT) + 1)
    try text.withUnsafeMutableBufferPointer { text in
      guard let start = text.baseAddress else { return }
      try run(name, doing) { body(start) }
    }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private func run(_ name: String, _ doing: @autoclosure () -> String = "", _ body: () -> daunce_outcome) throws {
    let code = try library.call(name, body, doing: doing())
    guard code == 0 else { throw CouplingError(library.name, "\(name) failed with code \(code) (\(doing()))") }
  }
}
