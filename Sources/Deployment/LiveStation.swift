package import Kernel
package import Linux
package import Model

/// Looks at the machine while somebody watches: one reading serves all that watch, and with the last of them the probes leave
/// the kernel.
package actor LiveStation {
    /// What it looks at; tests have their own.
    package struct Sources: Sendable {
        package var schedExt: SchedExt
        package var board: StatusBoard
        /// The scheduler that runs now. It may take as long as a deployment.
        package var scheduler: @Sendable () async -> LiveScheduler?
        package var times: @Sendable () -> ProcessorTimes?
        package var topology: @Sendable () -> CPUTopology
        package var waits: @Sendable () throws(Failure) -> sending any WaitSource
        package var queues: @Sendable () throws(Failure) -> sending any QueueSource

        package init(
            schedExt: SchedExt, board: StatusBoard, scheduler: @escaping @Sendable () async -> LiveScheduler?,
            times: @escaping @Sendable () -> ProcessorTimes? = { ProcessorTimes.read() },
            topology: @escaping @Sendable () -> CPUTopology = { CPUTopology.read() },
            waits: @escaping @Sendable () throws(Failure) -> sending any WaitSource,
            queues: @escaping @Sendable () throws(Failure) -> sending any QueueSource
        ) {
            self.schedExt = schedExt
            self.board = board
            self.scheduler = scheduler
            self.times = times
            self.topology = topology
            self.waits = waits
            self.queues = queues
        }
    }

    private struct Viewer {
        let interval: Int64
        var due: Int64
        let stream: AsyncStream<LiveReading>.Continuation
    }

    package static let mostViewers = 64
    /// Nanoseconds between two readings for one viewer.
    package static let intervals: ClosedRange<Int64> = 200_000_000...3_600_000_000_000
    /// A reading that is younger than this is as good as a new one.
    private static let fresh: Int64 = 100_000_000

    private let executor = QueueExecutor(label: "schedcp.view")
    /// Loading a probe keeps a thread busy: not one that serves clients.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let sources: Sources
    private var viewers: [UInt64: Viewer] = [:]
    private var nextViewer: UInt64 = 0
    private var work: Task<Void, Never>?
    private var pause: Task<Void, Never>?
    private var last: LiveReading?

    private var topology: CPUTopology?
    private var scheduler: LiveScheduler?
    /// What the board had to say when the scheduler was asked for; nil: it was not yet.
    private var seen: UInt64?
    private var isAsking = false
    private var waits = Probe<any WaitSource>()
    private var queues = Probe<any QueueSource>()

    /// A probe is loaded once; where it cannot be, the reason is told and not tried again until somebody new looks.
    private struct Probe<Source> {
        var source: Source?
        var problem: String?
    }

    package init(_ sources: Sources) { self.sources = sources }

    /// How many watch, for tests.
    package var watching: Int { viewers.count }

    /// Readings from now on; who is too slow gets only the newest.
    package func watch(every interval: Int64) throws(Failure) -> AsyncStream<LiveReading> {
        guard viewers.count < Self.mostViewers else {
            throw Failure(.tooMany, "\(viewers.count) others look at what runs", hint: "try again later")
        }
        let (stream, continuation) = AsyncStream.makeStream(of: LiveReading.self, bufferingPolicy: .bufferingNewest(1))
        let id = nextViewer
        nextViewer += 1
        let within = min(max(interval, Self.intervals.lowerBound), Self.intervals.upperBound)
        viewers[id] = Viewer(interval: within, due: 0, stream: continuation)
        continuation.onTermination = { [weak self] _ in
            Task { await self?.leave(id) }
        }
        if work == nil { work = Task { await self.serve() } } else { pause?.cancel() }
        return stream
    }

    private func leave(_ id: UInt64) {
        viewers.removeValue(forKey: id)
        if viewers.isEmpty { pause?.cancel() }
    }

    private func serve() async {
        while !viewers.isEmpty {
            await refreshScheduler()
            let reading = read()
            let now = Clock.monotonic()
            for (id, viewer) in viewers where viewer.due <= now {
                viewer.stream.yield(reading)
                viewers[id]?.due = now + viewer.interval
            }
            guard let next = viewers.values.map(\.due).min() else { break }
            let pause = Task { () -> Void in try? await Task.sleep(for: .nanoseconds(max(1_000_000, next - now))) }
            self.pause = pause
            await pause.value
        }
        // With the last viewer everything leaves the kernel, and the next one begins anew.
        (waits, queues, topology, scheduler, seen, last, work) = (Probe(), Probe(), nil, nil, nil, nil, nil)
    }

    /// The first time it is waited for; later what is known serves until the answer is there.
    private func refreshScheduler() async {
        let generation = sources.board.generation
        guard seen != generation, !isAsking else { return }
        let isFirst = seen == nil
        seen = generation
        isAsking = true
        let answer = Task {
            self.take(await sources.scheduler())
        }
        if isFirst { await answer.value }
    }

    private func take(_ new: LiveScheduler?) {
        scheduler = new
        isAsking = false
    }

    // MARK: Reading

    private func read() -> LiveReading {
        let now = Clock.monotonic()
        if let last, now - last.monotonic < Self.fresh { return last }
        let kernel = sources.schedExt.read()
        let active = sources.board.current.active
        let owner = kernel.owner(ourSequence: active?.enableSequence)
        var reading = LiveReading(at: Clock.realtime(), monotonic: now, kernel: kernel, owner: owner)
        let topology = self.topology ?? sources.topology()
        self.topology = topology
        reading.llcs = topology.llcOfCPU
        reading.times = sources.times()
        if reading.times == nil { reading.missing.append("CPUs: /proc/stat cannot be read") }
        readWaits(&reading)
        switch owner {
        case .ours:
            reading.record = active
            readScheduler(&reading, topology)
        case .foreign:
            reading.missing.append("counters, queues and layers: the scheduler that runs is somebody else's")
        case .none: break
        }
        last = reading
        return reading
    }

    private func readWaits(_ reading: inout LiveReading) {
        do throws(Failure) {
            if waits.source == nil, waits.problem == nil { waits.source = try sources.waits() }
            reading.waits = try waits.source?.read()
        } catch { waits = Probe(problem: error.message) }
        if let problem = waits.problem { reading.missing.append("waits: \(problem)") }
    }

    private func readScheduler(_ reading: inout LiveReading, _ topology: CPUTopology) {
        readQueues(&reading, topology)
        guard let scheduler, scheduler.record.id == reading.record?.id,
            scheduler.record.enableSequence == reading.kernel.enableSequence
        else {
            reading.missing.append("counters and layers: the scheduler is not known yet, or its object is not stored")
            return
        }
        do throws(Failure) {
            reading.counters = try scheduler.access.counters()
            if reading.counters == nil { reading.missing.append("counters: the scheduler keeps none") }
        } catch { reading.missing.append("counters: \(error.message)") }
        do throws(Failure) { reading.layers = try scheduler.access.layers()?.named(scheduler.paths) } catch {
            reading.missing.append("layers: \(error.message)")
        }
    }

    /// Queues that a description may name are bounded, however many CPUs there are.
    private static let mostQueues = 4096

    private func readQueues(_ reading: inout LiveReading, _ topology: CPUTopology) {
        let cpus = topology.llcOfCPU.count
        let specs = reading.record?.spec.live.queues ?? []
        let named = specs.flatMap { $0.queues(llcs: Int(topology.llcCount), cpus: cpus) }.prefix(Self.mostQueues)
        let online = (reading.times?.cpus.keys.sorted() ?? []).prefix(Self.mostQueues)
        if specs.isEmpty { reading.missing.append("queues: the scheduler's description names none") }
        do throws(Failure) {
            if queues.source == nil, queues.problem == nil { queues.source = try sources.queues() }
            guard let source = queues.source else { throw Failure(.internal, queues.problem ?? "") }
            let ids = named.map(\.id) + online.map { QueueProbe.local | UInt64($0) }
            let depths = try source.depths(of: ids)
            for (queue, depth) in zip(named, depths) {
                guard let depth else {
                    reading.missing.append("queue \(queue.name): the scheduler has none with the number \(queue.id)")
                    continue
                }
                reading.queues.append(.init(name: queue.name, id: queue.id, tasks: depth))
            }
            for (cpu, depth) in zip(online, depths.dropFirst(named.count)) { reading.local[cpu] = depth }
        } catch {
            if queues.source == nil { queues.problem = error.message }
            reading.missing.append("queues: \(error.message)")
        }
    }
}
