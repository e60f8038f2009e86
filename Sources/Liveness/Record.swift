import Model

/// Which queue an instruction means, as far as it is known.
struct QueueReference: Hashable {
    /// Every id it can be, at most.
    var low: UInt64
    var high: UInt64
    /// Where the id comes from, when it is not constant.
    var origin: String
    /// A queue of the kernel's.
    var isBuiltIn: Bool
    /// The kernel's queue of a named CPU.
    var isLocalOn: Bool

    var constant: UInt64? { low == high ? low : nil }
    /// Made of what a task happens to have, such as its number.
    var isArbitrary = false

    /// Nothing is known of it.
    var isOpen: Bool { !isBuiltIn && low == 0 && high > UInt64(UInt32.max) }

    func overlaps(_ other: QueueReference) -> Bool { low <= other.high && other.low <= high }
    func covers(_ other: QueueReference) -> Bool { low <= other.low && other.high <= high }

    var description: String {
        if let constant { return "queue \(constant)" }
        if high <= UInt64(UInt32.max) { return "queue \(low)…\(high)" }
        return origin.isEmpty ? "a queue" : "the queue \(origin)"
    }
}

/// What the key of an ordered insert is made of.
struct KeyOrigin: Hashable {
    var constant: UInt64?
    var usesTime = false
    var usesVirtualTime = false
    /// Weights, priorities and the like, which do not change while a task waits.
    var usesRank = false
    /// Anything else.
    var usesOther = false

    /// Never grows.
    var isFixed: Bool { !usesTime && !usesVirtualTime && !usesOther }
}

/// Whether the task may use the CPU whose queue it was put into.
enum Permitted: Hashable {
    case yes, unknown
    /// With the reason.
    case no(String)
}

/// Something that an operation does, and where.
struct Event {
    enum Kind: Hashable {
        /// A task into a queue.
        case insert
        /// A queue's first task to this CPU.
        case move
        /// A look at a queue's tasks, one by one.
        case iterate
        /// A task from one queue to another.
        case transfer
        case create, destroy
        case kick
        /// A task's name or address kept: in `map`, or elsewhere.
        case keep
        /// Something taken out of `map`.
        case drain
        case timerStart
        case writeVirtualTime, writeSlice
        case nullAccess
        case askLength
        /// Much work.
        case work
        /// The CPU that select_cpu answers with.
        case answer
    }

    /// Whose task it is.
    enum Owner: Hashable {
        /// The operation's own.
        case argument
        /// The one that the CPU has just run.
        case previous
        /// Found by the program.
        case foreign
        case none
    }

    var kind: Kind
    var operation: String
    var function: Int
    var slot: Int
    var ownSlot: Int
    var path: PathNode?
    var isExact: Bool
    var owner = Owner.none
    var queue: QueueReference?
    var isOrdered = false
    var key: KeyOrigin?
    var slice: Bounds?
    var flags: Bounds?
    var cpu: Bounds?
    var permitted = Permitted.unknown
    var map = -1
    var note = ""
    /// The task was handed on before.
    var isAfterKeep = false
    /// An earlier event that it clashes with.
    var clash = -1
    /// Of a CPU number that was loaded: from where.
    var source: Record.Place?
    /// The slice is made of the task's weight alone.
    var isOfRank = false
    /// Inside a callback or a loop over a range.
    var isLooped = false
}

/// How a path ended.
struct PathEnd {
    var operation: String
    var function: Int
    var slot: Int
    var ownSlot: Int
    var path: PathNode?
    var isExact: Bool
    var hasError: Bool
    var result: Bounds
    /// Of the operation's first task.
    var fact: TaskFact?
    /// The result of an attempt to keep the task says: failed, or succeeded, or not known.
    var keepFailed: Bool?
    /// The task is known to be one of its kind only: a single pid.
    var isSingleTask: Bool
    /// `turns`: places that had to move on since they were set back, for the path to come to this move.
    var moves: [(event: Int, moved: Bool?, isQuestion: Bool, turns: [Record.Place])]
    /// Places that the path has set back.
    var resets: [Record.Place]
    /// Decisions that look at memory, or writes to it, were on the way.
    var usesMemory: Bool
    /// `isResult`: the operation gives back what the creation gave.
    var creates: [(event: Int, created: Bool?, isResult: Bool)]
    var steps: Int
}

/// What all runs of an object's entries have seen.
struct Record {
    var events: [Event] = []
    var ends: [PathEnd] = []
    /// Entry to the reason why not all of its paths were seen.
    var incomplete: [String: String] = [:]
    var steps = 0
    var paths = 0
    /// For those who want to know what took so long.
    var work: [String: (steps: Int, paths: Int, pruned: Int)] = [:]
    /// Callbacks that were handed to the kernel: timers and the like.
    var callbacks: [Int: String] = [:]
    /// Who writes to a place in a map or to a global.
    var writers: [Place: Set<String>] = [:]
    private var known: [EventKey: Int] = [:]

    /// What the operations by which tasks arrive set places back to, and what dispatch does.
    var resets: [Place: Set<Reset>] = [:]
    var ownResets: [Place: Set<Reset>] = [:]
    /// Places that are written in other ways than set back and counted on.
    var otherWrites: Set<Place> = []

    struct Place: Hashable {
        var map: Int
        var offset: Int64
    }

    enum Reset: Hashable {
        case value(UInt64)
        /// The present time.
        case now
    }

    static let eventLimit = 3000
    static let endLimit = 12_000

    private struct EventKey: Hashable {
        var kind: Event.Kind
        var operation: String
        var function: Int
        var slot: Int
        var ownSlot: Int
        var isExact: Bool
        var owner: Event.Owner
        var queue: QueueReference?
        var key: KeyOrigin?
        var slice: Bounds?
        var cpu: Bounds?
        var permitted: Permitted
        var map: Int
        var note: String
        var clash: Int
        var isAfterKeep: Bool
        var isOfRank: Bool
    }

    /// The event's number; equal ones are one, with the path of the first.
    mutating func add(_ event: Event) -> Int {
        let key = EventKey(
            kind: event.kind, operation: event.operation, function: event.function, slot: event.slot,
            ownSlot: event.ownSlot, isExact: event.isExact, owner: event.owner, queue: event.queue, key: event.key,
            slice: event.slice, cpu: event.cpu, permitted: event.permitted, map: event.map, note: event.note,
            clash: event.clash, isAfterKeep: event.isAfterKeep, isOfRank: event.isOfRank)
        if let index = known[key] { return index }
        guard events.count < Self.eventLimit else {
            incomplete[event.operation] = "more than \(Self.eventLimit) events"
            return events.count - 1
        }
        events.append(event)
        known[key] = events.count - 1
        return events.count - 1
    }

    mutating func add(_ end: PathEnd) {
        guard ends.count < Self.endLimit else {
            incomplete[end.operation] = "more than \(Self.endLimit) paths"
            return
        }
        ends.append(end)
    }
}
