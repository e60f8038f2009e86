import Foundation
import Model
import NIOCore
import TestSupport
import Testing
import Wire

/// PROTOCOL.md shows frames byte by byte: they are what it says they are.
@Suite struct ProtocolDocumentTests {
    /// The bytes of each example, a frame after the other.
    private static func frames() throws -> [[UInt8]] {
        let url = URL(fileURLWithPath: Checkout.root + "/Sources/Wire/PROTOCOL.md")
        let parts = try String(contentsOf: url, encoding: .utf8).components(separatedBy: "```")
        let blocks = parts.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        var bytes = blocks.flatMap { block in block.split(separator: "\n").flatMap(hex) }[...]
        var frames: [[UInt8]] = []
        while bytes.count >= 4 {
            let length = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            frames.append(Array(bytes.prefix(4 + length)))
            bytes = bytes.dropFirst(4 + length)
        }
        #expect(bytes.isEmpty, "the examples end within a frame")
        return frames
    }

    /// The two-digit numbers at the beginning of a line, one space apart.
    private static func hex(_ line: Substring) -> [UInt8] {
        let words = line.drop { $0 == " " }.split(separator: " ", omittingEmptySubsequences: false)
        return words.prefix { $0.utf8.count == 2 && UInt8($0, radix: 16) != nil }.compactMap { UInt8($0, radix: 16) }
    }

    private static func payload(_ frame: [UInt8]) -> ByteBuffer { ByteBuffer(bytes: frame.dropFirst(4)) }

    @Test func theExamplesAreFramesOfTheContract() throws {
        let frames = try Self.frames()
        try #require(frames.count == 4)
        for frame in frames { #expect(RawClient.frame(Array(frame.dropFirst(4))) == frame) }

        let hello = try Frame.decode(WireRequest.self, from: Self.payload(frames[0]))
        #expect(hello.id == 1)
        #expect(hello.hello.protocolMin == 1 && hello.hello.protocolMax == 1)

        let greeting = try Frame.decode(WireResponse.self, from: Self.payload(frames[1]))
        #expect(greeting.id == 1)
        #expect(greeting.hello.protocol == 1)
        #expect(greeting.hello.limits.maxFrameBytes == UInt32(Frame.ordinaryLimit))
        #expect(greeting.hello.limits.maxObjectBytes == 6 << 20)
        #expect(greeting.hello.you.user == "alice")
        #expect(greeting.hello.you.pid == 4242)

        let ask = try Frame.decode(WireRequest.self, from: Self.payload(frames[2]))
        #expect(ask.operation == .status(.init()))

        let status = try Frame.decode(WireResponse.self, from: Self.payload(frames[3]))
        #expect(status.id == ask.id)
        #expect(status.status.kernel.ops == "vtime")
        #expect(status.status.kernel.owner == .ours)
        #expect(status.status.uptimeSeconds == 60)
    }

    @Test func theLimitsOfThePageAreThoseOfTheCode() throws {
        let url = URL(fileURLWithPath: Checkout.root + "/Sources/Wire/PROTOCOL.md")
        let page = try String(contentsOf: url, encoding: .utf8)
        #expect(Frame.ordinaryLimit == 64 << 10 && Frame.privilegedLimit == 8 << 20)
        #expect(page.contains("| frame from a client | 64 KiB; 8 MiB from root"))
        #expect(Frame.answerLimit == 24 << 20)
        #expect(page.contains("| frame from the daemon | 24 MiB |"))
        #expect(page.contains("Protocol version \(ProtocolVersion.newest)."))
    }
}
