import CNetCDF

/// A restart file of somebody's model on `count` cells: X with one record of time in single precision, and a depth. Variants are
/// wrong in one way: `grid` has a cell more, `name` no X, `nan` a NaN in it.
func writeRestart(_ count: Int, to path: String, _ variant: String) {
  let file = create(path)
  let cells = variant == "grid" ? count + 1 : count
  let time = define(file, dimension: "time", 1)
  let x = define(file, dimension: "x", cells)
  let state = define(file, variant == "name" ? "Y" : "X", NC_FLOAT, [time, x])
  let depth = define(file, "depth", NC_DOUBLE, [x])
  var values = [Double](repeating: 0, count: cells)
  if variant == "nan" { values[7] = .nan }
  check(nc_enddef(file), "end of definitions")
  check(nc_put_var_double(file, state, values), "X")
  check(nc_put_var_double(file, depth, (0..<cells).map(Double.init)), "depth")
  check(nc_close(file), "close")
}
