import CNetCDF
import Foundation

// Writes the contents of this program's files anew through the C library alone, as other people's programs would: other
// order of variables and dimensions, single precision, fill values, no attributes beyond the needful, compression. A
// program of its own, because the C library is not for several threads and a test bundle has many.
//
//     ForeignWriter initial FROM TO VARIANT
//     ForeignWriter observations FROM TO VARIANT
//     ForeignWriter restart CELLS TO VARIANT

/// Ends the program on the library's refusal.
func check(_ status: Int32, _ doing: String) {
  guard status == NC_NOERR else {
    print("\(doing): \(String(cString: nc_strerror(status)))")
    exit(1)
  }
}

func open(_ path: String) -> Int32 {
  var file: Int32 = -1
  check(nc_open(path, NC_NOWRITE, &file), "open \(path)")
  return file
}

func create(_ path: String) -> Int32 {
  var file: Int32 = -1
  check(nc_create(path, NC_NETCDF4 | NC_CLOBBER, &file), "create \(path)")
  return file
}

func length(_ file: Int32, _ dimension: String) -> Int {
  var (id, length): (Int32, Int) = (-1, 0)
  check(nc_inq_dimid(file, dimension, &id), "dimension \(dimension)")
  check(nc_inq_dimlen(file, id, &length), "dimension \(dimension)")
  return length
}

func read(_ file: Int32, _ name: String, count: Int) -> [Double] {
  var id: Int32 = -1
  var values = [Double](repeating: 0, count: count)
  check(nc_inq_varid(file, name, &id), "variable \(name)")
  check(nc_get_var_double(file, id, &values), "variable \(name)")
  return values
}

func define(_ file: Int32, dimension: String, _ length: Int) -> Int32 {
  var id: Int32 = -1
  check(nc_def_dim(file, dimension, length, &id), "define \(dimension)")
  return id
}

func define(_ file: Int32, _ name: String, _ type: Int32, _ dimensions: [Int32]) -> Int32 {
  var id: Int32 = -1
  check(nc_def_var(file, name, type, Int32(dimensions.count), dimensions, &id), "define \(name)")
  return id
}

/// A variable of doubles with the units that `time` has in `source`: which unit the numbers have is all that others have
/// to know.
func defineTime(_ file: Int32, _ dimensions: [Int32], like source: Int32) -> Int32 {
  var original: Int32 = -1
  let id = define(file, "time", NC_DOUBLE, dimensions)
  check(nc_inq_varid(source, "time", &original), "variable time")
  check(nc_copy_att(source, original, "units", file, id), "units")
  return id
}

/// Days in the skeleton model's unit of time, for the variant `model-unit`.
let daysInUnit = 60.0

func set(_ file: Int32, _ variable: Int32, _ attribute: String, _ value: Double) {
  var value = value
  check(nc_put_att_double(file, variable, attribute, NC_DOUBLE, 1, &value), "attribute \(attribute)")
}

func write(_ file: Int32, _ variable: Int32, _ values: [Double], _ shape: [Int]) {
  let start = [Int](repeating: 0, count: shape.count)
  check(nc_put_vara_double(file, variable, start, shape, values), "write")
}

/// Values over (rows, columns) as (columns, rows).
func transposed(_ values: [Double], rows: Int, columns: Int) -> [Double] {
  (0..<rows * columns).map { values[$0 % rows * columns + $0 / rows] }
}

/// An ensemble of floats, compressed, variables in reverse, members along a growing dimension, no coordinates.
func rewriteInitial(_ from: String, _ to: String, _ variant: String) {
  let source = open(from)
  let (members, cells) = (length(source, "member"), length(source, "x"))
  let file = create(to)
  let x = define(file, dimension: "x", cells)
  let member = define(file, dimension: "member", Int(NC_UNLIMITED))
  let time = read(source, "time", count: 1)
  switch variant {
  case "timeless": break
  case "model-unit": set(file, NC_GLOBAL, "time", time[0] / daysInUnit)
  default: write(file, defineTime(file, [], like: source), time, [])
  }
  for name in ["a", "Z", "R", "K"] where !(variant == "without-Z" && name == "Z") {
    var values = read(source, name, count: members * cells)
    if variant == "nan", name == "R" { values[3 * cells + 5] = .nan }
    if variant == "negative", name == "a" { values[2 * cells + 7] = -0.25 }
    let isTransposed = variant == "transposed" && name == "K"
    let id = define(file, name, NC_FLOAT, isTransposed ? [x, member] : [member, x])
    check(nc_def_var_deflate(file, id, 1, 1, 4), "compress")
    write(
      file, id, isTransposed ? transposed(values, rows: members, columns: cells) : values,
      isTransposed ? [cells, members] : [members, cells])
  }
  check(nc_close(file), "close")
}

/// Observations of a in several forms. Missing, except where the variant is `complete`, are cells 10...19 of all times
/// and all cells of time number 2. Of `model-unit` times are in the model's unit, of others as they were.
func rewriteObservations(_ from: String, _ to: String, _ variant: String) {
  let source = open(from)
  let (stored, cells) = (length(source, "time"), length(source, "x"))
  let given = read(source, "a", count: stored * cells)
  let storedTimes = read(source, "time", count: stored)
  let places = read(source, "x", count: cells)
  let interval = storedTimes[1] - storedTimes[0]
  let times = variant == "three-times" ? 3 : variant == "five-hundred-times" ? 500 : stored
  // A longer series repeats the given one.
  var values = (0..<times * cells).map { given[$0 % (stored * cells)] }
  func isMissing(_ i: Int) -> Bool { 10..<20 ~= i % cells || i / cells == 2 }
  if variant != "complete" { for i in values.indices where isMissing(i) { values[i] = .nan } }
  if variant == "all-missing" { for i in values.indices { values[i] = .nan } }
  let file = create(to)
  defer { check(nc_close(file), "close") }
  let moments = (0..<times).map { storedTimes[0] + Double($0) * interval + (variant == "late" ? 0.4 * interval : 0) }

  if variant == "points" {
    let present = values.indices.filter { !values[$0].isNaN }
    let obs = define(file, dimension: "obs", present.count)
    for (name, column) in [
      ("error_variance", present.map { _ in 0.0063 }), ("value", present.map { values[$0] }),
      ("x", present.map { places[$0 % cells] }),
    ] {
      write(file, define(file, name, NC_DOUBLE, [obs]), column, [present.count])
    }
    write(file, defineTime(file, [obs], like: source), present.map { moments[$0 / cells] }, [present.count])
    let names = define(file, "variable", NC_STRING, [obs])
    for k in present.indices {
      "a".withCString { text in
        var pointer: UnsafePointer<CChar>? = text
        check(nc_put_var1_string(file, names, [k], &pointer), "names")
      }
    }
    return
  }

  let x = define(file, dimension: "x", variant == "narrow" ? cells / 2 : cells)
  let time = define(file, dimension: "time", Int(NC_UNLIMITED))
  let name = variant == "misnamed" ? "A" : "a"
  let isFloat = variant == "float-fill"
  let a = define(file, name, isFloat ? NC_FLOAT : NC_DOUBLE, [time, x])
  if isFloat {
    var fill: Float = -999
    check(nc_put_att_float(file, a, "_FillValue", NC_FLOAT, 1, &fill), "fill")
    values = values.map { $0.isNaN ? -999 : $0 }
  }
  let width = variant == "narrow" ? cells / 2 : cells
  switch variant {
  case "without-variance": break
  case "zero-variance": set(file, a, "error_variance", 0)
  case "three-times", "negative-variance":
    // A variance for every observation, missing where that is.
    var variances = values.map { $0.isNaN ? .nan : 0.0063 }
    if variant == "negative-variance" { variances[cells + 3] = -0.0063 }
    write(file, define(file, "a_error_variance", NC_DOUBLE, [time, x]), variances, [times, cells])
  default: set(file, a, "error_variance", 0.0063)
  }
  write(file, a, Array(values.prefix(times * width)), [times, width])
  if variant == "model-unit" {
    write(file, define(file, "time", NC_DOUBLE, [time]), moments.map { $0 / daysInUnit }, [times])
  } else {
    write(file, defineTime(file, [time], like: source), moments, [times])
  }
}

let arguments = CommandLine.arguments
guard arguments.count == 5 else {
  print("expected: ForeignWriter initial|observations|restart FROM TO VARIANT")
  exit(64)
}
switch arguments[1] {
case "initial": rewriteInitial(arguments[2], arguments[3], arguments[4])
case "restart": writeRestart(Int(arguments[2]) ?? 1, to: arguments[3], arguments[4])
default: rewriteObservations(arguments[2], arguments[3], arguments[4])
}
