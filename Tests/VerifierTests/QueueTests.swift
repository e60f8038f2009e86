import Model
import Synchronization
import TestSupport
import Testing
import Verifier

@Suite(.timeLimit(.minutes(5))) struct QueueTests {
    /// Jobs that wait until they are let go, in the order in which they began.
    final class Jobs: Sendable {
        private let begun = Mutex<[String]>([])
        private let gates = Mutex<[String: CheckedContinuation<Void, Never>]>([:])
        var order: [String] { begun.withLock { $0 } }

        var running: [String] { gates.withLock { $0.keys.sorted() } }

        func run(_ name: String) async {
            await withCheckedContinuation { gate in
                gates.withLock { $0[name] = gate }
                begun.withLock { $0.append(name) }
            }
        }

        /// Lets it go once it runs.
        func finish(_ name: String) async {
            _ = await eventually { self.gates.withLock { $0[name] != nil } }
            gates.withLock { $0.removeValue(forKey: name) }?.resume()
        }
    }

    private func start(_ queue: JobQueue, _ jobs: Jobs, user: UInt32, _ name: String) -> Task<Bool, Never> {
        Task {
            do throws(Failure) {
                try await queue.run(user: user) { () async throws(Failure) in await jobs.run(name) }
                return true
            } catch { return false }
        }
    }

    private func started(_ queue: JobQueue, waiting: Int) async -> Bool {
        await eventually { await queue.counts.waiting == waiting }
    }

    @Test func usersTakeTurns() async throws {
        let queue = JobQueue()
        let jobs = Jobs()
        var tasks = [start(queue, jobs, user: 1, "1a")]
        #expect(await eventually { jobs.order == ["1a"] })
        // One user asks for three more, and then two others come.
        for (index, (user, name)) in [(1, "1b"), (1, "1c"), (1, "1d"), (2, "2a"), (2, "2b"), (3, "3a")].enumerated() {
            tasks.append(start(queue, jobs, user: UInt32(user), name))
            #expect(await started(queue, waiting: index + 1))
        }
        for name in ["1a", "1b", "2a", "3a", "1c", "2b", "1d"] { await jobs.finish(name) }
        for task in tasks { #expect(await task.value) }
        #expect(jobs.order == ["1a", "1b", "2a", "3a", "1c", "2b", "1d"])
        #expect(await queue.counts == (0, 0))
    }

    @Test func soManyRunAtATime() async throws {
        var limits = JobQueue.Limits()
        limits.running = 2
        let queue = JobQueue(limits: limits)
        let jobs = Jobs()
        let tasks = (0..<5).map { start(queue, jobs, user: UInt32($0), "\($0)") }
        #expect(await eventually { await queue.counts == (3, 2) })
        #expect(await eventually { jobs.order.count == 2 })
        for _ in 0..<5 {
            #expect(await eventually { jobs.running.count > 0 })
            #expect(jobs.running.count <= 2)
            await jobs.finish(try #require(jobs.running.first))
        }
        for task in tasks { #expect(await task.value) }
    }

    @Test func boundsAreKeptAndSaid() async throws {
        var limits = JobQueue.Limits()
        limits.perUser = 2
        limits.total = 3
        let queue = JobQueue(limits: limits)
        let jobs = Jobs()
        let tasks = [start(queue, jobs, user: 1, "a"), start(queue, jobs, user: 1, "b")]
        #expect(await eventually { await queue.counts == (1, 1) })
        await #expect(throws: Failure.self) { try await queue.run(user: 1) { () async throws(Failure) in } }
        let third = start(queue, jobs, user: 2, "c")
        #expect(await eventually { await queue.counts == (2, 1) })
        do {
            try await queue.run(user: 3) { () async throws(Failure) in }
            Issue.record("there is no place for a fourth")
        } catch { #expect(error.code == .tooMany) }
        for name in ["a", "b", "c"] { await jobs.finish(name) }
        for task in tasks + [third] { #expect(await task.value) }
    }

    @Test func whoWaitsMayLeave() async throws {
        let queue = JobQueue()
        let jobs = Jobs()
        let first = start(queue, jobs, user: 1, "first")
        #expect(await eventually { jobs.order == ["first"] })
        let leaving = start(queue, jobs, user: 2, "leaving")
        #expect(await started(queue, waiting: 1))
        let last = start(queue, jobs, user: 3, "last")
        #expect(await started(queue, waiting: 2))
        leaving.cancel()
        #expect(await leaving.value == false)
        await jobs.finish("first")
        await jobs.finish("last")
        #expect(await first.value)
        #expect(await last.value)
        #expect(jobs.order == ["first", "last"])
    }

    @Test func aJobThatFailsGivesItsTurnOn() async throws {
        let queue = JobQueue()
        for _ in 0..<3 {
            await #expect(throws: Failure.self) {
                try await queue.run(user: 1) { () async throws(Failure) in throw Failure(.internal, "no") }
            }
        }
        #expect(await queue.counts == (0, 0))
    }

    @Test func placesAreTold() async throws {
        let queue = JobQueue()
        let jobs = Jobs()
        let first = start(queue, jobs, user: 1, "first")
        #expect(await eventually { jobs.order == ["first"] })
        let second = start(queue, jobs, user: 1, "second")
        #expect(await started(queue, waiting: 1))
        let heard = Heard()
        let third = Task {
            try? await queue.run(user: 1, waiting: { ahead in heard.add(ahead) }) { () async throws(Failure) in }
        }
        #expect(await started(queue, waiting: 2))
        #expect(await eventually { heard.all == [2] })
        await jobs.finish("first")
        #expect(await eventually { heard.all == [2, 1] })
        await jobs.finish("second")
        await third.value
        #expect(await first.value)
        #expect(await second.value)
    }

    final class Heard: Sendable {
        private let numbers = Mutex<[Int]>([])
        var all: [Int] { numbers.withLock { $0 } }
        func add(_ number: Int) { numbers.withLock { $0.append(number) } }
    }
}
