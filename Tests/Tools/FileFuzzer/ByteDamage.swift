/// What disks, networks and other people's programs do to a file's bytes, and worse.
enum ByteDamage {
  /// One to eight changes of `bytes`; `others` are files to splice with.
  static func damaged(_ bytes: [UInt8], _ others: [[UInt8]], _ chance: inout Chance) -> [UInt8] {
    var bytes = bytes
    for _ in 0...chance.below(chance.once(in: 4) ? 8 : 2) { change(&bytes, others, &chance) }
    return bytes
  }

  private static func change(_ bytes: inout [UInt8], _ others: [[UInt8]], _ chance: inout Chance) {
    guard !bytes.isEmpty else {
      bytes = [chance.byte()]
      return
    }
    let place = place(in: bytes, &chance)
    let run = place..<min(bytes.count, place + 1 + chance.below(chance.once(in: 8) ? 4096 : 32))
    switch chance.below(13) {
    case 0, 1: bytes[place] ^= 1 << UInt8(chance.below(8))
    case 2: bytes[place] = chance.byte()
    case 3, 4, 5: extremeInteger(&bytes, at: place, &chance)
    case 6:
      let value = chance.pick([0, 0xFF, 0x7F, 0x80, chance.byte()])
      for i in run { bytes[i] = value }
    case 7: for i in run { bytes[i] = chance.byte() }
    case 8: bytes.removeSubrange(chance.once(in: 2) ? place..<bytes.count : run)
    case 9: bytes.insert(contentsOf: (0..<run.count).map { _ in chance.byte() }, at: place)
    case 10: bytes.insert(contentsOf: Array(bytes[run]), at: chance.below(bytes.count))
    case 11:
      let other = chance.below(bytes.count - run.count + 1)
      let (a, b) = (Array(bytes[run]), Array(bytes[other..<other + run.count]))
      bytes.replaceSubrange(run, with: b)
      bytes.replaceSubrange(other..<other + run.count, with: a)
    default: splice(&bytes, with: chance.pick(others), at: place, &chance)
    }
  }

  /// Headers are where damage matters, and data are most of a file: half of the places are near the start, or near
  /// something that is neither 0 nor a float's noise.
  private static func place(in bytes: [UInt8], _ chance: inout Chance) -> Int {
    switch chance.below(4) {
    case 0: return chance.below(min(bytes.count, 512))
    case 1:
      for _ in 0..<16 {
        let i = chance.below(bytes.count)
        if (0x20..<0x7F).contains(bytes[i]) { return i }
      }
    case 2:
      for _ in 0..<16 {
        let i = chance.below(bytes.count)
        if (1..<32).contains(bytes[i]) { return i }
      }
    default: break
    }
    return chance.below(bytes.count)
  }

  /// A count, length or offset that is as wrong as it can be, in either byte order.
  private static func extremeInteger(_ bytes: inout [UInt8], at place: Int, _ chance: inout Chance) {
    let width = chance.pick([1, 2, 4, 8])
    let size = UInt64(bytes.count)
    let value = chance.pick(
      [
        0, 1, 2, .max, .max >> 1, .max >> 1 + 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FFFE, size, size - 1,
        size + 1,
        1 << 40, chance.bits(),
      ] as [UInt64])
    let aligned = place / width * width
    let isBig = chance.once(in: 2)
    for i in 0..<width where aligned + i < bytes.count {
      bytes[aligned + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (isBig ? width - 1 - i : i)))
    }
  }

  private static func splice(_ bytes: inout [UInt8], with other: [UInt8], at place: Int, _ chance: inout Chance) {
    guard !other.isEmpty else { return }
    if chance.once(in: 2) {
      bytes = Array(bytes[..<place]) + other[min(place, other.count)...]
    } else {
      let start = chance.below(other.count)
      let block = other[start..<min(other.count, start + 1 + chance.below(1024))]
      bytes.replaceSubrange(place..<min(bytes.count, place + block.count), with: block)
    }
  }
}
