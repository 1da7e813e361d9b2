import DaunceArchive
import Foundation
import Glibc

/// The folder that members have their folders in, each made of a template's files.
final class MemberFolders {
  /// Absolute path.
  let path: String
  /// Absolute path of the template; `nil` without.
  let template: String?
  private let copied: [String]
  /// Files of the template that are written to: never links.
  private let written: [String]
  /// Names that are taken by this process.
  private var taken: Set<String> = []

  /// Marks a folder as one of these: what is in it is not kept.
  private static let mark = ".daunce-members"

  /// - Parameters:
  ///   - path: made when the first member's folder is.
  ///   - copied: patterns of names in the template that are copied and not linked.
  ///   - written: names of files in it that are to be written to.
  /// - Throws: `CouplingError` where the template is no folder, or has no file of a name.
  init(_ path: String, template: String?, copied: [String], written: [String]) throws(CouplingError) {
    let here = FileManager.default.currentDirectoryPath
    func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(here)/\(path)" }
    self.path = absolute(path)
    self.template = template.map(absolute)
    (self.copied, self.written) = (copied, written)
    if let template, !Self.isFolder(absolute(template)) {
      throw CouplingError("external model", "key model.template", found: "no folder \(template)", expected: "one")
    }
    for name in written {
      guard let folder = self.template, access("\(folder)/\(name)", R_OK) == 0 else {
        throw CouplingError(
          "external model", "file \(name)", found: "none in \(template ?? "a template (model.template: none)")",
          expected: "one that states are put into, and that every member has a copy of")
      }
    }
  }

  /// Makes a member's folder, or takes the one that it has had.
  ///
  /// - Parameters:
  ///   - name: of the folder, with a number behind it where this process has one of that name already.
  ///   - keepsFinished: whether a folder with a finished forecast is taken as it is.
  /// - Throws: `CouplingError` where it is another job's, or cannot be made.
  func make(_ name: String, keepsFinished: Bool) throws -> MemberFolder {
    var own = name
    var number = 2
    while taken.contains(own) { (own, number) = ("\(name)-\(number)", number + 1) }
    try prepareRoot()
    guard let folder = try open(own) else {
      throw CouplingError(
        "external model", "folder \(path)/\(own)", found: "one that another job works in", expected: "a model.folder of its own for each")
    }
    folder.isFresh = false
    if !(keepsFinished && folder.hasFinished) { try folder.renew(keeping: []) }
    return folder
  }

  /// The first folder `name-0`, `name-1`, ... that nobody works in, made anew.
  func makeNext(_ name: String) throws -> MemberFolder {
    try prepareRoot()
    var number = 0
    while true {
      if !taken.contains("\(name)-\(number)"), let folder = try open("\(name)-\(number)") {
        try folder.renew(keeping: [])
        return folder
      }
      number += 1
    }
  }

  private func prepareRoot() throws {
    let manager = FileManager.default
    if !Self.isFolder(path) {
      try Folders.make(path)
      _ = manager.createFile(atPath: "\(path)/\(Self.mark)", contents: Data())
    }
    guard !manager.fileExists(atPath: "\(path)/\(Self.mark)") else { return }
    let found = try manager.contentsOfDirectory(atPath: path)
    guard found.isEmpty || manager.fileExists(atPath: "\(path)/\(Self.mark)") else {
      throw CouplingError(
        "external model", "key model.folder", found: "\(path) with \(found.count) files that are none of members'",
        expected: "a new folder, or one that members have had")
    }
    _ = manager.createFile(atPath: "\(path)/\(Self.mark)", contents: Data())
  }

  /// A folder with its lock; `nil` where another process works in it.
  private func open(_ name: String) throws -> MemberFolder? {
    let own = "\(path)/\(name)"
    try Folders.make(own)
    let file = Glibc.open("\(own)/\(MemberFolder.lock)", O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard file >= 0 else {
      throw CouplingError("external model", "cannot create \(own)/\(MemberFolder.lock): \(systemText(errno))")
    }
    // A file system without locks has none to be told of.
    if flock(file, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      close(file)
      return nil
    }
    taken.insert(name)
    return MemberFolder(name: name, lock: file, home: self)
  }

  /// Fills a folder with what the template has.
  fileprivate func fill(_ folder: String, except kept: Set<String>) throws {
    guard let template else { return }
    for name in try FileManager.default.contentsOfDirectory(atPath: template).sorted() where !kept.contains(name) {
      let (from, to) = ("\(template)/\(name)", "\(folder)/\(name)")
      let isWritten = written.contains { $0 == name || $0.hasPrefix("\(name)/") }
      if isWritten || copied.contains(where: { fnmatch($0, name, 0) == 0 }) {
        try FileManager.default.copyItem(atPath: from, toPath: to)
      } else if symlink(from, to) != 0 {
        throw CouplingError("external model", "cannot link \(to): \(systemText(errno))")
      }
    }
  }

  /// Copies a file of the template anew.
  fileprivate func copy(_ name: String, to folder: String) throws {
    guard let template else { return }
    unlink("\(folder)/\(name)")
    try FileManager.default.copyItem(atPath: "\(template)/\(name)", toPath: "\(folder)/\(name)")
  }

  fileprivate func giveBack(_ name: String) { taken.remove(name) }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}

/// The folder of one member, of which no other process makes use while this object lives.
final class MemberFolder {
  let name: String
  let path: String
  /// Whether it is as the template has it, but for what forecasts have left.
  fileprivate(set) var isFresh = true
  /// Whether it goes with this object: nobody will look for it.
  var isTransient = false
  private let home: MemberFolders
  private let lock: Int32

  static let lock = ".lock"
  /// Folder of kept files as they were before the last forecast.
  static let before = ".before"
  private static let finished = ".finished"

  fileprivate init(name: String, lock: Int32, home: MemberFolders) {
    (self.name, self.lock, self.home) = (name, lock, home)
    path = "\(home.path)/\(name)"
  }

  deinit {
    if isTransient { try? FileManager.default.removeItem(atPath: path) }
    close(lock)
    home.giveBack(name)
  }

  /// Makes it as the template has it.
  ///
  /// - Parameter kept: files that stay as they are.
  func renew(keeping kept: [String]) throws {
    let tops = Set(kept.compactMap { $0.split(separator: "/").first.map(String.init) })
    for name in try FileManager.default.contentsOfDirectory(atPath: path) where name != Self.lock && !tops.contains(name) {
      try FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
    try home.fill(path, except: tops)
    isFresh = true
  }

  /// Copies a file of the template anew.
  func takeAnew(_ name: String) throws { try home.copy(name, to: path) }

  /// Copies a file in it over another one, whose folder is made where it is missing.
  func copy(_ name: String, to other: String) throws {
    let target = "\(path)/\(other)"
    try Folders.make(String(target.prefix(upTo: target.lastIndex(of: "/") ?? target.endIndex)))
    unlink(target)
    try FileManager.default.copyItem(atPath: "\(path)/\(name)", toPath: target)
  }

  /// Bytes of a file in it; `nil` where there is none.
  func bytes(of name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: "\(path)/\(name)").map { [UInt8]($0) }
  }

  /// Writes a file in it.
  func write(_ bytes: [UInt8], to name: String) throws {
    unlink("\(path)/\(name)")
    guard FileManager.default.createFile(atPath: "\(path)/\(name)", contents: Data(bytes)) else {
      throw CouplingError("external model", "cannot write \(path)/\(name): \(systemText(errno))")
    }
  }

  // MARK: Finished forecasts

  fileprivate var hasFinished: Bool { access("\(path)/\(Self.finished)", F_OK) == 0 }

  /// Whether the last forecast in it was of this request, and is finished.
  func hasFinished(_ digest: UInt64) -> Bool { bytes(of: Self.finished).map { $0 == Array("\(digest)".utf8) } ?? false }

  /// Notes that a request is finished, or none any more.
  func note(finished digest: UInt64?) throws {
    if let digest { try write(Array("\(digest)".utf8), to: Self.finished) } else { unlink("\(path)/\(Self.finished)") }
  }
}
