import Testing

@testable import MicroVM

@Suite(.timeLimit(.minutes(5))) struct PartsTests {
    @Test func theConsoleKeepsItsEnd() throws {
        let log = try ConsoleLog(capacity: 100)
        for line in 0..<1000 { log.append(Array("line \(line)\r\n".utf8)) }
        #expect(log.text.utf8.count <= 100)
        #expect(log.tail(2) == ["line 998", "line 999"])
        #expect(log.total == (0..<1000).reduce(0) { $0 + "line \($1)\r\n".utf8.count })
    }

    @Test func theConsoleLosesItsColours() {
        let bytes = Array(
            "\u{1B}[!p\u{1B}]104\u{07}\u{1B}[?7h\u{1B}[0;1;31mred\u{1B}[0m\u{7F}\r\n\u{1B}[".utf8)
        #expect(ConsoleLog.plain(bytes) == "red\n")
    }

    @Test func aMailboxKeepsOrderAndEnds() async throws {
        let mailbox = Mailbox<Int>()
        async let sum = { () async throws -> [Int] in
            var seen: [Int] = []
            while let next = try await mailbox.next() { seen.append(next) }
            return seen
        }()
        for number in 0..<100 { mailbox.put(number) }
        mailbox.finish()
        mailbox.put(100)
        #expect(try await sum == Array(0..<100))
    }

    @Test func aMailboxWithAnErrorGivesWhatItHasFirst() async throws {
        let mailbox = Mailbox<Int>()
        mailbox.put(1)
        mailbox.finish(throwing: MachineError(.stopped, "gone"))
        #expect(try await mailbox.next() == 1)
        await #expect(throws: MachineError.self) { try await mailbox.next() }
    }

    @Test func waitingEndsWithItsTask() async {
        let mailbox = Mailbox<Int>()
        let promise = Promise<Int>()
        let first = Task { try await mailbox.next() }
        let second = Task { try await promise.value() }
        first.cancel()
        second.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        await #expect(throws: CancellationError.self) { try await second.value }
    }

    @Test func aPromiseReachesAllWhoWait() async throws {
        let promise = Promise<Int>()
        let tasks = (0..<10).map { _ in Task { try await promise.value() } }
        promise.fulfil(.success(4))
        promise.fulfil(.success(5))
        for task in tasks { #expect(try await task.value == 4) }
    }

    @Test func aDeadlineEndsWhatItBounds() async throws {
        #expect(try await withDeadline(.seconds(50), "nothing") { 3 } == 3)
        await #expect {
            try await withDeadline(.milliseconds(10), "sleeping") {
                try await Task.sleep(for: .seconds(1000))
            }
        } throws: { "\($0)".contains("sleeping took longer than 0.01 s") }
    }

    @Test func anAcceleratorIsOnlyRememberedForItsQuestion() throws {
        let folder = try HostFolder()
        defer { folder.remove() }
        let file = folder.path + "/answer"
        #expect(AcceleratorProbe.answer(in: file, to: "6.1 QEMU 7.2") == nil)
        try folder.write("6.1 QEMU 7.2\ntcg\n", to: "answer")
        #expect(AcceleratorProbe.answer(in: file, to: "6.1 QEMU 7.2") == .tcg)
        #expect(AcceleratorProbe.answer(in: file, to: "6.2 QEMU 7.2") == nil)
        try folder.write("6.1 QEMU 7.2\nmagic\n", to: "answer")
        #expect(AcceleratorProbe.answer(in: file, to: "6.1 QEMU 7.2") == nil)
    }

    @Test func anImageNeedsItsManifest() throws {
        let folder = try HostFolder()
        defer { folder.remove() }
        #expect(throws: MachineError.self) { try LabImage(folder: folder.path) }
        try folder.write("key=abc\nrelease=7.3.4+deb13\nseconds=20\n", to: "manifest")
        let image = try LabImage(folder: folder.path)
        #expect(image.release == "7.3.4+deb13")
        #expect(image.buildSeconds == 20)
    }

    @Test func qmpLinesAreToldApart() throws {
        func reply(_ text: String) throws -> QMP.Reply { try QMP.Reply(line: Array(text.utf8)) }
        #expect(try reply(#"{"QMP": {"version": {}, "capabilities": []}}"#).isGreeting)
        #expect(try reply(#"{"timestamp": {"seconds": 1}, "event": "SHUTDOWN"}"#).event == "SHUTDOWN")
        #expect(try reply(#"{"error": {"class": "CommandNotFound", "desc": "no"}}"#).error?.desc == "no")
        #expect(throws: (any Error).self) { try reply("garbage") }
    }
}
