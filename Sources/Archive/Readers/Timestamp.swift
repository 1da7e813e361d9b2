/// Dates and times of day in the proleptic Gregorian calendar, as ISO 8601 has them.
enum Timestamp {
  /// Unit of what `seconds` gives.
  static let units = "seconds since 1970-01-01T00:00:00Z"

  /// Seconds since 1970 of `2020-01-31`, `2020-01-31T12:00`, `2020-01-31 12:00:00.5Z` or `...+01:00`; without a zone it
  /// is UTC. `nil` for anything else, a day or hour that does not exist included.
  static func seconds(_ text: ByteText, _ range: Range<Int>) -> Double? {
    var i = range.lowerBound
    let end = range.upperBound
    func digits(_ count: Int) -> Int? {
      guard end - i >= count else { return nil }
      var value = 0
      for _ in 0..<count {
        guard text[i] >= 0x30, text[i] <= 0x39 else { return nil }
        value = value * 10 + Int(text[i] - 0x30)
        i += 1
      }
      return value
    }
    func take(_ byte: Character) -> Bool {
      guard i < end, text[i] == byte.asciiValue else { return false }
      i += 1
      return true
    }
    guard let year = digits(4), take("-"), let month = digits(2), take("-"), let day = digits(2) else { return nil }
    guard let days = days(year: year, month: month, day: day) else { return nil }
    var seconds = Double(days) * 86400
    guard i < end else { return seconds }
    guard take("T") || take(" ") || take("t"), let hour = digits(2), take(":"), let minute = digits(2) else {
      return nil
    }
    guard hour <= 23 || hour == 24 && minute == 0, minute <= 59 else { return nil }
    seconds += Double(hour * 3600 + minute * 60)
    if take(":") {
      let start = i
      guard let whole = digits(2), whole <= 60 else { return nil }
      if take(".") {
        guard digits(1) != nil else { return nil }
        while i < end, digits(1) != nil {}
        guard let value = text.number(start..<i) else { return nil }
        seconds += value
      } else {
        seconds += Double(whole)
      }
    }
    if i == end || take("Z") || take("z") { return i == end ? seconds : nil }
    let isWest = take("-")
    guard isWest || take("+"), let hours = digits(2), hours <= 23 else { return nil }
    _ = take(":")
    let minutes = i < end ? digits(2) : 0
    guard let minutes, minutes <= 59, i == end else { return nil }
    return seconds + Double((isWest ? 1 : -1) * (hours * 3600 + minutes * 60))
  }

  /// The same for a text of its own.
  static func seconds(_ text: String) -> Double? {
    let bytes = ByteText(copying: Array(text.utf8))
    return seconds(bytes, 0..<bytes.count)
  }

  /// Days from 1970-01-01 to a day; `nil` if there is no such day.
  static func days(year: Int, month: Int, day: Int) -> Int? {
    guard 0...9999 ~= year, 1...12 ~= month else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard 1...lengths[month - 1] ~= day else { return nil }
    // Days of the whole years since year 0, which is a leap year.
    let leaps = year == 0 ? 0 : (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 + 1
    return year * 365 + leaps + lengths[..<(month - 1)].reduce(0, +) + day - 1 - 719_528
  }
}
