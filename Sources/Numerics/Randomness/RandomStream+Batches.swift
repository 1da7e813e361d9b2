extension RandomStream {
  /// Fills `output` with the numbers that `uniformPair` addresses: elements `2 i` and `2 i + 1` are the pair at
  /// `first + i`, to the last bit. Four blocks at a time; allocates nothing.
  public func uniforms(into output: inout MutableSpan<Double>, at first: Int = 0) {
    let count = output.count
    output.withUnsafeMutableBufferPointer { buffer in
      guard let target = buffer.baseAddress else { return }
      var done = 0
      while done < count {
        let (w0, w1, w2, w3) = fourBlocks(at: first &+ (done >> 1))
        let eight = interleave(unitInterval(w0, w1), unitInterval(w2, w3))
        if done &+ 8 <= count {
          UnsafeMutableRawPointer(target + done).storeBytes(of: eight, as: SIMD8<Double>.self)
        } else {
          for i in done..<count { target[i] = eight[i - done] }
        }
        done &+= 8
      }
    }
  }

  /// The words of the blocks at `index` to `index + 3`: lane `k` of the tuple's parts, in the low halves, is
  /// `words(at: index + k)`.
  public func fourWords(at index: Int) -> (SIMD4<UInt64>, SIMD4<UInt64>, SIMD4<UInt64>, SIMD4<UInt64>) {
    fourBlocks(at: index)
  }

  /// Ten rounds of Philox4x32 on four consecutive counters; every word sits in the low half of a 64-bit lane.
  ///
  /// A function of its own: together with what is done with the words, the compiler shuffles lanes between the rounds, at
  /// twice the time.
  @inline(never)
  func fourBlocks(at index: Int) -> (Bits, Bits, Bits, Bits) {
    let low = Bits(repeating: 0xFFFF_FFFF)
    let start = UInt64(UInt32(truncatingIfNeeded: index))
    var c0 = (Bits(repeating: start) &+ Bits(0, 1, 2, 3)) & low
    var c1 = Bits(repeating: UInt64(cycle))
    var c2 = Bits(repeating: UInt64(member))
    var c3 = Bits(repeating: UInt64(purpose))
    var (k0, k1) = (key.x, key.y)
    for _ in 0..<10 {
      let p0 = (c0 & low) &* Bits(repeating: 0xD251_1F53)
      let p1 = (c2 & low) &* Bits(repeating: 0xCD9E_8D57)
      (c0, c1, c2, c3) = (
        (p1 &>> 32) ^ c1 ^ Bits(repeating: UInt64(k0)), p1 & low,
        (p0 &>> 32) ^ c3 ^ Bits(repeating: UInt64(k1)), p0 & low
      )
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (c0, c1, c2, c3)
  }
}

@inline(__always)
func interleave(_ even: Lanes, _ odd: Lanes) -> SIMD8<Double> {
  SIMD8(even.x, odd.x, even.y, odd.y, even.z, odd.z, even.w, odd.w)
}

/// The same uniform numbers as `RandomStream.unit`, exactly: 52 bits become the fraction of a number in [1, 2).
@inline(__always)
func unitInterval(_ high: Bits, _ low: Bits) -> Lanes {
  let fraction = ((high &<< 32) | low) &>> 12
  return double(fraction | Bits(repeating: 0x3FF0_0000_0000_0000)) - 1 + 0x1p-53
}
