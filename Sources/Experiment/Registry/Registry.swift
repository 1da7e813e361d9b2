public import DaunceSettings
import Synchronization

/// Something that configurations know by name.
public protocol RegistryEntry: Sendable {
  /// The word in a configuration file and on the command line.
  var name: String { get }
}

/// What configurations know by name, in the order in which it was registered: the program's own entries, and those that
/// a program built on this library adds before it reads a configuration.
public final class Registry<Entry: RegistryEntry>: Sendable {
  private let known: Mutex<[Entry]>

  /// - Parameter entries: of different names.
  public init(_ entries: [Entry]) {
    known = Mutex(entries)
  }

  /// All entries, in their order.
  public var entries: [Entry] { known.withLock { $0 } }

  /// Their names.
  public var names: [String] { entries.map(\.name) }

  /// The entry of a name, `nil` where nothing is registered under it.
  public subscript(name: String) -> Entry? { entries.first { $0.name == name } }

  /// Adds an entry; one of the same name that was there before is replaced.
  public func register(_ entry: Entry) {
    known.withLock { entries in
      if let place = entries.firstIndex(where: { $0.name == entry.name }) {
        entries[place] = entry
      } else {
        entries.append(entry)
      }
    }
  }
}

/// A name out of a registry, as the value of a key.
public protocol RegisteredName: ConfigurationChoice {
  /// What the name stands for.
  associatedtype Entry: RegistryEntry
  /// Where it is looked up.
  static var registry: Registry<Entry> { get }
  /// A name that may not be registered.
  init(_ name: String)
}

extension RegisteredName {
  /// Every registered name.
  public static var allCases: [Self] { registry.names.map { Self($0) } }

  /// A registered name; `nil` for others.
  public init?(rawValue: String) {
    guard Self.registry[rawValue] != nil else { return nil }
    self.init(rawValue)
  }
}
