import Dispatch
import Linux
import Model
import SwiftProtobuf
import Synchronization
import Wire

/// Writes frames one after the other, on a queue of its own: who has something to say does not wait for who reads it.
final class FrameOutput: Sendable {
    private let descriptor: SharedDescriptor
    private let isStuffed: Bool
    private let queue = DispatchQueue(label: "schedcp.verify.output")
    private let isBroken = Atomic<Bool>(false)
    /// Bytes that wait to be written. A reader that is too slow for what a job may say at the most loses its session.
    private let waiting = Atomic<Int>(0)
    private static let most = 64 << 20
    private let onBreak: @Sendable () -> Void

    init(_ descriptor: SharedDescriptor, isStuffed: Bool, onBreak: @escaping @Sendable () -> Void) {
        self.descriptor = descriptor
        self.isStuffed = isStuffed
        self.onBreak = onBreak
    }

    func send(_ message: some Message) {
        guard let bytes = try? VerifierFrame.bytes(of: message), bytes.count <= VerifierFrame.limit + 4 else {
            return fail()
        }
        write(isStuffed ? Stuffing.encode(bytes) : bytes)
    }

    /// A session begins.
    func reset() { if isStuffed { write(Stuffing.reset) } }

    private func write(_ bytes: [UInt8]) {
        guard !isBroken.load(ordering: .relaxed) else { return }
        guard waiting.add(bytes.count, ordering: .relaxed).newValue <= Self.most else { return fail() }
        queue.async { [self] in
            defer { waiting.subtract(bytes.count, ordering: .relaxed) }
            guard !isBroken.load(ordering: .relaxed) else { return }
            if (try? StreamDevice.write(descriptor.raw, bytes)) != true { fail() }
        }
    }

    private func fail() {
        if !isBroken.exchange(true, ordering: .relaxed) { onBreak() }
    }

    /// Waits until everything is written.
    func drain() async {
        await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
    }
}

/// Reads a descriptor to its end, on a thread of its own.
enum FrameInput {
    /// Waits where no thread of the pool has to wait with it.
    static func queue(_ name: String, _ body: @escaping @Sendable () -> Void) {
        DispatchQueue(label: "schedcp.verify." + name).async(execute: body)
    }

    static func pieces(
        of descriptor: SharedDescriptor, isStuffed: Bool
    ) -> AsyncThrowingStream<VerifierStreamDecoder.Piece, any Error> {
        AsyncThrowingStream { continuation in
            queue("input") {
                var decoder = VerifierStreamDecoder(isStuffed: isStuffed)
                do {
                    while let bytes = try StreamDevice.read(descriptor.raw, limit: 64 * 1024) {
                        for piece in try decoder.decode(bytes) {
                            if case .terminated = continuation.yield(piece) { return }
                        }
                    }
                    continuation.finish()
                } catch { continuation.finish(throwing: error) }
            }
        }
    }
}
