import Daemon
import Deployment
import Linux
import Model
import NIOCore
import NIOEmbedded
import Repository
import Service
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// Status is the kernel's word at that moment, however often it is asked.
@Suite(.timeLimit(.minutes(5))) struct StatusTests {
    /// A folder that plays /sys/kernel/sched_ext.
    private static func kernel(_ state: String, _ ops: String, _ sequence: Int) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for name in ["state", "enable_seq", "nr_rejected", "switch_all", "root/ops"] {
            try folder.write("0\n", to: name)
        }
        try set(folder, state, ops, sequence)
        return folder
    }

    private static func set(_ kernel: TemporaryFolder, _ state: String, _ ops: String, _ sequence: Int) throws {
        try kernel.overwrite("root/ops", ops + "\n")
        try kernel.overwrite("enable_seq", "\(sequence)\n")
        try kernel.overwrite("state", state + "\n")
    }

    private static func status(_ connection: Embedded, _ id: UInt64 = 2) throws -> WireStatus {
        try connection.send(id, .status(.init()))
        let answers = try connection.answers()
        try #require(answers.count == 1)
        #expect(answers[0].id == id)
        return answers[0].status
    }

    @Test func aChangeOfTheKernelIsInTheNextAnswer() throws {
        let kernel = try Self.kernel("disabled", "", 3)
        let connection = try Embedded(kernel: kernel)
        try connection.greet()
        for round in 0..<50 {
            try Self.set(kernel, "disabled", "", 3 + round)
            var status = try Self.status(connection)
            #expect(status.kernel.state == "disabled" && status.kernel.owner == .none && status.kernel.ops.isEmpty)
            try Self.set(kernel, "enabled", "theirs\(round)", 4 + round)
            for _ in 0..<3 { status = try Self.status(connection) }
            #expect(status.kernel.state == "enabled" && status.kernel.owner == .foreign)
            #expect(status.kernel.ops == "theirs\(round)" && status.kernel.enableSeq == UInt64(4 + round))
            #expect(!status.hasDeployment)
        }
        try kernel.overwrite("nr_rejected", "17\n")
        #expect(try Self.status(connection).kernel.nrRejected == 17)
    }

    @Test func ourDeploymentIsShownAsLongAsTheKernelRunsIt() async throws {
        let kernel = try Self.kernel("enabled", "fifo_1", 5)
        let backend = try Embedded.Backend(kernel: kernel)
        let actor = Actor(uid: 7, gid: 7, pid: 7, groups: [], user: "alice")
        let spec = DeploymentSpec(
            scheduler: "fifo", artifact: "", parameters: [], hints: [], actor: actor,
            authority: .unverified(reason: "a test"))
        var record = try await backend.journal.begin(spec, at: 1)
        try record.move(to: .active, reason: "", at: 2)
        record.enableSequence = 5
        try await backend.journal.update(record)
        let passed = try ["ops", "link"].map { part in
            Systemd.Passed(fd: try Descriptor.open("/dev/null").release(), name: "scheduler-\(record.id)-\(part)")
        }
        try await backend.service.recover(passed)
        do {
            let connection = try Embedded(Embedded.ordinary, backend)
            try connection.greet()
            var status = try Self.status(connection)
            #expect(status.kernel.owner == .ours)
            #expect(status.deployment.scheduler == "fifo" && status.deployment.state == "active")
            #expect(!status.hasLastEnded)
            // Somebody else's is not ours, though the service has not looked yet.
            try Self.set(kernel, "enabled", "theirs", 6)
            status = try Self.status(connection)
            #expect(status.kernel.owner == .foreign && !status.hasDeployment)
        }
        await backend.service.observe()
        let connection = try Embedded(Embedded.ordinary, backend)
        try connection.greet()
        let status = try Self.status(connection)
        #expect(status.lastEnded.scheduler == "fifo" && status.lastEnded.state == "ejected")
    }

    @Test func theAnswerIsTheSameWhicheverWayItIsEncoded() throws {
        let connection = try Embedded()
        try connection.greet()
        for id in [1, 127, 128, 300, 1 << 21, 1 << 35, UInt64.max] {
            #expect(try Self.status(connection, id).kernel.release == KernelConfig.release)
        }
    }
}

/// Places for connections.
@Suite struct AdmissionTests {
    private static func actor(_ uid: UInt32) -> Actor { Actor(uid: uid, gid: uid, pid: 1, groups: [], user: "u") }

    private static func enter(_ admission: Admission, _ uid: UInt32, mayChange: Bool = false) -> Bool {
        do throws(Failure) {
            _ = try admission.enter(actor(uid), places: 512, mayChange: mayChange)
            return true
        } catch {
            #expect(error.code == .tooMany)
            #expect(!error.hint.isEmpty)
            return false
        }
    }

    @Test func aUserHasSoManyAndAnotherHasItsOwn() {
        let admission = Admission(limits: ServerLimits())
        for _ in 0..<512 { #expect(Self.enter(admission, 1)) }
        #expect(!Self.enter(admission, 1))
        #expect(Self.enter(admission, 2))
        admission.leave(Self.actor(1), rate: nil)
        #expect(Self.enter(admission, 1))
        #expect(!Self.enter(admission, 1))
        #expect(admission.total == 513)
    }

    @Test func theLastPlacesAreForThoseWhoCanPutThingsRight() {
        let admission = Admission(limits: ServerLimits())
        var inside = 0
        for uid in 1...20 as ClosedRange<UInt32> {
            for _ in 0..<100 where Self.enter(admission, uid) { inside += 1 }
        }
        #expect(inside == 960)
        for _ in 0..<64 { #expect(Self.enter(admission, 0, mayChange: true)) }
        #expect(!Self.enter(admission, 0, mayChange: true))
        #expect(admission.total == 1024)
        // Everyone leaves, and everything is as in the beginning.
        for uid in 1...9 as ClosedRange<UInt32> { for _ in 0..<100 { admission.leave(Self.actor(uid), rate: nil) } }
        #expect(admission.total == 124)
        #expect(Self.enter(admission, 30))
    }
}
