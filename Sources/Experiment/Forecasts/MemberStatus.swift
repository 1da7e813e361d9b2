/// What became of a member's forecast, as analysis files have it.
package enum MemberStatus: Double, CaseIterable {
  /// It was made.
  case made = 0
  /// It was made when it was tried again.
  case retried = 1
  /// It failed, and another member has taken its place, perturbed.
  case replaced = 2
  /// It failed, now or earlier, and the others go on without it.
  case givenUp = 3
}

/// How often it happened to members, over cycles.
struct MemberEvents: Codable {
  var retried = 0
  var replaced = 0
  var givenUp = 0

  /// Nothing happened.
  var isEmpty: Bool { retried + replaced + givenUp == 0 }

  /// Counts a cycle; members that were given up before are counted no more.
  mutating func add(_ status: [MemberStatus], before: [MemberStatus]) {
    for (now, earlier) in zip(status, before) {
      switch now {
      case .made: break
      case .retried: retried += 1
      case .replaced: replaced += 1
      case .givenUp: if earlier != .givenUp { givenUp += 1 }
      }
    }
  }
}
