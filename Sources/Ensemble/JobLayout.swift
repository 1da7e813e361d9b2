public import DaunceMPI

/// How the ranks of a job lie on hosts and cores, and the members on ranks.
public struct JobLayout: Sendable, Hashable, CustomStringConvertible {
  /// One machine, or several alike in a row.
  public struct Host: Sendable, Hashable {
    /// Of the host.
    public var name: String
    /// Ranks on it.
    public var ranks: Int
    /// Cores that these ranks share.
    public var cores: Int

    /// A host with its ranks, and the cores that they may use.
    public init(name: String, ranks: Int, cores: Int) {
      (self.name, self.ranks, self.cores) = (name, ranks, cores)
    }
  }

  /// In the order of their first ranks.
  public let hosts: [Host]
  /// Number of members.
  public let members: Int
  /// Whether ranks that wait give their core away.
  public let yields: Bool

  /// A job of so many members on these hosts; `yields` says whether waiting ranks leave their core to others.
  public init(hosts: [Host], members: Int, yields: Bool) {
    (self.hosts, self.members, self.yields) = (hosts, members, yields)
  }

  /// Asks all ranks. Collective; every rank gets the same answer, but for `yields`, which is its own machine's.
  public init(_ environment: Environment, members: Int) throws(MPIError) {
    let world = environment.world
    let ones = [Int](repeating: 1, count: world.size)
    var first = [Int64](repeating: 0, count: world.size)
    var cores = first
    try world.allgatherv([Int64(environment.firstLocalRank)], into: &first, counts: ones)
    try world.allgatherv([Int64(Environment.usableCores)], into: &cores, counts: ones)
    // One name a machine.
    let name = environment.localRank == 0 ? Array(environment.hostname.utf8) : []
    var lengths = first
    try world.allgatherv([Int64(name.count)], into: &lengths, counts: ones)
    let counts = lengths.map { Int($0) }
    var names = [UInt8](repeating: 0, count: counts.reduce(0, +))
    try world.allgatherv(name, into: &names, counts: counts)

    var hosts: [Host] = []
    var (number, start) = ([Int64: Int](), 0)
    for rank in 0..<world.size {
      if let host = number[first[rank]] {
        hosts[host].ranks += 1
      } else {
        let text = String(decoding: names[start..<start + counts[rank]], as: UTF8.self)
        number[first[rank]] = hosts.count
        hosts.append(Host(name: text, ranks: 1, cores: Int(cores[rank])))
        start += counts[rank]
      }
    }
    self.init(hosts: hosts, members: members, yields: Environment.yieldsWhenIdle)
  }

  /// Number of ranks on all hosts.
  public var ranks: Int { hosts.reduce(0) { $0 + $1.ranks } }

  /// One line, such as `10 ranks on 2 hosts (node01: 5 ranks, 32 cores; node02: 5 ranks, 32 cores), 1 member each`.
  public var description: String {
    var text = "\(Self.count(ranks, "rank")) on "
    if hosts.count == 1 {
      text += "\(hosts[0].name) (\(Self.count(hosts[0].cores, "core")))"
    } else {
      text += "\(hosts.count) hosts (\(groups))"
    }
    text += ", \(share)"
    if hosts.contains(where: { $0.ranks > $0.cores }) {
      text += yields ? "; ranks share cores: waiting ranks yield" : "; ranks share cores and spin while they wait"
    }
    return text
  }

  /// Members of a rank.
  private var share: String {
    guard ranks > 0 else { return Self.count(members, "member") }
    let (least, extra) = members.quotientAndRemainder(dividingBy: ranks)
    if extra > 0 { return "\(least) or \(least + 1) members each" }
    return Self.count(least, "member") + (ranks > 1 ? " each" : "")
  }

  /// Hosts that are alike and follow each other share an entry, and no more than four entries are shown.
  private var groups: String {
    var groups: [(first: Host, last: Host, count: Int)] = []
    for host in hosts {
      if let group = groups.last, group.first.ranks == host.ranks, group.first.cores == host.cores {
        groups[groups.count - 1] = (group.first, host, group.count + 1)
      } else {
        groups.append((host, host, 1))
      }
    }
    // Two that are alike need no summary.
    if hosts.count == 2 { groups = hosts.map { ($0, $0, 1) } }
    var parts = groups.prefix(4).map { group in
      let names = group.count == 1 ? group.first.name : "\(group.first.name) to \(group.last.name)"
      let what = "\(Self.count(group.first.ranks, "rank")), \(Self.count(group.first.cores, "core"))"
      return "\(names): \(what)" + (group.count == 1 ? "" : " each")
    }
    let rest = groups.dropFirst(4).reduce(0) { $0 + $1.count }
    if rest > 0 { parts.append("and \(rest) more") }
    return parts.joined(separator: "; ")
  }

  private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
