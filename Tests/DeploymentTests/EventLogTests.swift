import Deployment
import Model
import Testing

@Suite(.timeLimit(.minutes(5))) struct EventLogTests {
    private static func log(_ count: Int) -> EventLog {
        let log = EventLog()
        for number in 0..<count { log.append(.deployed, "event \(number)", record: nil, at: Int64(number)) }
        return log
    }

    @Test func eventsAreNumberedFromOneInTheirOrder() {
        let events = Self.log(5).events(after: 0)
        #expect(events.map(\.sequence) == [1, 2, 3, 4, 5])
        #expect(events.map(\.message) == (0..<5).map { "event \($0)" })
        #expect(events.map(\.at) == [0, 1, 2, 3, 4])
    }

    @Test(arguments: [(0, 5), (1, 4), (4, 1), (5, 0), (6, 0), (UInt64.max, 0)] as [(UInt64, Int)])
    func onlyThoseAfter(_ sequence: UInt64, _ count: Int) {
        #expect(Self.log(5).events(after: sequence).count == count)
    }

    @Test(arguments: [255, 256, 257, 1000]) func theNewestAreKept(_ count: Int) {
        let events = Self.log(count).events(after: 0)
        #expect(events.count == min(count, EventLog.kept))
        #expect(events.last?.sequence == UInt64(count))
        #expect(events.first?.sequence == UInt64(max(1, count - EventLog.kept + 1)))
    }

    @Test func aFollowerGetsOldOnesThenNewOnesThenTheEnd() async {
        let log = Self.log(3)
        var seen: [UInt64] = []
        for await event in log.follow(after: 1) {
            seen.append(event.sequence)
            if event.sequence == 3 { log.append(.rolledBack, "new", record: nil, at: 0) }
            if event.sequence == 4 { log.finish() }
        }
        #expect(seen == [2, 3, 4])
    }

    @Test func aFollowerThatWaitsIsWoken() async {
        let log = EventLog()
        let follower = Task { () -> UInt64? in
            for await event in log.follow(after: 0) { return event.sequence }
            return nil
        }
        let writer = Task { log.append(.reloaded, "", record: nil, at: 0) }
        await writer.value
        #expect(await follower.value == 1)
    }

    @Test func aSlowFollowerLosesTheOldestAndSeesTheGap() async {
        let log = Self.log(1)
        let stream = log.follow(after: 0)
        for number in 0..<1000 { log.append(.reloaded, "\(number)", record: nil, at: 0) }
        log.finish()
        var seen: [UInt64] = []
        for await event in stream { seen.append(event.sequence) }
        #expect(seen.count == EventLog.kept)
        #expect(seen.last == 1001)
        #expect(seen.first == UInt64(1002 - EventLog.kept))
        #expect(zip(seen, seen.dropFirst()).allSatisfy { $1 == $0 + 1 })
    }

    @Test func aCancelledFollowerEndsAndTheOthersGoOn() async {
        let log = EventLog()
        let cancelled = Task {
            var count = 0
            for await _ in log.follow(after: 0) { count += 1 }
            return count
        }
        let other = log.follow(after: 0)
        cancelled.cancel()
        #expect(await cancelled.value == 0)
        log.append(.deployed, "", record: nil, at: 0)
        log.finish()
        var seen = 0
        for await _ in other { seen += 1 }
        #expect(seen == 1)
    }

    @Test func writersAtOnceAreSeenInOneOrder() async {
        let log = EventLog()
        let streams = (0..<4).map { _ in log.follow(after: 0) }
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for number in 0..<30 { log.append(.deployed, "\(writer) \(number)", record: nil, at: 0) }
                }
            }
        }
        log.finish()
        for stream in streams {
            var seen: [UInt64] = []
            for await event in stream { seen.append(event.sequence) }
            #expect(seen == Array(1...240))
        }
    }

    @Test func theBoardShowsTheLastWord() {
        let board = StatusBoard()
        #expect(board.current == DeploymentStatus())
    }
}

@Suite struct DescriptorStoreTests {
    @Test(arguments: ["ops", "timer", "data", "dump", "link"], [1, 7, Int64.max]) func ourNames(
        _ part: String, _ id: Int64
    ) {
        #expect(DescriptorStore.isOurs("scheduler-\(id)-\(part)"))
    }

    static let foreign = [
        "", "-", "--", "---", "scheduler", "scheduler-", "scheduler--", "scheduler-1", "scheduler-1-",
        "scheduler--link",
        "scheduler-0-link", "scheduler--1-link", "scheduler-+1-link", "scheduler-01-link", "scheduler- 1-link",
        "scheduler-1 -link", "scheduler-1-link ", " scheduler-1-link", "scheduler-1-link-", "scheduler-1-link-x",
        "scheduler-1-LINK", "Scheduler-1-link", "scheduler-1-map", "scheduler-0x1-link", "scheduler-1.0-link",
        "scheduler-9223372036854775808-link", "scheduler-١-link", "scheduler-1-link\n", "scheduler-1-link\u{0}",
        "schedcpd.socket", "connection", "stored", "unknown", "x-scheduler-1-link", "scheduler_1_link",
    ]

    @Test(arguments: foreign) func whatIsNotOurs(_ name: String) { #expect(!DescriptorStore.isOurs(name)) }
}
