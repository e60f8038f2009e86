/// One decision of a path, linked to those before it.
final class PathNode: Sendable {
    let previous: PathNode?
    let function: Int
    let slot: Int
    /// Where it goes on.
    let target: Int
    let length: Int
    /// What the decision looks at.
    let basis: Basis

    struct Basis: OptionSet, Hashable, Sendable {
        let rawValue: UInt8

        /// Counters, clocks, marks, lengths of queues: what changes by itself.
        static let memory = Basis(rawValue: 1)
        /// Whether the task is one of the kernel's threads, or bound to one CPU.
        static let kernelThread = Basis(rawValue: 2)
        /// How important the task is said to be.
        static let rank = Basis(rawValue: 4)
    }

    init(_ previous: PathNode?, function: Int, slot: Int, target: Int, basis: Basis = []) {
        self.basis = basis
        self.previous = previous
        self.function = function
        self.slot = slot
        self.target = target
        length = (previous?.length ?? 0) + 1
    }
}

/// A place in memory and what is there.
struct Cell: Hashable {
    /// Address without its constant part.
    var base: TermID
    var offset: Int64
    var size: Int
    var value: TermID
    /// Somebody else may have written since.
    var isStale: Bool
    /// This program put it there.
    var isWritten: Bool
}

/// A call in progress.
struct Frame {
    var function: Int
    /// The number of the chain of calls.
    var context: Int32
    var slot: Int
    var registers: [TermID]
    /// The last slot passed whose line is in the scheduler's own file; -1 for none.
    var ownSlot: Int
    /// Of a callback: what happens when it returns.
    var repetition: Repetition?
}

/// A callback that is called again and again.
struct Repetition: Hashable {
    enum Kind: Hashable { case count, mapElements(Int), once }

    var kind: Kind
    /// How often at most.
    var count: TermID
    var round: Int
    var argument: TermID
}

/// An open-coded iterator.
struct Iterator: Hashable {
    enum Kind: Hashable { case numbers, queue, other }

    /// The address of the iterator's structure.
    var place: TermID
    var kind: Kind
    /// Of numbers: the first and the one after the last; of a queue: its id.
    var first: TermID
    var last: TermID
    var round: Int
    /// The next call gives any later element.
    var isLater: Bool
    /// What the last call gave, and the number in it.
    var element: TermID = 0
    var value: TermID = 0
    /// Where it was begun.
    var function = 0
    var slot = 0
}

/// How often a loop's head was passed in this frame, and what was there the last time.
struct LoopVisit {
    var depth: Int
    var slot: Int
    var rounds: Int
    /// Forks seen when it was passed last: a round without one is exact and may be repeated for longer.
    var forks: Int
    var registers: [TermID]
    var cells: [Cell]
    var iterators: [Iterator]
    var widenings: Int
    var progress: Int
}

/// What became of one task on a path.
struct TaskFact: Hashable {
    var task: TermID
    var inserts: Int = 0
    var keeps: Int = 0
    /// Where it was kept: a map's number, or -1 for another place.
    var keptIn: Int = -1
    /// May have been kept: the program stored something that may name the task.
    var maybeKept = false
    /// The events of the first insert and of keeping it.
    var firstInsert: Int = -1
    var keepEvent: Int = -1
    /// Results that tell whether a keep or an insert was successful.
    var keepResult: TermID = 0
    var insertResult: TermID = 0
}

struct MoveFact: Hashable {
    var queue: TermID
    /// Only asked how long the queue is.
    var isQuestion = false
    /// Not 0: a task was moved.
    var result: TermID
    var event: Int
    /// How many of the state's turns had come before.
    var turns = 0
}

struct CreateFact: Hashable {
    var queue: TermID
    var result: TermID
    var event: Int
    /// In a loop over a range of ids, this is one of them.
    var isLooped: Bool
}

/// A CPU that a task may use, because it was tested or chosen so.
struct Permission: Hashable {
    var cpu: TermID
    var task: TermID
}

/// Everything that is known at one point of one path. A value: a fork is a copy.
struct State {
    var frames: [Frame]
    var cells: [Cell] = []
    /// What branches have taught of terms.
    var refined = SmallMap<TermID, Bounds>()
    /// How two terms lie, by the branches passed: see `Condition.ways`.
    var orders = SmallMap<OrderKey, UInt8>()
    var rounds = SmallMap<Site, Int>()
    var loops: [LoopVisit] = []
    var iterators: [Iterator] = []
    var path: PathNode?
    var forks = 0
    /// How often something was taken out of a structure.
    var progress = 0
    var tasks: [TaskFact] = []
    var moves: [MoveFact] = []
    var creates: [CreateFact] = []
    var permissions: [Permission] = []
    /// Places that the path has set back: see `Interpreter+Turns`.
    var resets: [Record.Place] = []
    /// Places by which a decision went as it cannot right after they were set back.
    var turns: [Record.Place] = []
    /// A term read again, to what it was at the first time.
    var earlier: [TermID: TermID] = [:]
    var hasError = false
    /// Something on the path was widened: it stands for many, some of which may not exist.
    var isWidened = false
    /// The path needs a value to change between two reads.
    var isDoubtful = false
    var steps = 0

    struct OrderKey: Comparable {
        var a: TermID
        var b: TermID
        var is32: Bool

        private var number: UInt64 {
            UInt64(UInt32(bitPattern: a)) << 32 | UInt64(UInt32(bitPattern: b)) << 1 | (is32 ? 1 : 0)
        }

        static func < (a: Self, b: Self) -> Bool { a.number < b.number }
    }

    init(frames: [Frame]) { self.frames = frames }

    var isExact: Bool { !isWidened && !isDoubtful }

    var top: Int { frames.count - 1 }

    /// The number of this visit of a site on this path.
    mutating func round(at site: Site) -> Int {
        let round = rounds[site] ?? 0
        rounds[site] = round + 1
        return round
    }

    mutating func withTask(_ task: TermID, _ change: (inout TaskFact) -> Void) {
        if let index = tasks.firstIndex(where: { $0.task == task }) {
            change(&tasks[index])
        } else {
            var fact = TaskFact(task: task)
            change(&fact)
            tasks.append(fact)
        }
    }

    func fact(of task: TermID) -> TaskFact? { tasks.first { $0.task == task } }
}
