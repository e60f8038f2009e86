import Testing

@testable import GuestProtocol

@Suite struct MessageTests {
    @Test func checksumIsCRC32C() {
        // The check value of CRC-32C/iSCSI, and RFC 3720 B.4: 32 bytes of zeroes.
        #expect(Checksum.of("123456789".utf8) == 0xE306_9283)
        #expect(Checksum.of([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(Checksum.of("6789".utf8, after: Checksum.of("12345".utf8)) == 0xE306_9283)
    }

    @Test(arguments: 0..<200 as Range<UInt64>) func everyMessageComesBack(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let messages = Samples.messages(&random)
        #expect(Set(messages.map(\.operation)) == Set(Operation.allCases))
        for message in messages {
            let frame = try message.frame()
            #expect(try Message(frame) == message)
            #expect(frame.encoded.count <= Frame.maximumSize)
        }
    }

    @Test(arguments: 0..<50 as Range<UInt64>) func everyTruncationIsRefused(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for message in Samples.messages(&random) {
            let frame = try message.frame()
            for count in 0..<frame.payload.count {
                let cut = try Frame(
                    operation: frame.operation, channel: frame.channel,
                    payload: Array(frame.payload[..<count]))
                switch message {
                case .input, .output, .errorOutput, .fileData: #expect(try Message(cut) != message)
                default: #expect(throws: ProtocolError.self) { try Message(cut) }
                }
            }
        }
    }

    @Test func bytesBehindAMessageAreRefused() throws {
        let frame = try Frame(
            operation: Operation.ping.rawValue, channel: 0, payload: .init(repeating: 0, count: 9))
        #expect(throws: ProtocolError.self) { try Message(frame) }
    }

    @Test func aHelloMayGrow() throws {
        let hello = Hello(session: 5, kernelRelease: "7.3.4")
        let frame = try Message.hello(hello).frame()
        let later = try Frame(operation: frame.operation, channel: 0, payload: frame.payload + [1, 2, 3])
        #expect(try Message(later) == .hello(hello))
    }

    @Test func whatIsOutOfRangeIsRefused() throws {
        func refused(_ message: Message) throws -> Bool {
            let frame = try message.frame()
            do throws(ProtocolError) {
                _ = try Message(frame)
                return false
            } catch { return error.code == .malformed }
        }
        #expect(try refused(.execute(channel: 1, CommandRequest(arguments: []))))
        #expect(try refused(.execute(channel: 1, CommandRequest(arguments: ["a\0b"]))))
        #expect(try refused(.signal(channel: 1, number: 0)))
        #expect(try refused(.signal(channel: 1, number: 65)))
        #expect(try refused(.putFile(channel: 1, path: "relative", mode: 0)))
        #expect(try refused(.getFile(channel: 1, path: "/a\0b", limit: 1)))
    }

    @Test func whatDoesNotFitIsNotSent() {
        let long = [UInt8](repeating: 0, count: GuestProtocol.maximumChunk + 1)
        #expect(throws: ProtocolError.self) { try Message.input(channel: 1, long).frame() }
        let words = CommandRequest(arguments: [String](repeating: "word", count: 20000))
        #expect(throws: ProtocolError.self) { try Message.execute(channel: 1, words).frame() }
    }

    @Test func anOperationOfALaterVersionIsToldApart() throws {
        let frame = try Frame(operation: 0x0301, channel: 7, payload: [1])
        #expect { try Message(frame) } throws: { ($0 as? ProtocolError)?.code == .unknownOperation }
    }

    @Test func versionsMeetAtTheHighestCommonOne() {
        #expect(GuestProtocol.version(with: 1...1) == 1)
        #expect(GuestProtocol.version(with: 1...9) == 1)
        #expect(GuestProtocol.version(with: 2...9) == nil)
        #expect(GuestProtocol.version(with: 0...0) == nil)
    }
}
