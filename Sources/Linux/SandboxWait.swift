import CLinux
import Glibc

/// Asks a running child to end, from any thread, once or more often.
package final class SandboxStop: Sendable {
    private let event: SharedDescriptor

    package init() throws(SystemError) {
        event = SharedDescriptor(Descriptor(owning: try retryingInterrupts("eventfd") { clinux_event() }))
    }

    package func stop() {
        var one: UInt64 = 1
        // SAFETY: eight bytes, as eventfd(2) wants them.
        _ = write(event.raw, &one, 8)
    }

    var raw: CInt { event.raw }
}

/// What a child writes: the reading end is ours.
final class SandboxPipe {
    private let reader: Descriptor
    private var writer: SharedDescriptor?

    init() throws(SystemError) {
        var ends: [CInt] = [-1, -1]
        // SAFETY: two elements, as pipe2(2) wants them.
        _ = try retryingInterrupts("pipe") { clinux_pipe(&ends) }
        reader = Descriptor(owning: ends[0])
        writer = SharedDescriptor(Descriptor(owning: ends[1]))
        let fd = reader.raw
        _ = try retryingInterrupts("fcntl") { fcntl(fd, F_SETFL, O_NONBLOCK) }
    }

    var reading: CInt { reader.raw }
    var writing: CInt { writer?.raw ?? -1 }
    func closeWritingEnd() { writer = nil }

    private(set) var bytes: [UInt8] = []
    private(set) var isCut = false
    private(set) var isAtEnd = false

    /// Takes what is there; keeps at most `limit` bytes of all.
    func take(limit: Int, into chunk: inout [UInt8]) {
        // Bounded, so that a child that never stops writing does not keep its clock from being looked at.
        for _ in 0..<64 {
            // SAFETY: the chunk's own memory and count.
            let got = chunk.withUnsafeMutableBytes { read(reading, $0.baseAddress, $0.count) }
            if got < 0 && errno == EINTR { continue }
            if got < 0 && errno == EAGAIN { return }
            guard got > 0 else {
                isAtEnd = true
                return
            }
            let kept = min(got, limit - bytes.count)
            if kept < got { isCut = true }
            bytes += chunk[..<kept]
        }
    }
}

/// One running child until its end.
struct SandboxWait {
    let process: Int32
    let handle: SharedDescriptor
    let limits: SandboxChild.Limits

    /// Reads its outputs, kills it when its time is over or someone wants it, and collects it.
    func attend(
        output: SandboxPipe, errors: SandboxPipe, stop: SandboxStop
    ) throws(SystemError) -> SandboxChild.Outcome {
        let deadline = Self.now() + limits.milliseconds
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        var killed: SandboxChild.Outcome.End?
        while true {
            let left = killed == nil ? max(0, deadline - Self.now()) : 10_000
            var set = [handle.raw, killed == nil ? stop.raw : -1]
                .map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            for pipe in [output, errors] {
                set.append(pollfd(fd: pipe.isAtEnd ? -1 : pipe.reading, events: Int16(POLLIN), revents: 0))
            }
            // SAFETY: the array's own count.
            let ready = poll(&set, nfds_t(set.count), CInt(clamping: left))
            if ready < 0 && errno != EINTR { break }
            if ready < 0 { continue }
            for pipe in [output, errors] where !pipe.isAtEnd { pipe.take(limit: limits.output, into: &chunk) }
            if set[0].revents != 0 { break }
            if killed == nil, set[1].revents != 0 || Self.now() >= deadline {
                killed = set[1].revents != 0 ? .cancelled : .timedOut
                kill(-process, SIGKILL)
            }
        }
        // Whatever shares its session goes with it.
        kill(-process, SIGKILL)
        var (status, cpu, peak): (CInt, UInt64, UInt64) = (0, 0, 0)
        guard clinux_collect(process, &status, &cpu, &peak) == process else { throw SystemError("wait for a process") }
        for pipe in [output, errors] where !pipe.isAtEnd { pipe.take(limit: limits.output, into: &chunk) }
        let signal = status & 0x7f
        let end: SandboxChild.Outcome.End = signal == 0 ? .exited(status >> 8 & 0xff) : .signal(signal)
        return SandboxChild.Outcome(
            end: killed ?? end, output: output.bytes, errors: errors.bytes, isOutputCut: output.isCut || errors.isCut,
            cpuNanoseconds: cpu, peakBytes: peak)
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
