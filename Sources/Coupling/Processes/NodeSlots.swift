import Glibc

/// Places for programs on a node that all of its processes share: at most so many programs run there at a time, whoever
/// has started them.
///
/// Each place is a file in a folder, and whoever holds the lock of the file has the place. The kernel takes a lock back
/// when the process ends that holds it, however it ends. The folder should be on the node itself: locks on network file
/// systems hold for all nodes, or do not hold.
package final class NodeSlots {
  /// The folder that has the files, and is made if need be.
  package let folder: String
  /// Number of places.
  package let count: Int

  /// `count` places, 1 at least. All processes of the node give the same folder and number.
  package init(folder: String, count: Int) throws(NodeSlotsError) {
    self.folder = folder
    self.count = max(1, count)
    if mkdir(folder, 0o700) != 0, errno != EEXIST { throw NodeSlotsError(path: folder, reason: systemText(errno)) }
  }

  /// Takes a place if one is free.
  package func take() throws(NodeSlotsError) -> NodeSlot? {
    // Processes begin to look at different places, so that they meet less often.
    let first = Int(getpid()) % count
    for turn in 0..<count {
      let number = (first + turn) % count
      let path = "\(folder)/slot-\(number)"
      let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      guard file >= 0 else { throw NodeSlotsError(path: path, reason: systemText(errno)) }
      var status = flock(file, LOCK_EX | LOCK_NB)
      while status != 0, errno == EINTR { status = flock(file, LOCK_EX | LOCK_NB) }
      if status == 0 { return NodeSlot(number: number, file: file) }
      let code = errno
      close(file)
      if code != EWOULDBLOCK { throw NodeSlotsError(path: path, reason: systemText(code)) }
    }
    return nil
  }

  /// Waits for a place, `seconds` at most.
  ///
  /// - Parameter serve: called again and again to let a short time pass, which it is given in seconds, such as by serving
  ///   this process's own programs meanwhile. Without it nothing is done.
  /// - Returns: `nil` if none was free in time.
  package func wait(
    within seconds: Double = .infinity, serving serve: (Double) -> Void = { MemberProcess.pause($0) }
  ) throws(NodeSlotsError) -> NodeSlot? {
    let end = secondsNow() + seconds
    var pause = 0.005
    while true {
      if let slot = try take() { return slot }
      let rest = end - secondsNow()
      if rest <= 0 { return nil }
      serve(min(rest, pause))
      pause = min(2 * pause, 0.1)
    }
  }
}

/// A place on a node, which is given back with this object at the latest.
package final class NodeSlot {
  /// Which one, from 0 on.
  package let number: Int
  private var file: Int32?

  init(number: Int, file: Int32) {
    self.number = number
    self.file = file
  }

  deinit { release() }

  /// Gives the place back.
  package func release() {
    guard let open = file else { return }
    flock(open, LOCK_UN)
    close(open)
    file = nil
  }
}

/// Why places on a node cannot be kept count of.
package struct NodeSlotsError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The file or folder.
  package let path: String
  /// The system's reason.
  package let reason: String

  package var description: String { "\(path), which counts programs on this node: \(reason)" }
}
