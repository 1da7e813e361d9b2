import Testing
import TestSupport

/// Every collective in real jobs of several sizes.
@Suite(.serialized) struct CollectiveTests {
  @Test(arguments: [1, 2, 3, 4]) func collectives(ranks: Int) throws {
    let job = try mpirun(ranks: ranks, executable: "MPIProbe", arguments: ["collectives"])
    #expect(job.status == 0, "\(job.stderr)")
    let sum = Double(ranks * (ranks - 1) / 2)
    #expect(
      job.lines == [
        "sum: \([Double(ranks), sum, -sum])", "max: \([ranks - 1, 1 << 62])", "min: 0.5", "min32: \(1 - ranks)",
        "allgatherv: right", "in place: right", "gatherv: right",
        "span: right", "temporary: right", "broadcast: [1.5, 2.5]",
        "text: Kelvin, Rossby, Wärme", "wrong anywhere: false", "split wrong: false",
        "traffic: 2 collectives, 80 bytes", job.lines.last ?? "",
      ])
    // An invalid root is refused by MPI itself; the error names the call and carries MPI's text.
    #expect(job.lines.last?.hasPrefix("error: MPI_Bcast: MPI_ERR_ROOT") == true)
  }

  @Test(arguments: [1, 2, 4]) func agreement(ranks: Int) throws {
    let job = try mpirun(ranks: ranks, executable: "MPIProbe", arguments: ["agreement"])
    #expect(job.status == 0, "\(job.stderr)")
    let last = ranks - 1
    let disagreement = """
      ranks disagree about the configuration: rank \(last) differs from rank 0; start all ranks from the same \
      program and files
      """
    #expect(
      job.lines == [
        "disagreement: \(ranks == 1 ? "nothing" : disagreement)", "one fails: rank \(last): no file",
        "all fail: rank 0: no file on 0", "nested: rank \(last): no file", "owners: 1", "result: 42",
      ])
  }
}
