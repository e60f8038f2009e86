@testable import GuestProtocol

/// A small generator whose numbers are the same on every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    mutating func word() -> String {
        let letters = Array("abc äß€\n'\"$/=%")
        return String(
            (0..<Int.random(in: 0...12, using: &self)).map { _ in letters.randomElement(using: &self) ?? "a" }
        )
    }
}

enum Samples {
    /// One message of each kind with values at random.
    static func messages(_ random: inout SeededGenerator) -> [Message] {
        let channel = UInt32.random(in: .min ... .max, using: &random)
        let numbers = random.bytes(8).map { UInt64($0) << 32 | 7 }
        let data = random.bytes(Int.random(in: 0...300, using: &random))
        let size = TerminalSize(rows: 24, columns: .random(in: .min ... .max, using: &random))
        var words: [String] = []
        for _ in 0..<Int.random(in: 1...6, using: &random) { words.append(random.word()) }
        let request = CommandRequest(
            arguments: words, environment: ["A=\(random.word())"], folder: "/" + random.word(),
            timeout: .random(in: .min ... .max, using: &random), outputLimit: numbers[0],
            terminal: Bool.random(using: &random) ? size : nil)
        let exit = CommandExit(
            Bool.random(using: &random) ? .status(200) : .signal(9), timedOut: .random(using: &random),
            outputTruncated: .random(using: &random), errorTruncated: .random(using: &random))
        return [
            .hello(
                Hello(
                    versions: 1...3, session: numbers[1], features: [.files, .commands], kernelRelease: "7.3")
            ),
            .ping(token: numbers[2]), .pong(token: numbers[3], monotonic: numbers[4], realtime: numbers[5]),
            .failed(channel: channel, GuestFailure(.system, random.word())),
            .credit(channel: channel, count: 9), .execute(channel: channel, request),
            .started(channel: channel, process: 4711), .input(channel: channel, data),
            .inputEnd(channel: channel), .output(channel: channel, data),
            .errorOutput(channel: channel, data),
            .signal(channel: channel, number: 15), .resize(channel: channel, size),
            .exited(channel: channel, exit),
            .putFile(channel: channel, path: "/" + random.word(), mode: 0o755),
            .getFile(channel: channel, path: "/" + random.word(), limit: numbers[6]),
            .fileData(channel: channel, data), .fileEnd(channel: channel),
            .fileStored(channel: channel, size: numbers[7]),
        ]
    }

    /// Everything that a decoder finds in the bytes, fed in pieces of this size.
    static func frames(in bytes: [UInt8], pieces size: Int) -> [Frame] {
        var decoder = FrameDecoder()
        var frames: [Frame] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            decoder.append(bytes[start..<min(start + size, bytes.count)])
            while let frame = decoder.next() { frames.append(frame) }
        }
        return frames
    }
}
