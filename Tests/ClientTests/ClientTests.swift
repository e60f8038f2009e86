import Client
import Model
import SwiftProtobuf
import Synchronization
import TestServer
import TestSupport
import Testing
import Wire

/// The client against servers that behave, and that do not.
@Suite(.timeLimit(.minutes(10))) struct ClientTests {
    private static func failure(_ body: () async throws -> Void) async -> Failure? {
        do {
            try await body()
            return nil
        } catch { return error as? Failure }
    }

    @Test func nobodyThereSaysWhatToDo() async throws {
        let folder = try TemporaryFolder()
        for path in [folder.path("none"), "/nonexistent/s", folder.path, ""] {
            let failure = await Self.failure { _ = try await SchedClient.connect(path: path, name: "test") }
            #expect(failure?.code == .notFound, "\(path)")
            #expect(failure?.hint.contains("systemctl") == true)
        }
    }

    static let badGreetings: [(String, FakeServer.Reaction)] = [
        ("closes", .close),
        ("answers something else", .answer([FakeServer.response(1, .status(.init()))])),
        ("answers nothing known", .answer([WireResponse.with { $0.id = 1 }])),
        ("refuses", .answer([FakeServer.response(0, .failure(WireFailure(Failure(.unsupportedVersion, "no"))))])),
        ("sends a frame of 4 GiB", .bytes([0xFF, 0xFF, 0xFF, 0xFF])),
        ("sends no protobuf", .bytes([0, 0, 0, 2, 0xFF, 0xFF])),
        ("sends text", .bytes(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))),
    ]

    @Test(arguments: badGreetings) func aBadGreetingIsAFailure(_ name: String, _ reaction: FakeServer.Reaction)
        async throws
    {
        try await FakeServer.with({ _ in reaction }) { server in
            let failure = await Self.failure { _ = try await SchedClient.connect(path: server.path, name: "test") }
            #expect(failure != nil)
            #expect(failure?.message.isEmpty == false)
            #expect(failure?.code == (name == "refuses" ? .unsupportedVersion : .internal))
        }
    }

    @Test func answersAreMatchedByTheirNumber() async throws {
        // Answers come two by two, the later one first.
        let held = Mutex<WireRequest?>(nil)
        let react = FakeServer.greeting { request in
            guard case .show(let show) = request.operation else { return .close }
            let answer = FakeServer.response(request.id, .progress(WireProgress(step: show.name)))
            let last = FakeServer.response(request.id, .show(WireScheduler.with { $0.description_p = show.name }))
            let earlier = held.withLock { held -> WireRequest? in
                defer { held = held == nil ? request : nil }
                return held
            }
            guard let earlier else { return .answer([]) }
            let first = FakeServer.response(
                earlier.id, .show(WireScheduler.with { $0.description_p = earlier.show.name }))
            let unasked = FakeServer.response(9999, .done(.init()))
            return .answer([answer, unasked, last, first])
        }
        try await FakeServer.with(react) { server in
            let client = try await SchedClient.connect(path: server.path, name: "test")
            #expect(client.greeting.serverVersion == "fake")
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let result = try await client.call(.show(WireShowRequest.with { $0.name = "s\(number)" }))
                        return result == .show(WireScheduler.with { $0.description_p = "s\(number)" })
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
            await client.close()
        }
    }

    @Test func progressComesBeforeTheResult() async throws {
        let react = FakeServer.greeting { request in
            let steps = ["recording", "verifying", "attaching"]
            return .answer(
                steps.map { FakeServer.response(request.id, .progress(WireProgress(step: $0))) }
                    + [FakeServer.response(request.id, .deployment(WireDeployment.with { $0.id = 3 }))])
        }
        try await FakeServer.with(react) { server in
            let client = try await SchedClient.connect(path: server.path, name: "test")
            var steps: [String] = []
            let result = try await client.call(.deploy(.init())) { steps.append($0) }
            #expect(steps == ["recording", "verifying", "attaching"])
            #expect(result == .deployment(WireDeployment.with { $0.id = 3 }))
            await client.close()
        }
    }

    @Test func viewsComeUntilTheyAreCancelled() async throws {
        let cancelled = Mutex<UInt64>(0)
        let react = FakeServer.greeting { request in
            switch request.operation {
            case .view(let asked):
                let count: UInt64 = asked.intervalMilliseconds == 0 ? 1 : 5
                return .answer(
                    (1...count).map { number in
                        FakeServer.response(
                            request.id,
                            .view(
                                .with {
                                    ($0.at, $0.intervalNanoseconds) = (
                                        Int64(number), UInt64(asked.intervalMilliseconds)
                                    )
                                }))
                    })
            case .cancel(let cancel):
                cancelled.withLock { $0 = cancel.requestID }
                return .answer([FakeServer.response(request.id, .done(.init()))])
            default: return .close
            }
        }
        try await FakeServer.with(react) { server in
            let client = try await SchedClient.connect(path: server.path, name: "test")
            // Only one was asked for: it is the last answer.
            let one = try await client.call(.view(.init()))
            #expect(one == .view(.with { $0.at = 1 }))
            // An interval that is too short is not asked for.
            var seen: [Int64] = []
            for try await view in try await client.views(every: 1) {
                #expect(view.intervalNanoseconds == 200)
                seen.append(view.at)
                if seen.count == 5 { break }
            }
            #expect(seen == [1, 2, 3, 4, 5])
            // The daemon is told that nobody listens any more.
            #expect(await eventually { cancelled.withLock { $0 } > 0 })
            await client.close()
        }
    }

    @Test func aFailureIsThrownAsItWas() async throws {
        let sent = Failure(.verifierRefused, "no", hint: "do", detail: "log")
        let react = FakeServer.greeting { .answer([FakeServer.response($0.id, .failure(WireFailure(sent)))]) }
        try await FakeServer.with(react) { server in
            let client = try await SchedClient.connect(path: server.path, name: "test")
            #expect(await Self.failure { _ = try await client.call(.status(.init())) } == sent)
            await client.close()
        }
    }

    @Test(arguments: [FakeServer.Reaction.close, .bytes([0xFF, 0xFF, 0xFF, 0xFF]), .bytes([0, 0, 0, 1, 0xFF])])
    func everyoneWhoWaitsIsToldOfTheEnd(_ reaction: FakeServer.Reaction) async throws {
        let react = FakeServer.greeting { request in
            if case .status = request.operation { return reaction }
            return .answer([])
        }
        try await FakeServer.with(react) { server in
            let client = try await SchedClient.connect(path: server.path, name: "test")
            let events = try await client.events(follow: true)
            async let history = Self.failure { _ = try await client.call(.history(.init())) }
            async let stream = Self.failure { for try await _ in events {} }
            async let status = Self.failure { _ = try await client.call(.status(.init())) }
            #expect(await status?.code == .internal)
            #expect(await history?.code == .internal)
            #expect(await stream?.code == .internal)
            // And whoever asks later as well.
            #expect(await Self.failure { _ = try await client.call(.list(.init())) }?.code == .internal)
        }
    }

    @Test func aFailureWithoutANumberIsForAll() async throws {
        let react = FakeServer.greeting { request in
            guard case .status = request.operation else { return .answer([]) }
            return .answer([FakeServer.response(0, .failure(WireFailure(Failure(.malformed, "that was no frame"))))])
        }
        try await FakeServer.with(react) { server in
            let client = try await SchedClient.connect(path: server.path, name: "test")
            async let history = Self.failure { _ = try await client.call(.history(.init())) }
            async let status = Self.failure { _ = try await client.call(.status(.init())) }
            #expect(await status?.code == .malformed)
            let other = await history
            #expect(other == nil || other?.code == .malformed)
            await client.close()
        }
    }
}

/// The client and the daemon, both real.
@Suite(.timeLimit(.minutes(10))) struct ClientAndDaemonTests {
    @Test func aHundredTasksShareOneConnection() async throws {
        let daemon = try await TestDaemon.start()
        let client = try await SchedClient.connect(path: daemon.socket, name: "test")
        #expect(client.greeting.you.pid == Checkout.processID)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<100 {
                group.addTask {
                    let name = Checkout.schedulers[number % 3]
                    guard case .show(let show) = try await client.call(.show(WireShowRequest.with { $0.name = name }))
                    else {
                        return false
                    }
                    return show.summary.name == name
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
        await client.close()
    }

    @Test func aFollowerThatStopsGivesItsStreamBack() async throws {
        let daemon = try await TestDaemon.start()
        let client = try await SchedClient.connect(path: daemon.socket, name: "test")
        daemon.process.signal(1)
        // More of them than the daemon has streams for one connection.
        for _ in 0..<12 {
            let first = try await firstEvent(client)
            #expect(first?.kind == "reloaded")
        }
        await client.close()
    }

    private func firstEvent(_ client: SchedClient) async throws -> WireEvent? {
        for _ in 0..<1000 {
            do {
                for try await event in try await client.events(follow: true) { return event }
            } catch let failure as Failure where failure.code == .tooMany {
                // The one before is about to end.
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        return nil
    }

    @Test func theEndOfTheDaemonEndsAFollowedStream() async throws {
        let daemon = try await TestDaemon.start()
        let client = try await SchedClient.connect(path: daemon.socket, name: "test")
        let events = try await client.events(follow: true)
        await daemon.stop()
        var seen = 0
        do { for try await _ in events { seen += 1 } } catch { #expect((error as? Failure)?.code == .internal) }
        #expect(seen == 0)
    }

    @Test func aKilledDaemonIsSaid() async throws {
        let daemon = try await TestDaemon.start()
        let client = try await SchedClient.connect(path: daemon.socket, name: "test")
        daemon.process.signal(9)
        _ = await daemon.process.ending()
        let failure = await #expect(throws: Failure.self) { _ = try await client.call(.status(.init())) }
        #expect(failure?.code == .internal)
        #expect(failure?.hint.contains("journalctl") == true)
    }
}
