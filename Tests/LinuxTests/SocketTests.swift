import Foundation
import Linux
import Model
import TestSupport
import Testing

/// Real sockets: credentials of a peer, one question and answer, notifications.
@Suite(.timeLimit(.minutes(5))) struct SocketTests {
    @Test func thePeerOfASocketPairIsThisProcess() throws {
        var fds: [Int32] = [0, 0]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0, &fds) == 0)
        let one = Descriptor(owning: fds[0])
        let two = Descriptor(owning: fds[1])
        for fd in [one.raw, two.raw] {
            let actor = try PeerCredentials.actor(ofSocket: fd) { Accounts.name(ofUser: $0) }
            #expect(actor.uid == Checkout.userID)
            #expect(actor.gid == Checkout.groupID)
            #expect(actor.pid == Checkout.processID)
            #expect(actor.groups.contains(Checkout.groupID))
            var own = [gid_t](repeating: 0, count: 256)
            let count = getgroups(256, &own)
            #expect(actor.groups == Set(own.prefix(Int(count))).union([Checkout.groupID]))
            #expect(actor.user == Accounts.name(ofUser: Checkout.userID))
        }
    }

    @Test func aUserWithoutANameIsItsNumber() throws {
        var fds: [Int32] = [0, 0]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0, &fds) == 0)
        let one = Descriptor(owning: fds[0])
        let two = Descriptor(owning: fds[1])
        #expect(try PeerCredentials.actor(ofSocket: one.raw) { _ in nil }.user == "\(Checkout.userID)")
        _ = two.raw
    }

    @Test func aProcessIsCalledAsTheKernelCallsIt() throws {
        let own = try #require(TextFile.firstLine("/proc/self/comm"))
        #expect(!own.isEmpty)
        #expect(ProcessIdentity.comm(of: Checkout.processID) == own)
        // There is no process of that number.
        #expect(ProcessIdentity.comm(of: .max).isEmpty)
    }

    @Test func whatIsNoSocketHasNoPeer() throws {
        let file = try Descriptor.open("/dev/null")
        #expect(throws: SystemError.self) { try PeerCredentials.actor(ofSocket: file.raw) { _ in nil } }
        #expect(throws: SystemError.self) { try PeerCredentials.actor(ofSocket: -1) { _ in nil } }
    }

    /// Answers one connection with `reply`, and gives what it was asked.
    private static func answer(once listener: ListeningSocket, _ reply: String) -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        let thread = Thread {
            continuation.yield((try? listener.answerOnce(reply)) ?? "failed")
            continuation.finish()
        }
        thread.start()
        return stream
    }

    @Test(arguments: ["ok\n", "", "an answer\nof two lines\n", String(repeating: "x", count: 4096)])
    func aQuestionIsAnswered(_ reply: String) async throws {
        let folder = try TemporaryFolder()
        let asked = Self.answer(once: try ListeningSocket(folder.path("s")), reply)
        #expect(try UnixExchange.ask(folder.path("s"), "what?\n", seconds: 20) == reply)
        for await question in asked { #expect(question == "what?\n") }
    }

    @Test func aLongAnswerIsCut() async throws {
        let folder = try TemporaryFolder()
        let asked = Self.answer(once: try ListeningSocket(folder.path("s")), String(repeating: "x", count: 100_000))
        #expect(try UnixExchange.ask(folder.path("s"), "?", seconds: 20, limit: 1000).utf8.count == 1000)
        for await question in asked { #expect(question == "?") }
    }

    @Test func aLongQuestionIsSentWhole() async throws {
        let folder = try TemporaryFolder()
        let question = String(repeating: "q", count: 2_000_000)
        let asked = Self.answer(once: try ListeningSocket(folder.path("s")), "ok")
        #expect(try UnixExchange.ask(folder.path("s"), question, seconds: 20) == "ok")
        for await received in asked { #expect(received == question) }
    }

    @Test func nobodyThereIsAnError() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("s")
        #expect(#expect(throws: SystemError.self) { try UnixExchange.ask(path, "?", seconds: 1) }?.code == ENOENT)
        try folder.write("", to: "s")
        #expect(#expect(throws: SystemError.self) { try UnixExchange.ask(path, "?", seconds: 1) }?.code == ECONNREFUSED)
        let long = "/tmp/" + String(repeating: "x", count: 200)
        #expect(#expect(throws: SystemError.self) { try UnixExchange.ask(long, "?", seconds: 1) }?.code == ENAMETOOLONG)
    }

    @Test func whoNeverAnswersIsNotWaitedForForEver() throws {
        let folder = try TemporaryFolder()
        let listener = try ListeningSocket(folder.path("s"))
        #expect(
            #expect(throws: SystemError.self) { try UnixExchange.ask(folder.path("s"), "?", seconds: 1) }?.code
                == EAGAIN)
        _ = listener
    }

    /// In a process of its own, where nobody else opens and closes.
    @Test func noExchangeLeavesADescriptor() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let listener = try ListeningSocket(folder.path("s"))
            func descriptors() -> Int { (try? Folder.names("/proc/self/fd").count) ?? -1 }
            let before = descriptors()
            for _ in 0..<200 {
                #expect(throws: SystemError.self) { try UnixExchange.ask(folder.path("none"), "?", seconds: 1) }
            }
            #expect(throws: SystemError.self) { try UnixExchange.ask(listener.path, "?", seconds: 1) }
            // The test library has a few of its own that come and go.
            #expect(descriptors() < before + 50)
        }
    }
}
