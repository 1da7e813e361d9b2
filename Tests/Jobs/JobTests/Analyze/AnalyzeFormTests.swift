import Foundation
import TestSupport
import Testing

extension JobTests {
  /// The same problem put in other words has the same answer.
  @Suite struct AnalyzeFormTests {
    static let plane = Plane(cells: [6, 7], members: 5)
    static let sightings = [
      Sighting(y: 1.5, x: 2.25, value: 281), Sighting(y: 4, x: 6, value: 279), Sighting(y: 3, x: 0.5, value: 280.5),
    ]

    private func place(_ name: String) throws -> AnalyzePlace {
      let place = try AnalyzePlace(try workshop(), "form-\(name)")
      try place.writeEnsemble(Self.plane)
      try place.writeNetCDF(Self.sightings)
      return place
    }

    /// Several files of observations, of several forms, are one list.
    @Test func severalFilesAreOneList() throws {
      let place = try place("several")
      let settings = ["--set", "filter.half_width=2", "--method", "eakf"]
      let whole = try place.analyzed(2, settings)
      try place.writeCSV([Self.sightings[0]], to: "first.csv")
      try place.writeNetCDF(Array(Self.sightings[1...]), to: "second.nc")
      let parts = try place.analyzed(
        2, settings + ["--observations", "first.csv", "second.nc", "--output", "parts"])
      #expect(try place.bytes("parts/ensemble.nc") == place.bytes("out/ensemble.nc"))
      #expect(parts.stdout == whole.stdout)
    }

    /// An observation is where it is on a ring, by whichever number; elsewhere it is outside.
    @Test func placesOnARing() throws {
      let place = try place("ring")
      let ring = ["--set", "filter.half_width=2", "--set", "state.periodic=[x]"]
      _ = try place.analyzed(2, ring)
      try place.writeNetCDF(Self.sightings.map { Sighting(y: $0.y, x: $0.x - 7, value: $0.value) }, to: "turned.nc")
      _ = try place.analyzed(2, ring + ["--observations", "turned.nc", "--output", "turned"])
      let (a, b) = (try place.stored("out/ensemble.nc", "t"), try place.stored("turned/ensemble.nc", "t"))
      #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-10 * abs($0) })
      let flat = try place.analyzed(
        1, ["--set", "filter.half_width=2", "--observations", "turned.nc", "--output", "flat"])
      #expect(flat.stdout.contains("observations of t: 3 outside"), "\(flat.stdout)")
      #expect(try place.bytes("flat/ensemble.nc") == place.bytes("ensemble.nc"))
    }

    /// One width for each direction, in the order of the axes that `--check` tells: x before y.
    @Test func widthsOfDirections() throws {
      let place = try place("widths")
      try place.writeNetCDF([Sighting(y: 3, x: 2, value: 281)])
      for (widths, isReached) in [
        ("[0.4, 100]", { (y: Int, x: Int) in x == 2 }), ("[100, 0.4]", { (y: Int, x: Int) in y == 3 }),
      ] {
        _ = try place.analyzed(2, ["--set", "filter.half_width=\(widths)"])
        let after = try place.stored("out/ensemble.nc", "t"), before = Self.plane.ensemble[0]
        for i in before.indices {
          #expect((after[i] != before[i]) == isReached(i / 7, i % 7), "\(widths): cell \(i / 7), \(i % 7)")
        }
      }
    }

    /// Files of members that nothing is learnt about keep all their bytes.
    @Test func membersFilesWithoutObservations() throws {
      let place = try place("files")
      for m in 0..<5 { try place.writeEnsemble(Self.plane, to: "in/m\(m).nc", members: m..<m + 1) }
      try place.writeNetCDF([Sighting(y: -3, x: 2, value: 281)])
      _ = try place.analyzed(3, ["--ensemble", "in/m*.nc"])
      let after = try place.contents("out").filter { $0.key.hasPrefix("m") }
      #expect(differences(after, try place.contents("in")) == [])
    }

    /// Nothing is said that nobody asked for, and the program is a job of one rank by itself.
    @Test func quietAndAlone() throws {
      let place = try place("quiet")
      let loud = try place.analyzed(2, ["--set", "filter.half_width=2"])
      #expect(loud.stdout.contains("letkf: 5 members, t, 42 values"))
      let files = try place.contents("out")
      let quiet = try TestSupport.run(
        executable: "daunce-mpi",
        arguments: AnalyzePlace.arguments(["--set", "filter.half_width=2", "--quiet", "--output", "quiet"]),
        in: place.folder, environment: ["PATH": "/nowhere"])
      #expect(quiet.status == 0 && quiet.stdout.isEmpty && quiet.stderr.isEmpty, "\(quiet.stdout)\(quiet.stderr)")
      #expect(try place.bytes("quiet/ensemble.nc") == files["ensemble.nc"])
    }

    /// Inflation and relaxation by hand, where one observation reaches everything undamped.
    @Test func inflationAndRelaxation() throws {
      let place = try AnalyzePlace(try workshop(), "form-spread")
      let a = [1.0, 2.5, 0.25, 3.0, 1.75]
      try place.writeScalars([("a", a)])
      try place.write("value,error_variance\n3.5,0.75\n", to: "obs.csv")
      let mean = a.reduce(0, +) / 5
      let variance = a.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4
      for method in ["letkf", "eakf"] {
        for (setting, inflation, relaxation) in [
          ("inflation=1.2", 1.2, 0.0), ("rtps=0.4", 1, 0.4), ("rtpp=0.4", 1, 0.4),
        ] {
          _ = try place.analyzed(1, ["--method", method, "--observations", "obs.csv", "--set", "filter.\(setting)"])
          let after = try place.stored("out/ensemble.nc", "a")
          let forecast = variance * inflation * inflation
          let gain = forecast / (forecast + 0.75)
          // One scalar: both relaxations are the same weight between the two spreads.
          let factor = (1 - relaxation) * (1 - gain).squareRoot() * inflation + relaxation
          for m in a.indices {
            let expected = mean + gain * (3.5 - mean) + factor * (a[m] - mean)
            #expect(abs(after[m] - expected) < 1e-12, "\(method), \(setting), member \(m)")
          }
        }
      }
    }
  }
}
