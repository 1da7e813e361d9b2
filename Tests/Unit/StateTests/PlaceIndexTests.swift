import DaunceState
import Testing

@Suite struct PlaceIndexTests {
  /// Every place within the reach is among the candidates, in ascending order; those from a number on are found alone.
  private func check(_ metric: Metric, _ places: [Place], reach: Double) {
    let index = PlaceIndex(places, metric: metric, reach: reach)
    var found: [Int32] = []
    var later: [Int32] = []
    for (k, place) in places.enumerated() {
      let at = metric.embed(place)
      index.candidates(low: at, high: at, into: &found)
      #expect(found == found.sorted() && Set(found).count == found.count)
      let near = places.indices.filter { metric.squaredDistance(at, metric.embed(places[$0])) <= reach * reach }
      #expect(Set(near).isSubset(of: Set(found.map { Int($0) })))
      index.unsortedCandidates(low: at, high: at, from: Int32(k), into: &later)
      #expect(later.sorted() == found.filter { $0 >= k })
    }
  }

  /// Numbers in [0, 1), the same in every run.
  private func numbers(_ count: Int) -> [Double] {
    (0..<count).map { Double(($0 &* 7919 &+ 13) % 1009) / 1009 }
  }

  @Test func periodicPlane() {
    let geometry = Geometry(axes: [Axis(name: "x", period: 10), Axis(name: "y", period: 7)])
    let u = numbers(400)
    let places: [Place] = (0..<200).map { Place([u[$0] * 10, u[399 - $0] * 7]) }
    check(Metric(geometry, widths: [0.4, 0.3]), places, reach: 2)
    check(Metric(geometry, widths: [9, 9]), places, reach: 2)
  }

  @Test func sphereWithHeight() {
    let geometry = Geometry(
      axes: [Axis(name: "longitude", period: 360), Axis(name: "latitude"), Axis(name: "height")],
      sphereRadius: Geometry.earthRadius)
    let u = numbers(600)
    var places: [Place] = []
    for k in 0..<200 {
      let longitude: Double = u[k] * 360
      let latitude: Double = u[k + 200] * 180 - 90
      places.append(Place([longitude, latitude, u[k + 400] * 1000]))
    }
    check(Metric(geometry, widths: [700, 200]), places, reach: 2)
  }

  @Test func placesNowhere() {
    let geometry = Geometry(axes: [Axis(name: "x"), Axis(name: "z")])
    var places: [Place] = []
    for k in 0..<50 {
      let x: Double = k % 7 == 0 ? .nan : Double(k)
      places.append(Place([x, Double(k % 5)]))
    }
    check(Metric(geometry, widths: [2, 1]), places, reach: 2)
  }

  @Test func greatCircles() {
    let sphere = Geometry(
      axes: [Axis(name: "longitude", period: 360), Axis(name: "latitude")], sphereRadius: Geometry.earthRadius)
    let metric = Metric(sphere, widths: [1])
    func distance(_ a: [Double], _ b: [Double]) -> Double {
      metric.squaredDistance(metric.embed(Place(a)), metric.embed(Place(b))).squareRoot()
    }
    // A quarter of the circumference from the pole to the equator, over the date line, and over the pole.
    #expect(abs(distance([17, 90], [200, 0]) - Geometry.earthRadius * .pi / 2) < 1e-6)
    #expect(abs(distance([179, 0], [-179, 0]) - Geometry.earthRadius * .pi / 90) < 1e-6)
    #expect(abs(distance([0, 89], [180, 89]) - Geometry.earthRadius * .pi / 90) < 1e-6)
    #expect(distance([360, 10], [0, 10]) < 1e-9)
  }
}
