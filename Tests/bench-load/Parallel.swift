import Glibc
import Linux
import Synchronization

/// Loads whose tasks wait for one another.
enum Parallel {
    /// Two programs with a thread for each CPU; all threads of one meet after each step, and spin until they have.
    static func gang(_ stage: Stage) -> [Figure]? {
        let threads = stage.cpus.count
        let step = Int(200 * stage.speed)
        for index in 0..<2 {
            stage.worker("solver\(index)") { slot in
                let team = Team(threads: threads, step: step, slot: slot)
                for _ in 1..<threads { team.start() }
                team.work(counts: true)
            }
        }
        let span = stage.watch(milliseconds: 1500)
        return [Figure("throughput", max(0.5, span.pieces(0..<2)) / span.seconds)]
    }

    /// The threads of one program.
    private final class Team {
        let threads: Int
        let step: Int
        let slot: Slot
        private let arrived = Atomic<Int>(0)
        private let generation = Atomic<Int>(0)

        init(threads: Int, step: Int, slot: Slot) {
            self.threads = threads
            self.step = step
            self.slot = slot
        }

        func work(counts: Bool) {
            while true {
                Work.grind(step)
                meet()
                if counts { slot.step() }
            }
        }

        /// The last one lets all others go; they spin meanwhile.
        private func meet() {
            let now = generation.load(ordering: .acquiring)
            if arrived.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue == threads {
                arrived.store(0, ordering: .relaxed)
                generation.wrappingAdd(1, ordering: .releasing)
                return
            }
            while generation.load(ordering: .acquiring) == now {}
        }

        func start() {
            var thread = pthread_t()
            // SAFETY: the thread owns a reference to the team; both last until the process ends.
            pthread_create(
                &thread, nil,
                { team in
                    if let team { Unmanaged<Team>.fromOpaque(team).takeRetainedValue().work(counts: false) }
                    return nil
                }, Unmanaged.passRetained(self).toOpaque())
        }
    }

    /// Rings of four tasks over pipes, each with one message on its way.
    static func pipeline(_ stage: Stage) -> [Figure]? {
        let (rings, length) = (stage.cpus.count, 4)
        var kept: [SharedDescriptor] = []
        for _ in 0..<rings {
            var pipes: [(reader: SharedDescriptor, writer: SharedDescriptor)] = []
            for _ in 0..<length {
                guard let pipe = try? GuestStream.blockingPipe() else { return nil }
                pipes.append(pipe)
            }
            for place in 0..<length {
                let (reader, writer) = (pipes[place].reader.raw, pipes[(place + 1) % length].writer.raw)
                stage.worker("stage\(place)") { pass($0, from: reader, to: writer, begins: place == 0) }
            }
            kept += pipes.flatMap { [$0.reader, $0.writer] }
        }
        let span = stage.watch(milliseconds: 1200)
        let messages = span.pieces(0..<rings * length)
        return withExtendedLifetime(kept) { [Figure("throughput", max(0.5, messages) / span.seconds)] }
    }

    private static func pass(_ slot: Slot, from reader: CInt, to writer: CInt, begins: Bool) {
        var message = [UInt8](repeating: 1, count: 512)
        // SAFETY: the array has as many bytes as are read or written.
        if begins { _ = write(writer, message, message.count) }
        while true {
            // SAFETY: as above.
            guard read(reader, &message, message.count) == message.count else { continue }
            for index in message.indices { message[index] = message[index] &* 31 &+ 7 }
            // SAFETY: as above.
            _ = write(writer, message, message.count)
            slot.step()
        }
    }
}
