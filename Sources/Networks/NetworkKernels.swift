import DaunceNumerics

// The loops of a network's layers over one tile, `[feature][vector]`. Four rows and two columns are worked on at a
// time, so that eight sums stay in registers and every loaded number is used more than once; each single sum runs in
// the same order as if it were alone. Each is one function, long as it is: its sums are in registers, and taken apart
// they would be stored and loaded.

/// `y = W x + b`, weights `[output][input]`, then biases.
@inline(__always)
func affine(
  weights w: UnsafePointer<Float>, inputs: Int, outputs: Int, _ x: UnsafePointer<Lanes>,
  _ y: UnsafeMutablePointer<Lanes>, vectors: Int
) {
  let b = w + inputs * outputs
  var o = 0
  while o + 4 <= outputs {
    let w0 = w + o * inputs
    let (w1, w2, w3) = (w0 + inputs, w0 + 2 * inputs, w0 + 3 * inputs)
    let y0 = y + o * vectors
    let (y1, y2, y3) = (y0 + vectors, y0 + 2 * vectors, y0 + 3 * vectors)
    var v = 0
    while v + 2 <= vectors {
      var (p0, p1) = (Lanes(repeating: b[o]), Lanes(repeating: b[o + 1]))
      var (p2, p3) = (Lanes(repeating: b[o + 2]), Lanes(repeating: b[o + 3]))
      var (q0, q1, q2, q3) = (p0, p1, p2, p3)
      for i in 0..<inputs {
        let (p, q) = (x[i * vectors + v], x[i * vectors + v + 1])
        p0 += w0[i] * p
        q0 += w0[i] * q
        p1 += w1[i] * p
        q1 += w1[i] * q
        p2 += w2[i] * p
        q2 += w2[i] * q
        p3 += w3[i] * p
        q3 += w3[i] * q
      }
      (y0[v], y1[v], y2[v], y3[v]) = (p0, p1, p2, p3)
      (y0[v + 1], y1[v + 1], y2[v + 1], y3[v + 1]) = (q0, q1, q2, q3)
      v += 2
    }
    if v < vectors {
      var (p0, p1) = (Lanes(repeating: b[o]), Lanes(repeating: b[o + 1]))
      var (p2, p3) = (Lanes(repeating: b[o + 2]), Lanes(repeating: b[o + 3]))
      for i in 0..<inputs {
        let p = x[i * vectors + v]
        p0 += w0[i] * p
        p1 += w1[i] * p
        p2 += w2[i] * p
        p3 += w3[i] * p
      }
      (y0[v], y1[v], y2[v], y3[v]) = (p0, p1, p2, p3)
    }
    o += 4
  }
  // Too few rows left: four columns side by side.
  while o < outputs {
    let row = w + o * inputs
    var v = 0
    while v + 4 <= vectors {
      var s0 = Lanes(repeating: b[o])
      var (s1, s2, s3) = (s0, s0, s0)
      for i in 0..<inputs {
        let column = x + i * vectors + v
        s0 += row[i] * column[0]
        s1 += row[i] * column[1]
        s2 += row[i] * column[2]
        s3 += row[i] * column[3]
      }
      let out = y + o * vectors + v
      (out[0], out[1], out[2], out[3]) = (s0, s1, s2, s3)
      v += 4
    }
    while v < vectors {
      var s = Lanes(repeating: b[o])
      for i in 0..<inputs { s += row[i] * x[i * vectors + v] }
      y[o * vectors + v] = s
      v += 1
    }
    o += 1
  }
}

/// `y = W x + b` for one vector with weights of its own in every lane: `[input][output]`, then biases.
@inline(__always)
func affineSideBySide(
  weights w: UnsafePointer<Lanes>, inputs: Int, outputs: Int, _ x: UnsafePointer<Lanes>,
  _ y: UnsafeMutablePointer<Lanes>
) {
  let b = w + inputs * outputs
  var o = 0
  while o + 8 <= outputs {
    var (s0, s1, s2, s3) = (b[o], b[o + 1], b[o + 2], b[o + 3])
    var (s4, s5, s6, s7) = (b[o + 4], b[o + 5], b[o + 6], b[o + 7])
    for i in 0..<inputs {
      let (row, p) = (w + i * outputs + o, x[i])
      s0 += row[0] * p
      s1 += row[1] * p
      s2 += row[2] * p
      s3 += row[3] * p
      s4 += row[4] * p
      s5 += row[5] * p
      s6 += row[6] * p
      s7 += row[7] * p
    }
    (y[o], y[o + 1], y[o + 2], y[o + 3]) = (s0, s1, s2, s3)
    (y[o + 4], y[o + 5], y[o + 6], y[o + 7]) = (s4, s5, s6, s7)
    o += 8
  }
  while o + 2 <= outputs {
    var (s0, s1) = (b[o], b[o + 1])
    for i in 0..<inputs {
      s0 += w[i * outputs + o] * x[i]
      s1 += w[i * outputs + o + 1] * x[i]
    }
    (y[o], y[o + 1]) = (s0, s1)
    o += 2
  }
  if o < outputs {
    var s = b[o]
    for i in 0..<inputs { s += w[i * outputs + o] * x[i] }
    y[o] = s
  }
}

/// `dW += dy x'`, `db += dy`, each lane's samples by themselves: `gradient` has one `Lanes` a parameter.
@inline(__always)
func accumulate(
  gradient g: UnsafeMutablePointer<Lanes>, inputs: Int, outputs: Int, _ x: UnsafePointer<Lanes>,
  _ dy: UnsafePointer<Lanes>, vectors: Int
) {
  let b = g + inputs * outputs
  for o in 0..<outputs {
    var s = b[o]
    for v in 0..<vectors { s += dy[o * vectors + v] }
    b[o] = s
  }
  var o = 0
  while o + 4 <= outputs {
    let d0 = dy + o * vectors
    let (d1, d2, d3) = (d0 + vectors, d0 + 2 * vectors, d0 + 3 * vectors)
    let g0 = g + o * inputs
    let (g1, g2, g3) = (g0 + inputs, g0 + 2 * inputs, g0 + 3 * inputs)
    var i = 0
    while i + 2 <= inputs {
      let (xp, xq) = (x + i * vectors, x + (i + 1) * vectors)
      var (p0, p1, p2, p3) = (g0[i], g1[i], g2[i], g3[i])
      var (q0, q1, q2, q3) = (g0[i + 1], g1[i + 1], g2[i + 1], g3[i + 1])
      for v in 0..<vectors {
        let (p, q) = (xp[v], xq[v])
        p0 += d0[v] * p
        q0 += d0[v] * q
        p1 += d1[v] * p
        q1 += d1[v] * q
        p2 += d2[v] * p
        q2 += d2[v] * q
        p3 += d3[v] * p
        q3 += d3[v] * q
      }
      (g0[i], g1[i], g2[i], g3[i]) = (p0, p1, p2, p3)
      (g0[i + 1], g1[i + 1], g2[i + 1], g3[i + 1]) = (q0, q1, q2, q3)
      i += 2
    }
    if i < inputs {
      let xp = x + i * vectors
      var (p0, p1, p2, p3) = (g0[i], g1[i], g2[i], g3[i])
      for v in 0..<vectors {
        p0 += d0[v] * xp[v]
        p1 += d1[v] * xp[v]
        p2 += d2[v] * xp[v]
        p3 += d3[v] * xp[v]
      }
      (g0[i], g1[i], g2[i], g3[i]) = (p0, p1, p2, p3)
    }
    o += 4
  }
  while o < outputs {
    let (row, d) = (g + o * inputs, dy + o * vectors)
    var i = 0
    while i + 4 <= inputs {
      let x0 = x + i * vectors
      let (x1, x2, x3) = (x0 + vectors, x0 + 2 * vectors, x0 + 3 * vectors)
      var (s0, s1, s2, s3) = (row[i], row[i + 1], row[i + 2], row[i + 3])
      for v in 0..<vectors {
        s0 += d[v] * x0[v]
        s1 += d[v] * x1[v]
        s2 += d[v] * x2[v]
        s3 += d[v] * x3[v]
      }
      (row[i], row[i + 1], row[i + 2], row[i + 3]) = (s0, s1, s2, s3)
      i += 4
    }
    while i < inputs {
      var s = row[i]
      for v in 0..<vectors { s += d[v] * x[i * vectors + v] }
      row[i] = s
      i += 1
    }
    o += 1
  }
}

/// `dx = (W' dy) (1 - x^2)` through the tanh that made `x`.
@inline(__always)
func propagate(
  weights w: UnsafePointer<Float>, inputs: Int, outputs: Int, _ x: UnsafePointer<Lanes>,
  _ dx: UnsafeMutablePointer<Lanes>, _ dy: UnsafePointer<Lanes>, vectors: Int
) {
  @inline(__always) func put(_ i: Int, _ v: Int, _ s: Lanes) {
    let t = x[i * vectors + v]
    dx[i * vectors + v] = s * (1 - t * t)
  }
  var i = 0
  while i + 4 <= inputs {
    var v = 0
    while v + 2 <= vectors {
      var (p0, p1, p2, p3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
      var (q0, q1, q2, q3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
      for o in 0..<outputs {
        let (p, q) = (dy[o * vectors + v], dy[o * vectors + v + 1])
        let row = w + o * inputs + i
        p0 += row[0] * p
        q0 += row[0] * q
        p1 += row[1] * p
        q1 += row[1] * q
        p2 += row[2] * p
        q2 += row[2] * q
        p3 += row[3] * p
        q3 += row[3] * q
      }
      put(i, v, p0)
      put(i + 1, v, p1)
      put(i + 2, v, p2)
      put(i + 3, v, p3)
      put(i, v + 1, q0)
      put(i + 1, v + 1, q1)
      put(i + 2, v + 1, q2)
      put(i + 3, v + 1, q3)
      v += 2
    }
    if v < vectors {
      for k in i..<i + 4 { put(k, v, column(w, inputs, outputs, dy, vectors, k, v)) }
    }
    i += 4
  }
  while i < inputs {
    for v in 0..<vectors { put(i, v, column(w, inputs, outputs, dy, vectors, i, v)) }
    i += 1
  }
}

/// One element of `W' dy`.
@inline(__always)
private func column(
  _ w: UnsafePointer<Float>, _ inputs: Int, _ outputs: Int, _ dy: UnsafePointer<Lanes>, _ vectors: Int, _ i: Int,
  _ v: Int
) -> Lanes {
  var s = Lanes.zero
  for o in 0..<outputs { s += w[o * inputs + i] * dy[o * vectors + v] }
  return s
}
