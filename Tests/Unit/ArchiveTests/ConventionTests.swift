import DaunceArchive
import Testing

/// What other programs see.
@Suite struct ConventionTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  @Test(.enabled(if: isInstalled("ncdump"), "ncdump is not installed"))
  func ncdumpShowsTheConventions() throws {
    let path = folder.path("e.nc")
    let ensemble = EnsembleFile(time: 20.5, cycle: 3, memberCount: 3, members: numbers(48))
    try ensemble.write(to: path, layout: layout, provenance: provenance)
    let header = try output(of: "ncdump", ["-h", path])
    for line in [
      "netcdf e {", "member = 3 ;", "x = 8 ;", "int member(member) ;", "member:standard_name = \"realization\" ;",
      "member:units = \"1\" ;", "double x(x) ;", "x:axis = \"X\" ;", "double K(member, x) ;",
      "double a(member, x) ;", "a:_FillValue = NaN ;", "a:long_name = \"convective activity\" ;",
      ":Conventions = \"CF-1.10\" ;", ":title = \"a test\" ;", ":source = \"daunce-mpi 1.0 (commit abc123)\" ;",
      ":history = \"daunce-mpi run --seed 7\" ;", ":seed = 18446744073709551615ULL ;",
      ":configuration = \"members: 10\\n",
      "double time ;", "K:coordinates = \"time\" ;", ":cycle = 3LL ;",
    ] {
      #expect(header.contains(line), "\(line)")
    }
    // A coordinate variable may not have missing values.
    for name in ["x", "member", "time"] { #expect(!header.contains("\(name):_FillValue")) }
    // The data are where ncdump looks for them, behind the seal or not.
    let values = try output(of: "ncdump", ["-v", "a", path])
    #expect(values.contains("a =") && values.contains("1.39285714285714"))
  }

  @Test(.enabled(if: isInstalled("ncdump"), "ncdump is not installed"))
  func ncdumpShowsAnalyses() throws {
    let path = folder.path("a.nc")
    let contents = AnalysisContents(
      layout: layout, diagnostics: ["MJO"], memberCount: 3, cycles: 2, truthSeeds: [1, 2])
    try AnalysisWriter(path: path, contents: contents, provenance: provenance).finish()
    let header = try output(of: "ncdump", ["-h", path])
    for line in [
      "int64 seeds(truth) ;", "double time(time) ;", "time:axis = \"T\" ;", "double K_mean(truth, time, x) ;",
      "double MJO_spread(truth, time, x) ;", "double energy(truth, time, member) ;", "double min_a(truth, time) ;",
    ] {
      #expect(header.contains(line), "\(line)")
    }
  }
}
