import CNetCDF
import DaunceArchive
import Foundation

/// Valid files of observations as other programs write them.
enum ObservationCorpus {
  private static let csv = """
    # two kinds
    variable,time,longitude [degrees_east],latitude,value,error_variance,quality,hx_0,hx_1
    temperature,2020-01-01T00:00:00Z,10.5,-45,288.5,0.25,0,1,2
    "wind, zonal",2020-01-01T06:30:00.5+01:00,359.25,60,,4,1,3,4

    temperature,,1e1,0,-3.5e+00,0.0625,0,5,6

    """
  private static let semicolons = "value;x;error;time\r\n1;0.5;2;7\r\n-2;0.25;0.5;8\r\n"

  private static func sequence(_ place: String, extra: String = "") -> String {
    var text = " obs_sequence\nobs_type_definitions\n 2\n 11 temperature\n 4 wind\n  num_copies: 3  num_qc: 2\n"
    text += "  num_obs: 3  max_num_obs: 8\nprior ensemble member 1\nobservation\nprior ensemble member 2\n"
    text += "Data QC\nDART quality control\n  first: 2  last: 1\n"
    for (i, links) in ["3 -1", "-1 3", "2 1"].enumerated() {
      text += " OBS \(i + 1)\n  1.5\n \(i == 1 ? "-888888.0" : "288.25")\n 2.5D+00\n 1.0\n \(i == 2 ? 7 : 0).0\n"
      text += " \(links) -1\nobdef\n\(place)\nkind\n \(i == 0 ? 4 : 11)\n\(extra)  \(3600 * i) 153036\n 0.25\n"
    }
    return text
  }

  static func make(in folder: URL) throws {
    let texts = [
      "table-csv": csv, "table-semicolons": semicolons,
      "table-dart-sphere": sequence("loc3d\n 1.5 -0.7 50000.0 2", extra: "platform\n 1 2 3\n"),
      "table-dart-circle": sequence("loc1d\n 0.375"), "table-dart-box": sequence("loc3Dxyz\n 1.0 2.0\n 3.0"),
    ]
    for (name, text) in texts {
      try Data(text.utf8).write(to: folder.appending(path: "\(name)~\(Form.text.rawValue).txt"))
    }
    try sealed(folder.appending(path: "table-points.nc").path, points)
    try sealed(folder.appending(path: "table-cf.nc").path, cf)
    try sealed(folder.appending(path: "table-ioda.nc").path, ioda)
    try sealed(folder.appending(path: "table-fields.nc").path, fields)
    for name in ["points", "cf", "ioda", "fields"] {
      let path = folder.appending(path: "table-\(name)").path
      for form in [Form.classic, .netCDF4] {
        try ForeignCopy.write("\(path).nc", to: "\(path)~\(form.rawValue).nc", form)
      }
    }
    try groups(folder.appending(path: "table-groups~\(Form.netCDF4.rawValue).nc").path)
  }

  // MARK: Variables alone, so that they can be taken apart

  private struct Part {
    var name: String
    var over: [String]
    var values: [Double]
    var notes: [String: String] = [:]
    var numbers: [String: Double] = [:]
  }

  private static let lengths = ["n": 3, "m": 2]
  private static let degrees = (north: ["units": "degrees_north"], east: ["units": "degrees_east"])

  private static let points = [
    Part(name: "value", over: ["n"], values: [1, .nan, 3]),
    Part(name: "error_variance", over: ["n"], values: [0.5, 1, 2]),
    Part(
      name: "variable", over: ["n"], values: [7, 7, 7], notes: ["flag_meanings": "only"], numbers: ["flag_values": 7]),
    Part(name: "time", over: ["n"], values: [0, 1, 2], notes: ["units": "hours since 2020-01-01"]),
    Part(name: "quality", over: ["n"], values: [0, 0, 1]), Part(name: "x", over: ["n"], values: [0, 0.5, 1]),
    Part(name: "hx", over: ["m", "n"], values: [1, 2, 3, 4, 5, 6]),
  ]
  private static let cf = [
    Part(
      name: "t", over: ["n"], values: [1, 2, 3],
      notes: ["coordinates": "time lat lon z", "ancillary_variables": "e", "global:featureType": "point"]),
    Part(name: "e", over: ["n"], values: [1, 2, 3], notes: ["standard_name": "t standard_error"]),
    Part(name: "u", over: ["n"], values: [1, 2, 3], notes: ["coordinates": "lat lon"], numbers: ["error_sd": 2]),
    Part(name: "lat", over: ["n"], values: [1, 2, 3], notes: degrees.north),
    Part(name: "lon", over: ["n"], values: [1, 2, 3], notes: degrees.east),
    Part(name: "time", over: ["n"], values: [1, 2, 3], notes: ["units": "days since 2020-01-01"]),
    Part(name: "z", over: [], values: [2], notes: ["standard_name": "height", "units": "m"]),
  ]
  private static let ioda = [
    Part(name: "t@ObsValue", over: ["n"], values: [1, 2, 3], notes: ["global:_ioda_layout": "ObsGroup"]),
    Part(name: "t@ObsError", over: ["n"], values: [1, 2, 3]), Part(name: "t@PreQC", over: ["n"], values: [0, 3, 4]),
    Part(name: "b@ObsValue", over: ["n", "m"], values: [1, 2, 3, 4, 5, 6]),
    Part(name: "m", over: ["m"], values: [4, 9]),
    Part(name: "latitude@MetaData", over: ["n"], values: [1, 2, 3]),
    Part(name: "longitude@MetaData", over: ["n"], values: [1, 2, 3]),
    Part(
      name: "dateTime@MetaData", over: ["n"], values: [1, 2, 3], notes: ["units": "seconds since 1970-01-01T00:00:00Z"]),
  ]
  private static let fields = [
    Part(
      name: "a", over: ["m", "n"], values: [1, 2, 3, 4, 5, 6], notes: ["coordinates": "z"],
      numbers: ["error_variance": 1]),
    Part(name: "b", over: ["n"], values: [1, 2, 3]), Part(name: "b_error_variance", over: ["n"], values: [1, 2, 3]),
    Part(name: "n", over: ["n"], values: [0, 1, 2]), Part(name: "m", over: ["m"], values: [0, 1]),
    Part(name: "z", over: ["m", "n"], values: [1, 2, 3, 4, 5, 6], notes: ["units": "m"]),
  ]

  private static func sealed(_ path: String, _ parts: [Part]) throws {
    let provenance = Provenance(title: "", version: "1", commit: "", history: "fuzzing", seed: 1, configuration: "")
    let writer = try DatasetWriter(path: path, provenance: provenance)
    var dimensions: [String: DatasetWriter.Dimension] = [:]
    for (name, length) in lengths.sorted(by: { $0.key < $1.key }) {
      dimensions[name] = try writer.dimension(name, length: length)
    }
    for part in parts {
      var notes: [Attribute] = []
      for (name, text) in part.notes.sorted(by: { $0.key < $1.key }) {
        if name.hasPrefix("global:") {
          try writer.set(Attribute(String(name.dropFirst(7)), text))
        } else {
          notes.append(Attribute(name, text))
        }
      }
      notes += part.numbers.sorted { $0.key < $1.key }.map { Attribute($0.key, $0.value) }
      let variable = try writer.variable(
        part.name, of: Double.self, over: part.over.compactMap { dimensions[$0] }, attributes: notes)
      try writer.write(part.values, to: variable)
    }
    _ = try writer.finish()
  }

  // MARK: Groups

  private struct Refused: Error { let status: Int32 }

  private static func check(_ status: Int32) throws {
    if status != NC_NOERR { throw Refused(status: status) }
  }

  /// IODA with real groups, a variable of strings and one of shorts.
  private static func groups(_ path: String) throws {
    var id: Int32 = -1
    try check(nc_create(path, NC_CLOBBER | NC_NETCDF4, &id))
    try check(nc_put_att_text(id, NC_GLOBAL, "_ioda_layout", 8, "ObsGroup"))
    var (location, channel): (Int32, Int32) = (-1, -1)
    try check(nc_def_dim(id, "Location", 3, &location))
    try check(nc_def_dim(id, "Channel", 2, &channel))
    func group(_ name: String) throws -> Int32 {
      var group: Int32 = -1
      try check(nc_def_grp(id, name, &group))
      return group
    }
    func put(_ owner: Int32, _ name: String, _ type: Int32, _ over: [Int32], _ values: [Double]) throws {
      var variable: Int32 = -1
      try check(nc_def_var(owner, name, type, Int32(over.count), over, &variable))
      try check(nc_put_var_double(owner, variable, values))
    }
    try put(id, "Channel", NC_INT, [channel], [4, 7])
    let meta = try group("MetaData")
    for name in ["latitude", "longitude", "height"] { try put(meta, name, NC_FLOAT, [location], [1, 2, 3]) }
    try put(meta, "dateTime", NC_INT64, [location], [1, 2, 3])
    var station: Int32 = -1
    try check(nc_def_var(meta, "stationIdentification", NC_STRING, 1, [location], &station))
    for k in 0..<3 {
      try "S\(k)".withCString { text in
        var pointer: UnsafePointer<CChar>? = text
        try check(nc_put_var1_string(meta, station, [k], &pointer))
      }
    }
    for (name, type) in [("ObsValue", NC_FLOAT), ("ObsError", NC_FLOAT), ("PreQC", NC_SHORT)] {
      let owner = try group(name)
      try put(owner, "airTemperature", type, [location], [1, 2, 3])
      try put(owner, "radiance", type, [location, channel], [1, 2, 3, 4, 5, 6])
    }
    try check(nc_close(id))
  }
}
