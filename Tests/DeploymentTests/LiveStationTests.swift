import Deployment
import Kernel
import Linux
import Model
import Synchronization
import TestSupport
import Testing

/// Who watches shares one that looks; with the last of them everything leaves the kernel.
@Suite(.timeLimit(.minutes(5))) struct LiveStationTests {
    /// Counts what is loaded, and how often is looked.
    final class Probes: Sendable {
        struct State {
            var loaded = 0
            var unloaded = 0
            var looks = 0
        }
        let state = Mutex(State())

        var now: State { state.withLock { $0 } }
    }

    final class Waits: WaitSource {
        let probes: Probes
        init(_ probes: Probes) {
            self.probes = probes
            probes.state.withLock { $0.loaded += 1 }
        }
        deinit { probes.state.withLock { $0.unloaded += 1 } }
        func read() throws(Failure) -> WaitHistogram {
            let looks = probes.state.withLock { state in
                state.looks += 1
                return state.looks
            }
            return WaitHistogram(counts: [0, UInt64(looks)])
        }
    }

    final class Queues: QueueSource {
        /// As many tasks as the number says; those from 9 on are not there.
        func depths(of ids: [UInt64]) throws(Failure) -> [UInt32?] {
            ids.map { id in
                if id & QueueProbe.local == QueueProbe.local { return UInt32(truncatingIfNeeded: id) + 100 }
                return id < 9 ? UInt32(id) : nil
            }
        }
    }

    private static func station(
        _ kernel: FakeKernel, board: StatusBoard = StatusBoard(), probes: Probes = Probes(),
        scheduler: @escaping @Sendable () async -> LiveScheduler? = { nil }, broken: Bool = false
    ) -> LiveStation {
        let ticks = Mutex<UInt64>(0)
        return LiveStation(
            LiveStation.Sources(
                schedExt: SchedExt(folder: kernel.folder.path), board: board, scheduler: scheduler,
                times: {
                    let tick = ticks.withLock { count in
                        count += 1
                        return count
                    }
                    // CPU 0 works always, CPU 1 half of the time.
                    return ProcessorTimes(cpus: [
                        0: .init(busy: tick * 10, all: tick * 10), 1: .init(busy: tick * 5, all: tick * 10),
                    ])
                },
                topology: { CPUTopology(llcOfCPU: [0, 1]) },
                waits: { () throws(Failure) in
                    if broken { throw Failure(.notFound, "not installed") }
                    return Waits(probes)
                },
                queues: { () throws(Failure) in
                    if broken { throw Failure(.notFound, "not installed") }
                    return Queues()
                }))
    }

    private static func views(_ count: Int, _ stream: AsyncStream<LiveReading>) async -> [MachineView] {
        var views: [MachineView] = []
        var before: LiveReading?
        for await reading in stream {
            if let before { views.append(reading.view(since: before)) }
            before = reading
            if views.count == count { break }
        }
        return views
    }

    @Test func aViewHasWhatRunsAndWhatItDoes() async throws {
        let running = try await Running.start()
        let station = Self.station(
            running.kernel, board: running.parts.board, scheduler: { await running.parts.service.live() })
        let view = try #require(await Self.views(1, try await station.watch(every: 0)).first)
        #expect(view.owner == .ours && view.record?.id == running.record.id)
        #expect(view.cpus.map(\.busy) == [1, 0.5] && view.cpus.map(\.llc) == [0, 1])
        #expect(view.cpus.map(\.queued) == [100, 101])
        #expect(view.queues.map(\.name) == ["shared", "each[0]"] && view.queues.map(\.tasks) == [0, 8])
        // The queue that is not there is named, and no number made up for it.
        #expect(view.missing.count == 1 && view.missing[0].contains("each[1]"))
        #expect(view.waits?.counts == [0, 1])
        // Eleven that all have, and its own one; the fake counts nothing meanwhile.
        #expect(view.counters.count == 12 && view.counters.last?.name == "lifted")
        #expect(view.counters.last?.total == 16 && view.counters.allSatisfy { $0.perSecond == 0 })
        #expect(view.layers == nil)
    }

    @Test func aForeignSchedulerIsNotRead() async throws {
        let kernel = try FakeKernel(state: "enabled", ops: "theirs", sequence: 9)
        let view = try #require(await Self.views(1, try await Self.station(kernel).watch(every: 0)).first)
        #expect(view.owner == .foreign && view.record == nil)
        #expect(view.counters.isEmpty && view.queues.isEmpty && view.layers == nil)
        #expect(view.missing.contains { $0.contains("somebody else's") })
        #expect(view.cpus.count == 2 && view.waits != nil)
    }

    @Test func withoutASchedulerThereAreCPUsAndWaits() async throws {
        let kernel = try FakeKernel(state: "disabled")
        let view = try #require(await Self.views(1, try await Self.station(kernel).watch(every: 0)).first)
        #expect(view.owner == .none && view.cpus.count == 2 && view.waits != nil && view.missing.isEmpty)
        let broken = try await Self.station(kernel, broken: true).watch(every: 0)
        let without = try #require(await Self.views(1, broken).first)
        #expect(without.waits == nil && without.missing == ["waits: not installed"])
    }

    @Test func anyNumberOfViewersIsOneLook() async throws {
        let kernel = try FakeKernel(state: "disabled")
        let probes = Probes()
        let station = Self.station(kernel, probes: probes)
        let viewers = 20
        let seen = try await withThrowingTaskGroup(of: [MachineView].self) { group in
            for _ in 0..<viewers {
                let stream = try await station.watch(every: 0)
                group.addTask { await Self.views(3, stream) }
            }
            return try await group.reduce(into: 0) { $0 += $1.count }
        }
        #expect(seen == viewers * 3)
        #expect(probes.now.loaded == 1)
        // Four readings for each, had each had its own; what they share is far less.
        #expect(probes.now.looks < viewers * 4 / 2)
        // With the last of them the probe is gone, and it comes again for the next.
        #expect(await eventually { probes.now.unloaded == 1 })
        #expect(await station.watching == 0)
        _ = await Self.views(1, try await station.watch(every: 0))
        #expect(probes.now.loaded == 2)
        #expect(await eventually { probes.now.unloaded == 2 })
    }

    @Test func thereAreBounds() async throws {
        let station = Self.station(try FakeKernel(state: "disabled"))
        var streams: [AsyncStream<LiveReading>] = []
        for _ in 0..<LiveStation.mostViewers { streams.append(try await station.watch(every: 1_000_000_000)) }
        let failure = await #expect(throws: Failure.self) { _ = try await station.watch(every: 1_000_000_000) }
        #expect(failure?.code == .tooMany)
        streams.removeAll()
        #expect(await eventually { await station.watching == 0 })
        _ = try await station.watch(every: 1_000_000_000)
    }
}
