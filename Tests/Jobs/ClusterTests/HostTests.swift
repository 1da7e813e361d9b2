import Foundation
import TestSupport
import Testing

/// Whether this machine lets us make two hosts of it; see Helpers/two-hosts.
private let twoHostsArePossible =
  isInstalled("ip", "unshare") && (try? run(script: "Tests/Jobs/ClusterTests/Helpers/two-hosts", timeout: 20))?.status == 0

extension ClusterTests {
  /// Jobs over two hosts that have nothing in common but files and a cable.
  @Suite(.enabled(if: twoHostsArePossible, "network namespaces need root, iproute2 and a kernel that allows them"))
  struct HostTests {
    /// A shell command on the first host. `$mpirun` starts ranks on both.
    private func onTwoHosts(_ command: String, in place: Place) throws -> JobResult {
      let helper = sourceFolder.appending(path: "Tests/Jobs/ClusterTests/Helpers/two-hosts").path
      let program = buildFolder.appending(path: "daunce-mpi").path
      let script = """
        mpirun="mpirun --hostfile $TWO_HOSTS_FILE --bind-to none"
        program=\(program)
        \(command)
        """
      return try run(command: [helper, "bash", "-c", script], in: place.folder, timeout: 60)
    }

    @Test func twoHostsWriteTheBitsOfOne() throws {
      let place = try Place()
      defer { place.remove() }
      let words = "run --output out --config small.yaml --set members=4"
      let job = try onTwoHosts("$mpirun -np 4 $program \(words)", in: place)
      try #require(job.status == 0, "\(job.stderr)")
      let hosts = try #require(job.stderr.split(separator: "\n").first { $0.contains(" on 2 hosts ") })
      #expect(hosts.hasPrefix("4 ranks on 2 hosts (node01: 2 ranks, ") && hosts.contains("; node02: 2 ranks, "))
      let far = try place.data("out")
      #expect(far.count == 11)
      let direct = try place.direct(words)
      try #require(direct.status == 0, "\(direct.stderr)")
      #expect(try place.differences("out", from: far) == [])
    }

    /// What may happen to the far host: a rank is killed, or the daemon that started it; the cable is pulled.
    enum Mishap: String, CaseIterable {
      case rank = "kill -KILL $(far daunce-mpi | head -n 1)"
      case daemon = "kill -KILL $(far orted prted)"
      case cable = "ip -n $TWO_HOSTS_FAR link set cable down"
    }

    @Test(arguments: Mishap.allCases)
    func aMishapOnTheFarHostEndsTheJob(mishap: Mishap) throws {
      let place = try Place()
      defer { place.remove() }
      // A host that falls silent is noticed by questions without an answer, which are asked seldom by default.
      let job = try onTwoHosts(
        """
        far() {
          for p in $(ip netns pids $TWO_HOSTS_FAR); do [[ " $* " != *" $(cat /proc/$p/comm) "* ]] || echo $p; done
        }
        for kind in OMPI PRTE; do
          export ${kind}_MCA_oob_tcp_keepalive_{time=2,intvl=1,probes=2}
        done
        source \(sourceFolder.appending(path: "launch/setup").path)
        start_watched $mpirun -np 4 $program run --output out --set agents.warm_start.steps=1000000
        until [[ -e out/nature.nc ]] || ! kill -0 $running; do sleep 0.1; done
        \(mishap.rawValue) || exit 99
        await_watched
        exit $status
        """, in: place)
      // 124 would be the end of the test's patience.
      switch mishap {
      case .rank:
        // As mpirun has it: 128 and the signal. With Open MPI 5 another rank may see the connection end before that, and
        // ends the job by MPI's code for it.
        let told = job.stderr.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let ended = job.status == 137 && told.contains("exited on signal 9 (Killed)")
        let sawItEnd = job.status == 14 && told.contains("An error occurred in Socket closed")
        #expect(ended || sawItEnd, "\(job.status): \(job.stderr)")
      case .daemon, .cable:
        // Ranks are killed with their daemon, which Open MPI 5 may see first.
        #expect(job.status == 205 || mishap == .daemon && job.status == 137, "\(job.stderr)")
        #expect(job.stderr.components(separatedBy: "has lost communication with a remote daemon").count == 2)
      }
    }
  }
}
