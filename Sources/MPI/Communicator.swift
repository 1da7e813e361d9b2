public final class Communicator {}
