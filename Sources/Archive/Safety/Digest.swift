/// XXH64 with seed 0 (Collet, "xxHash fast digest algorithm", specification 0.1.1), the digest that `xxh64sum` prints.
///
/// Not for keeping secrets: it tells a damaged file from a whole one, at memory speed.
public enum Digest {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  /// Digest of `bytes`.
  public static func xxh64(_ bytes: [UInt8]) -> UInt64 {
    bytes.withUnsafeBytes { xxh64($0) }
  }

  static func xxh64(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var offset = 0
    var hash: UInt64
    if bytes.count >= 32 {
      var lanes = SIMD4<UInt64>(prime1 &+ prime2, prime2, 0, 0 &- prime1)
      while offset + 32 <= bytes.count {
        for lane in 0..<4 { lanes[lane] = round(lanes[lane], word(bytes, offset + 8 * lane)) }
        offset += 32
      }
      hash =
        rotate(lanes[0], 1) &+ rotate(lanes[1], 7) &+ rotate(lanes[2], 12) &+ rotate(lanes[3], 18)
      for lane in 0..<4 { hash = (hash ^ round(0, lanes[lane])) &* prime1 &+ prime4 }
    } else {
      hash = prime5
    }
    hash &+= UInt64(bytes.count)
    while offset + 8 <= bytes.count {
      hash = rotate(hash ^ round(0, word(bytes, offset)), 27) &* prime1 &+ prime4
      offset += 8
    }
    if offset + 4 <= bytes.count {
      let half = UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
      hash = rotate(hash ^ (half &* prime1), 23) &* prime2 &+ prime3
      offset += 4
    }
    while offset < bytes.count {
      hash = rotate(hash ^ (UInt64(bytes[offset]) &* prime5), 11) &* prime1
      offset += 1
    }
    hash = (hash ^ (hash >> 33)) &* prime2
    hash = (hash ^ (hash >> 29)) &* prime3
    return hash ^ (hash >> 32)
  }

  private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
    rotate(lane &+ input &* prime2, 31) &* prime1
  }

  private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    value << bits | value >> (64 - bits)
  }
}

/// Thirty-two bytes behind a file's own data that hold its length and digest.
///
/// HDF5 ignores what lies behind the end that its superblock names, so every other program reads a sealed file as if it
/// were not there; a program that changes the file in place cuts it off. HDF5 itself can be led astray by damaged
/// metadata; a sealed file is checked before HDF5 sees it.
struct ChecksumFooter {
  static let size = 32
  private static let mark = Array("daunce seal v1: ".utf8)

  let length: Int
  let digest: UInt64

  /// The seal of `image`.
  init(of image: UnsafeRawBufferPointer) {
    length = image.count
    digest = Digest.xxh64(image)
  }

  /// The mark, the length and the digest, little-endian.
  var bytes: [UInt8] {
    var seal = Self.mark
    for word in [UInt64(length), digest] {
      for byte in 0..<8 { seal.append(UInt8(truncatingIfNeeded: word >> (8 * UInt64(byte)))) }
    }
    return seal
  }

  enum Finding: Equatable {
    case unsealed
    case whole(digest: UInt64)
    case damaged(found: String)
  }

  /// Checks the seal at the end of a whole file's bytes, if there is one.
  static func check(_ file: UnsafeRawBufferPointer) -> Finding {
    guard file.count >= size else { return .unsealed }
    let image = UnsafeRawBufferPointer(rebasing: file[..<(file.count - size)])
    let seal = UnsafeRawBufferPointer(rebasing: file[(file.count - size)...])
    guard seal.starts(with: mark) else { return .unsealed }
    let length = UInt64(littleEndian: seal.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
    let expected = UInt64(littleEndian: seal.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
    guard length == UInt64(image.count) else {
      return .damaged(found: "\(image.count) bytes of data, sealed with \(length)")
    }
    let digest = Digest.xxh64(image)
    guard digest == expected else {
      return .damaged(
        found: "contents with digest \(String(digest, radix: 16)), sealed with \(String(expected, radix: 16))")
    }
    return .whole(digest: digest)
  }
}
