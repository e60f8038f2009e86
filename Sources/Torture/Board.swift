package import Linux

/// What the judge, the conductor of a load and its workers tell each other: words of shared memory, so that no message
/// depends on anybody being scheduled.
package struct Board {
    private let words: SharedWords
    private static let header = 16
    private static let perWorker = 8
    package static let workers = 2048

    private enum Place {
        static let stop = 0
        static let giveUp = 1
        static let phase = 2
        static let failedForks = 3
        static let done = 4
        static let next = 5
        static let calm = 6
    }

    /// How far the conductor has come.
    package enum Phase: UInt64, Sendable, Comparable {
        case starting, running, stopping, over

        package static func < (a: Phase, b: Phase) -> Bool { a.rawValue < b.rawValue }
    }

    package init() throws(SystemError) {
        words = try SharedWords(count: Self.header + Self.workers * Self.perWorker)
    }

    /// Before a load: as if new.
    package func clear() { for index in 0..<words.count where words[index] != 0 { words[index] = 0 } }

    /// Set by the judge: the load has lasted long enough.
    package var isStopped: Bool {
        get { words[Place.stop] != 0 }
        nonmutating set { words[Place.stop] = newValue ? 1 : 0 }
    }

    /// Set by the judge: do not wait for workers that do not end.
    package var hasGivenUp: Bool {
        get { words[Place.giveUp] != 0 }
        nonmutating set { words[Place.giveUp] = newValue ? 1 : 0 }
    }

    package var phase: Phase {
        get { Phase(rawValue: words[Place.phase]) ?? .over }
        nonmutating set { words[Place.phase] = newValue.rawValue }
    }

    /// Set by the judge: no more disturbances, so that it shows how waits end.
    package var isCalm: Bool {
        get { words[Place.calm] != 0 }
        nonmutating set { words[Place.calm] = newValue ? 1 : 0 }
    }

    /// Forks that the kernel refused; near enough where several processes count at once.
    package var failedForks: UInt64 {
        get { words[Place.failedForks] }
        nonmutating set { words[Place.failedForks] = newValue }
    }

    /// Set by the load: all that it had to do is done.
    package var isDone: Bool {
        get { words[Place.done] != 0 }
        nonmutating set { words[Place.done] = newValue ? 1 : 0 }
    }

    /// The number of slots that are in use.
    package var slots: Int {
        get { Int(words[Place.next]) }
        nonmutating set { words[Place.next] = UInt64(newValue) }
    }

    /// Has every worker got something done?
    package var haveAllStepped: Bool { (0..<min(slots, Self.workers)).allSatisfy { slot($0).progress > 0 } }

    package var totalProgress: UInt64 { (0..<min(slots, Self.workers)).reduce(0) { $0 + slot($1).progress } }

    package func slot(_ index: Int) -> Slot { Slot(words: words, start: Self.header + index * Self.perWorker) }

    /// One worker's words.
    package struct Slot {
        fileprivate let words: SharedWords
        fileprivate let start: Int

        /// The group that its tasks belong to.
        package var group: Int {
            get { Int(words[start]) }
            nonmutating set { words[start] = UInt64(newValue) }
        }

        /// Turns, messages, children: whatever the worker counts.
        package var progress: UInt64 {
            get { words[start + 1] }
            nonmutating set { words[start + 1] = newValue }
        }

        /// Nanoseconds of CPU time.
        package var cpuTime: UInt64 {
            get { words[start + 2] }
            nonmutating set { words[start + 2] = newValue }
        }

        /// The longest that a timer was late, nanoseconds.
        package var latest: UInt64 {
            get { words[start + 3] }
            nonmutating set { words[start + 3] = newValue }
        }

        package func step() { progress += 1 }

        /// On the monotonic clock; 0 where it is not written down.
        package var began: UInt64 {
            get { words[start + 6] }
            nonmutating set { words[start + 6] = newValue }
        }
        package var finished: UInt64 {
            get { words[start + 7] }
            nonmutating set { words[start + 7] = newValue }
        }

        /// A futex of the slot: two of them.
        package func wake(_ word: Int, _ value: UInt32) { words.wake(start + 4 + word, value: value) }
        package func sleep(_ word: Int, while value: UInt32, milliseconds: Int) {
            words.sleep(start + 4 + word, while: value, milliseconds: milliseconds)
        }
        package func low(_ word: Int) -> UInt32 { words.low(start + 4 + word) }
    }
}
