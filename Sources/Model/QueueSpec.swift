/// A dispatch queue that a scheduler makes, or several with numbers that follow one another.
package struct QueueSpec: Hashable, Sendable {
    package enum Count: Hashable, Sendable {
        case some(Int)
        /// One for each last-level cache, for each CPU.
        case perLLC, perCPU

        /// A number, `llc` or `cpu`, as descriptions have it.
        package var text: String {
            switch self {
            case .some(let number): "\(number)"
            case .perLLC: "llc"
            case .perCPU: "cpu"
            }
        }

        package init?(text: String) {
            switch text {
            case "llc": self = .perLLC
            case "cpu": self = .perCPU
            default:
                guard let number = Int(text) else { return nil }
                self = .some(number)
            }
        }
    }

    package static let most = 64

    package var name: String
    package var id: UInt64
    package var count: Count
    package var description: String

    package init(name: String, id: UInt64, count: Count = .some(1), description: String = "") throws(Failure) {
        try RepositoryLimits.word(name, "the queue's name")
        if case .some(let number) = count, !(1...Self.most).contains(number) {
            throw Failure(.invalidArgument, "queue '\(name)' is there \(number) times, and it can be 1 to \(Self.most)")
        }
        // The kernel's own queues have the highest bit.
        guard id < 1 << 62 else { throw Failure(.invalidArgument, "queue '\(name)' has a number of the kernel's own") }
        self.name = name
        self.id = id
        self.count = count
        self.description = description
    }

    /// The queues that it stands for, on a machine with so many caches and CPUs.
    package func queues(llcs: Int, cpus: Int) -> [(name: String, id: UInt64)] {
        let count =
            switch count {
            case .some(let count): count
            case .perLLC: llcs
            case .perCPU: cpus
            }
        guard count > 1 else { return [(name, id)] }
        return (0..<count).map { ("\(name)[\($0)]", id + UInt64($0)) }
    }
}
