import Foundation
package import Model
import NIOCore
import SwiftProtobuf
package import Wire

/// A client that sends any bytes, and reads frames one by one. Every call blocks, for 30 seconds at the most.
package final class RawClient: Sendable {
    private let socket: RawSocket
    /// The daemon at the other end, which lives at least as long.
    private let daemon: TestDaemon?

    package init(_ path: String, of daemon: TestDaemon? = nil) throws {
        socket = try RawSocket(path)
        self.daemon = daemon
    }

    // MARK: Bytes

    package func send(_ bytes: [UInt8]) throws { try socket.send(bytes) }

    /// As much as the socket takes without waiting.
    package func sendWithoutWaiting(_ bytes: [UInt8]) -> Int { socket.sendWithoutWaiting(bytes) }

    package func endSending() { socket.endSending() }

    package func close() { socket.close() }

    /// What comes until the daemon closes.
    package func receiveAll() throws -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let more = try socket.receive(65536)
            if more.isEmpty { return all }
            all += more
        }
    }

    private func receiveExactly(_ count: Int) throws -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try socket.receive(count - bytes.count)
            if more.isEmpty {
                if bytes.isEmpty { return nil }
                throw Lacking("the stream ended after \(bytes.count) of \(count) bytes")
            }
            bytes += more
        }
        return bytes
    }

    // MARK: Frames

    package static func frame(_ payload: [UInt8]) -> [UInt8] {
        let length = UInt32(payload.count)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> UInt32($0)) } + payload
    }

    package static func frame(_ id: UInt64, _ operation: WireRequest.OneOf_Operation) throws -> [UInt8] {
        var request = WireRequest()
        request.id = id
        request.operation = operation
        return frame(try request.serializedBytes())
    }

    package func send(_ id: UInt64, _ operation: WireRequest.OneOf_Operation) throws {
        try send(Self.frame(id, operation))
    }

    /// The next answer; nil at the end of the stream.
    package func receive() throws -> WireResponse? {
        guard let header = try receiveExactly(4) else { return nil }
        let length = header.reduce(0) { $0 << 8 | Int($1) }
        guard length <= Frame.answerLimit, let payload = try receiveExactly(length) else {
            throw Lacking("an answer of \(length) bytes was promised")
        }
        return try Frame.decode(WireResponse.self, from: ByteBuffer(bytes: payload))
    }

    // MARK: Requests

    /// The failure that comes next, with the id that it is for.
    package func receiveFailure() throws -> (id: UInt64, code: Failure.Code)? {
        guard let response = try receive() else { return nil }
        guard case .failure(let failure) = response.result else { throw Lacking("no failure, but \(response)") }
        return (response.id, failure.asFailure.code)
    }

    package func ask(_ id: UInt64, _ operation: WireRequest.OneOf_Operation) throws -> WireResponse {
        try send(id, operation)
        guard let response = try receive() else { throw Lacking("the daemon closed the connection") }
        return response
    }

    @discardableResult
    package func greet(_ id: UInt64 = 1) throws -> WireHelloReply {
        let response = try ask(id, .hello(Self.hello))
        guard case .hello(let reply) = response.result else { throw Lacking("hello was answered by \(response)") }
        return reply
    }

    package static var hello: WireHello {
        var hello = WireHello()
        hello.protocolMin = ProtocolVersion.oldest
        hello.protocolMax = ProtocolVersion.newest
        hello.client = "test"
        return hello
    }
}
