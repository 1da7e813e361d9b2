import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Initial ensembles and observing networks, as `simulate` writes them.
  @Suite struct StartTests {
    private func simulate(_ workshop: Workshop, _ name: String, ranks: Int, _ settings: String...) throws {
      let result = try workshop.job(
        ranks, ["simulate", "--cycles", "2", "--set", "truths.spinup_cycles=1", "--quiet", "--output", name]
          + settings.flatMap { ["--set", $0] })
      try #require(result.status == 0, "\(result.stderr)")
    }

    private func values(_ workshop: Workshop, _ path: String, _ variable: String) throws -> [Double] {
      try DatasetReader(path: workshop.folder.appending(path: path).path).values(variable, of: Double.self)
    }

    @Test(arguments: ["perturbed", "climatology"]) func anyNumberOfRanksMakesTheSameStart(kind: String) throws {
      let workshop = try workshop()
      let fields = try [1, 2, 3].map { ranks in
        let name = "start-\(kind)-\(ranks)"
        try simulate(workshop, name, ranks: ranks, "initial.kind=\(kind)", "members=4")
        return try ["K", "R", "Z", "a"].map { try values(workshop, "\(name)/initial.nc", $0) }
      }
      #expect(fields[0] == fields[1] && fields[0] == fields[2])
    }

    /// Members are neither the truth nor each other.
    @Test func climatologyKnowsNothingOfTheTruth() throws {
      let workshop = try workshop()
      try simulate(workshop, "climatology", ranks: 2, "initial.kind=climatology", "members=40")
      let members = try values(workshop, "climatology/initial.nc", "a")
      let truth = try values(workshop, "climatology/nature.nc", "a").prefix(64)
      let states = [Array(truth)] + (0..<40).map { Array(members[($0 * 64)..<(($0 + 1) * 64)]) }
      #expect(Set(states).count == 41)
      let means = states[0].indices.map { c in states.dropFirst().reduce(0) { $0 + $1[c] } / 40 }
      let (x, y) = (states[0], means)
      let (mx, my) = (x.reduce(0, +) / 64, y.reduce(0, +) / 64)
      let covariance = zip(x, y).reduce(0) { $0 + ($1.0 - mx) * ($1.1 - my) }
      let sizes = x.reduce(0) { $0 + ($1 - mx) * ($1 - mx) } * y.reduce(0) { $0 + ($1 - my) * ($1 - my) }
      #expect(abs(covariance / sizes.squareRoot()) < 0.5)
    }

    /// Variance around the ensemble mean by wavenumber: that of perturbations with spread 1 is that of the climate.
    @Test func perturbationsHaveTheSpectrumOfTheClimate() throws {
      let workshop = try workshop()
      try simulate(
        workshop, "spread", ranks: 2, "initial.spread=1", "members=200", "initial.climatology_runs=128")
      try simulate(workshop, "climate", ranks: 2, "initial.kind=climatology", "members=200")
      for name in ["K", "R", "Z"] {
        let (ours, climate) = (
          spectrum(try values(workshop, "spread/initial.nc", name)),
          spectrum(try values(workshop, "climate/initial.nc", name))
        )
        for band in [1...3, 4...8, 9...16, 17...31] {
          let ratio = band.reduce(0) { $0 + ours[$1] } / band.reduce(0) { $0 + climate[$1] }
          #expect(abs(ratio - 1) < 0.35, "\(name), wavenumbers \(band): \(ratio)")
        }
      }
    }

    private func spectrum(_ members: [Double]) -> [Double] {
      let count = members.count / 64
      let means = (0..<64).map { c in (0..<count).reduce(0) { $0 + members[$1 * 64 + c] } / Double(count) }
      return (0...31).map { k in
        (0..<count).reduce(0) { sum, m in
          var (p, q) = (0.0, 0.0)
          for c in 0..<64 {
            let phase = 2 * Double.pi * Double(k * c) / 64
            p += (members[m * 64 + c] - means[c]) * cos(phase)
            q += (members[m * 64 + c] - means[c]) * sin(phase)
          }
          return sum + p * p + q * q
        }
      }
    }

    @Test func networksObserveWhereAndHowWellTheySay() throws {
      let workshop = try workshop()
      try workshop.write(
        """
        methods: [free]
        truths: {cycles: 400}
        observations:
          networks:
            - {field: a, random: 5, law: lognormal, sd: 0.0794}
            - {field: K, every: 8, interval: 40, sd: 0.005}
            - {field: R, cells: [3, 60], law: laplace, sd: 0.01}
            - {field: R, cells: [5], sd: 0.001}
            - {field: Z, footprint: 3, every: 8, sd: 0.002}
        """, to: "networks.yaml")
      let result = try workshop.daunce(2, "simulate", "--config", "networks.yaml", "--output", "networks", "--quiet")
      try #require(result.status == 0, "\(result.stderr)")
      func errors(_ name: String) throws -> [[Double]] {
        let seen = try values(workshop, "networks/observations.nc", name)
        let truth = try values(workshop, "networks/nature.nc", name).dropFirst(64)
        return zip(seen, truth).map { $0 - $1 }.chunked(64)
      }
      func deviation(_ errors: [Double]) -> Double { (errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot() }
      let a = try errors("a")
      #expect(a.allSatisfy { $0.count(where: { !$0.isNaN }) == 5 } && Set(a.map { $0.map(\.isNaN) }).count == 1)
      #expect(abs(deviation(a.joined().filter { !$0.isNaN }) / 0.0794 - 1) < 0.3)
      let k = try errors("K")
      for (t, row) in k.enumerated() {
        #expect(row.indices.filter { !row[$0].isNaN } == (t % 2 == 1 ? Array(stride(from: 0, to: 64, by: 8)) : []))
      }
      #expect(abs(deviation(k.joined().filter { !$0.isNaN }) / 0.005 - 1) < 0.1)
      let r = try errors("R")
      #expect(r.allSatisfy { row in row.indices.filter { !row[$0].isNaN } == [3, 5, 60] })
      let wide = r.flatMap { [$0[3], $0[60]] }
      #expect(abs(deviation(wide) / 0.01 - 1) < 0.15 && abs(deviation(r.map { $0[5] }) / 0.001 - 1) < 0.15)
      // Mean absolute error over sd: 0.71 for Laplace's law, 0.80 for the normal one.
      #expect(abs(wide.reduce(0) { $0 + abs($1) } / 800 / 0.01 - 0.707) < 0.06)
      let z = try values(workshop, "networks/nature.nc", "Z").dropFirst(64)
      let means = z.indices.map { i -> Double in
        let row = (i - z.startIndex) / 64 * 64 + z.startIndex
        return (z[i] + z[row + (i - row + 1) % 64] + z[row + (i - row + 63) % 64]) / 3
      }
      let found = zip(try values(workshop, "networks/observations.nc", "mean_3_Z"), means).map { $0 - $1 }
      #expect(found.indices.allSatisfy { found[$0].isNaN == ($0 % 8 != 0) })
      #expect(abs(deviation(found.filter { !$0.isNaN }) / 0.002 - 1) < 0.1)
      // What was written can be assimilated.
      let use = try workshop.daunce(
        2, "assimilate", "--config", "networks.yaml", "--method", "constrained-eakf", "--initial", "networks/initial.nc",
        "--observations", "networks/observations.nc", "--output", "networks", "--quiet")
      #expect(use.status == 0, "\(use.stderr)")
    }
  }
}

extension [Double] {
  fileprivate func chunked(_ size: Int) -> [[Double]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }
}
