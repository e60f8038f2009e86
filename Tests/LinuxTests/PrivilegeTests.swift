import Linux
import TestSupport
import Testing

@Suite struct CapabilitySetTests {
    static let texts: [(CapabilitySet, String)] = [
        ([], "none"), (.bpf, "CAP_BPF"), ([.bpf, .perfmon], "CAP_PERFMON CAP_BPF"),
        ([.setuid, .setgid, .setpcap], "CAP_SETGID CAP_SETUID CAP_SETPCAP"), (.sysAdmin, "CAP_SYS_ADMIN"),
        (CapabilitySet(rawValue: 1), "0x1"), (CapabilitySet(rawValue: 1 << 39 | 1 << 63), "CAP_BPF 0x8000000000000000"),
    ]

    @Test(arguments: texts) func isNamed(set: CapabilitySet, text: String) { #expect("\(set)" == text) }

    @Test func theNumbersAreThoseOfTheKernel() {
        #expect(([.bpf, .perfmon] as CapabilitySet).rawValue == 0xC0_0000_0000)
        #expect(CapabilitySet.sysAdmin.rawValue == 1 << 21)
        #expect(CapabilitySet.setgid.rawValue == 1 << 6)
        #expect(CapabilitySet.setuid.rawValue == 1 << 7)
        #expect(CapabilitySet.setpcap.rawValue == 1 << 8)
    }
}

@Suite struct ThreadPrivilegesTests {
    static let status = """
        Name:\tschedcpd
        Uid:\t65534\t65534\t65534\t65534
        Gid:\t65534\t65534\t65534\t65534
        Groups:\t 
        CapInh:\t0000000000000000
        CapPrm:\t000000c000000000
        CapEff:\t000000c000000000
        CapBnd:\t000000c000000000
        CapAmb:\t0000000000000000
        NoNewPrivs:\t1
        Seccomp:\t0

        """

    @Test func aStatusOfTheKernelsForm() throws {
        let it = try #require(ThreadPrivileges(status: Self.status))
        #expect(it.uids == [65534] && it.gids == [65534])
        #expect(it.permitted == [.bpf, .perfmon] && it.effective == it.permitted && it.bounding == it.permitted)
        #expect(it.inheritable.isEmpty && it.ambient.isEmpty)
        #expect(it.noNewPrivileges)
    }

    @Test func differentIdsAreAllThere() throws {
        let mixed = Self.status.replacing("Uid:\t65534\t65534\t65534\t65534", with: "Uid:\t1\t2\t3\t4")
        #expect(ThreadPrivileges(status: mixed)?.uids == [1, 2, 3, 4])
    }

    @Test(arguments: ["Uid", "Gid", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"])
    func aMissingOrMalformedFieldIsNoAnswer(_ field: String) {
        let lines = Self.status.split(separator: "\n")
        let without = lines.filter { !$0.hasPrefix(field + ":") }.joined(separator: "\n")
        #expect(ThreadPrivileges(status: without) == nil)
        for value in ["", "zzz", "-1", "1 2 x 4", "99999999999999999999"] {
            let bad = lines.map { $0.hasPrefix(field + ":") ? "\(field):\t\(value)" : String($0) }.joined(
                separator: "\n")
            #expect(ThreadPrivileges(status: bad) == nil, "\(field) is '\(value)'")
        }
    }

    @Test(arguments: [("0", false), ("1", true)]) func noNewPrivileges(value: String, expected: Bool) {
        let text = Self.status.replacing("NoNewPrivs:\t1", with: "NoNewPrivs:\t\(value)")
        #expect(ThreadPrivileges(status: text)?.noNewPrivileges == expected)
    }

    @Test(arguments: ["", "\n\n\n", ":", "::::", "Uid", "no colon\nat all", String(repeating: "x:", count: 10_000)])
    func whatIsNoStatusIsNoAnswer(_ text: String) { #expect(ThreadPrivileges(status: text) == nil) }

    @Test func thisProcessIsWhatItIs() throws {
        let own = try #require(ThisProcess.privileges())
        #expect(own.uids.contains(Checkout.userID))
        #expect(own.gids.contains(Checkout.groupID))
        #expect(own.effective.isSubset(of: own.permitted))
        #expect(ThisProcess.isRoot == Checkout.isRoot)
        let threads = try ThreadPrivileges.ofAllThreads()
        #expect(threads[Checkout.processID] == own)
    }

    @Test func aProcessThatIsNotThereHasNone() { #expect(HostProbe.privileges(ofProcess: 1 << 30) == nil) }

    /// The tests have many threads: giving up privileges now would leave some of them as they are.
    @Test func privilegesAreNotDroppedOnceThereAreThreads() {
        let problem = #expect(throws: PrivilegeDrop.Problem.self) {
            try PrivilegeDrop.become(uid: 65534, gid: 65534, keeping: [.bpf])
        }
        guard case .threadsExist(let count) = problem else {
            Issue.record("\(String(describing: problem))")
            return
        }
        #expect(count > 1)
        #expect(ThisProcess.isRoot == Checkout.isRoot)
    }

    @Test func verifyNoticesWhatIsNotAsItShouldBe() {
        #expect(throws: PrivilegeDrop.Problem.self) {
            try PrivilegeDrop.verify(uid: Checkout.userID &+ 1, gid: Checkout.groupID, kept: [])
        }
        #expect(throws: PrivilegeDrop.Problem.self) {
            try PrivilegeDrop.verify(
                uid: Checkout.userID, gid: Checkout.groupID, kept: CapabilitySet(rawValue: 1 << 63))
        }
    }
}

@Suite struct AccountsTests {
    @Test func rootIsKnown() {
        #expect(Accounts.user(named: "root")?.uid == 0)
        #expect(Accounts.user(named: "root")?.gid == 0)
        #expect(Accounts.name(ofUser: 0) == "root")
        #expect(Accounts.group(named: "root") == 0)
    }

    @Test(arguments: ["", "no-such-user-here", "root\n", "root:x", String(repeating: "a", count: 10_000)])
    func othersAreNot(_ name: String) {
        #expect(Accounts.user(named: name) == nil)
        #expect(Accounts.group(named: name) == nil)
    }

    @Test func aNumberWithoutAnAccountHasNoName() { #expect(Accounts.name(ofUser: 0x7FFF_FF00) == nil) }
}
