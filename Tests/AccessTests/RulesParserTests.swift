import Access
import Foundation
import Model
import TestSupport
import Testing

/// Mistakes in the rules: each is named by its line and column, and none of them leaves half of a file in force.
@Suite struct RulesParserTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        let text: String
        let line: Int
        let column: Int
        let says: String
        var testDescription: String { String(text.suffix(40)) }

        init(_ text: String, _ line: Int, _ column: Int, _ says: String) {
            (self.text, self.line, self.column, self.says) = (text, line, column, says)
        }
    }

    static let head = "version 1\noperation hello needs none in greeting\nrole observer\n  grants look\n"
    static let good = head + "bind everyone to observer\n"

    static let mistakes: [Mistake] = [
        Mistake("", 1, 1, "version 1"), Mistake("version 2\n" + good.dropFirst(10), 1, 9, "version"),
        Mistake("\n" + good.dropFirst(10), 2, 1, "version 1"),
        Mistake(good + "version 1\n", 6, 1, "already"), Mistake("version 1\n", 1, 1, "hello"),
        Mistake(good + "frobnicate\n", 6, 1, "no statement"),
        Mistake(good + "operatoin x needs look in serving\n", 6, 1, "no statement"),
        Mistake(good + "operation fly needs look in serving\n", 6, 11, "not possible"),
        Mistake(good + "operation status needs fly in serving\n", 6, 24, "not possible"),
        Mistake(good + "operation status needs look in flight\n", 6, 32, "not possible"),
        Mistake(good + "operation status wants look in serving\n", 6, 18, "not possible"),
        Mistake(good + "operation status needs look\n", 6, 24, "missing"),
        Mistake(good + "operation status needs look in serving now\n", 6, 40, "too much"),
        Mistake(good + "operation status needs look in greeting\n", 6, 32, "greeting"),
        Mistake("version 1\noperation hello needs none in serving\n", 2, 31, "serving"),
        Mistake(good + "operation hello needs none in greeting\n", 6, 11, "already"),
        Mistake(good + "role king\n", 6, 6, "not possible"), Mistake(good + "role observer\n", 6, 6, "already"),
        Mistake(head + "  grants fly\n", 5, 10, "not possible"), Mistake(head + "  grants\n", 5, 3, "grants what"),
        Mistake(head + "  includes agent\n", 5, 12, "no role above"),
        Mistake(head + "  includes observer\n", 5, 12, "no role above"),
        Mistake(good + "role agent\n  grants look\n  includes observer\n", 8, 3, "first line"),
        Mistake(head + "  requests-per-second 0 burst 1\n", 5, 23, "not possible"),
        Mistake(head + "  requests-per-second 5\n", 5, 3, "burst"),
        Mistake(head + "  streams -1\n", 5, 11, "not possible"), Mistake(head + "  streams 1 2\n", 5, 13, "one value"),
        Mistake(head + "  streams 99999999999999999999\n", 5, 11, "not possible"),
        Mistake(head + "  streams\n", 5, 3, "one value"),
        Mistake(head + "  streams 1\n  streams 2\n", 6, 3, "already"),
        Mistake(head + "  user-memory maybe\n", 5, 15, "not possible"),
        Mistake(head + "  canary-scope moon\n", 5, 16, "not possible"),
        Mistake(head + "  cost-per-hour 1.0000001\n", 5, 17, "not possible"),
        Mistake(head + "  changes-per-hour 1000001\n", 5, 20, "not possible"),
        Mistake(head + "  helpers a*b\n", 5, 11, "not possible"), Mistake(head + "  helpers\n", 5, 3, "which"),
        Mistake(head + "  sreams 4\n", 5, 3, "nothing that a role has"),
        Mistake(good + "bind user root to admin\n", 6, 1, "never reached"),
        Mistake(head + "bind user root to king\n", 5, 19, "not possible"),
        Mistake(head + "bind user root to admin\n", 5, 19, "not described"),
        Mistake(head + "bind user root observer\n", 5, 16, "missing"),
        Mistake(head + "bind host x to observer\n", 5, 6, "not possible"),
        Mistake(good + "attestation lifetime 5y\n", 6, 22, "not a lifetime"),
        Mistake(good + "attestation lifetime 1s\n", 6, 22, "not a lifetime"),
        Mistake(good + "attestation lifetime +5m\n", 6, 22, "not a lifetime"),
        Mistake(good + "attestation requires Kernel\n", 6, 22, "stage"),
        Mistake(good + "attestation hopes kernel\n", 6, 13, "not possible"),
        Mistake(good + "unverified maybe\n", 6, 12, "not possible"),
        Mistake(good + "unverified allowed\nunverified allowed\n", 7, 1, "already"),
        Mistake(good + "trust x ed25519 AAAA\n", 6, 17, "public key"),
        Mistake(good + "trust x rsa AAAA\n", 6, 9, "not possible"),
        Mistake(good + "trust x ed25519 \(key) until 2027-02-29\n", 6, 68, "date"),
        Mistake(good + "trust x ed25519 \(key)\ntrust x ed25519 \(key)\n", 7, 7, "already"),
        Mistake(good + "trust x ed25519 \(key.dropLast(2))B=\n", 6, 17, "public key"),
        Mistake(good + "cost-per-cpu-second much\n", 6, 21, "amount"),
        Mistake(good + "role\u{1B}[2J agent\n", 6, 5, "control"),
        Mistake(good + String(repeating: "x", count: 1025) + "\n", 6, 1024, "longer"),
    ]

    /// What a reader would not see.
    @Test(arguments: ["\u{202E}", "\u{200B}", "\u{FEFF}", "\u{2028}", "\u{85}", "\u{E0041}"])
    func hiddenCharactersAreNamedAlsoInComments(_ hidden: String) {
        for text in ["# a\(hidden)b", "bind user ro\(hidden)ot to observer"] {
            let report = AccessRules.read(Array((Self.head + text + "\n").utf8)) { _ in 0 }
            #expect(report.rules == nil && report.errors.first?.line == 5)
            #expect(report.errors.first?.message.contains("invisible") == true)
        }
    }

    @Test func whatIsForbiddenToAllIsForbiddenToRootAsWell() throws {
        let text = try String(decoding: AccessRulesTests.shipped(), as: UTF8.self)
            .replacingOccurrences(of: "unverified allowed", with: "unverified forbidden")
        let rules = try #require(AccessRules.read(Array(text.utf8), resolve: AccessRulesTests.resolve).rules)
        let root = try #require(AccessRulesTests.actors[.admin])
        let decision = rules.decide(rules.assignment(of: root), .deployUnverified, in: .serving)
        let line = text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex {
            $0.hasPrefix("unverified ")
        }
        #expect(!decision.isAllowed && decision.line == (line ?? 0) + 1)
        #expect(!rules.explain(root, .deployUnverified).isAllowed)
        let refused = Result { () throws(Failure) in try rules.check(root, .deployUnverified, in: .serving) }
        guard case .failure(let failure) = refused else {
            Issue.record("it was permitted")
            return
        }
        #expect(failure.message.contains("forbid"))
    }

    static let key = String(repeating: "A", count: 43) + "="

    @Test(arguments: mistakes) func aMistakeIsNamedWhereItIs(_ mistake: Mistake) throws {
        let report = AccessRules.read(Array(mistake.text.utf8)) { _ in 0 }
        #expect(report.rules == nil)
        let first = try #require(report.errors.first)
        #expect(first.line == mistake.line && first.column == mistake.column, "\(first)")
        #expect(first.description.hasPrefix("rules.conf:\(mistake.line):\(mistake.column): error: "))
        #expect(first.description.contains(mistake.says), "\(first)")
        #expect(first.description.unicodeScalars.allSatisfy { $0.value >= 32 })
    }

    @Test func whatIsGoodIsGood() throws {
        let report = AccessRules.read(Array(Self.good.utf8)) { _ in nil }
        #expect(report.errors.isEmpty)
        let more =
            Self.good
            + "trust b ed25519 \(Self.key) until 2027-01-31\nattestation lifetime 7d\nattestation requires origin kernel\n"
        let rules = try #require(AccessRules.read(Array(more.utf8)) { _ in nil }.rules)
        #expect(rules.trusted.map(\.publicKey) == [[UInt8](repeating: 0, count: 32)])
        // 2027-01-31T23:59:59Z
        #expect(rules.trusted.first?.until == 1_801_439_999)
        #expect(rules.attestationLifetimeSeconds == 604_800)
        #expect(rules.requiredStages == ["origin", "kernel"])
        #expect(!rules.unverifiedAllowed)
    }

    @Test func bytesThatAreNoTextAreNamed() {
        for (bytes, line) in [([0xFF, 0xFE], 1), (Array(Self.good.utf8) + [0xC3, 0x28], 6)] as [([UInt8], Int)] {
            let report = AccessRules.read(bytes) { _ in nil }
            #expect(report.rules == nil && report.errors.first?.line == line)
        }
        let huge = [UInt8](repeating: 35, count: AccessRules.maxBytes + 1)
        #expect(AccessRules.read(huge) { _ in nil }.errors.first?.message.contains("bytes") == true)
        let long = Array(Self.good.utf8) + [UInt8](repeating: 10, count: 5000)
        #expect(AccessRules.read(long) { _ in nil }.errors.first?.message.contains("lines") == true)
    }

    @Test func unknownNamesBindNobodyAndAreSaid() throws {
        let text = Self.head + "bind user ghost to observer\n"
        let report = AccessRules.read(Array(text.utf8)) { _ in nil }
        #expect(report.warnings.contains { $0.line == 5 && $0.message.contains("ghost") })
        let rules = try #require(report.rules)
        #expect(rules.assignment(of: Actor(uid: 0, gid: 0, pid: 1, groups: [], user: "ghost")) == nil)
    }

    /// Whatever the bytes: it ends, and names only lines that the file has.
    @Test(arguments: 0..<8) func itIsTotal(seed: UInt64) throws {
        var random = Seeded(seed)
        let shipped = try AccessRulesTests.shipped()
        for round in 0..<150 {
            var bytes = round % 3 == 0 ? random.bytes(random.below(600)) : shipped
            for _ in 0..<(round % 3 == 0 ? 0 : 1 + random.below(12)) where !bytes.isEmpty {
                let at = random.below(bytes.count)
                switch random.below(4) {
                case 0: bytes[at] = UInt8(random.below(256))
                case 1: bytes.remove(at: at)
                case 2:
                    bytes.insert(contentsOf: shipped[random.below(shipped.count)...].prefix(random.below(40)), at: at)
                default: bytes.removeSubrange(at..<min(bytes.count, at + random.below(60)))
                }
            }
            let report = AccessRules.read(bytes, resolve: AccessRulesTests.resolve)
            let lines = bytes.count { $0 == 10 } + 1
            #expect((report.rules == nil) == !report.errors.isEmpty)
            #expect((report.errors + report.warnings).allSatisfy { (1...lines).contains($0.line) && $0.column >= 1 })
            #expect(
                (report.errors + report.warnings).allSatisfy {
                    $0.description.unicodeScalars.allSatisfy { $0.value >= 32 }
                })
        }
    }

    @Test func whatAnAgentsSchedulerMayUse() throws {
        let rules = try AccessRulesTests.rules()
        let agent = try #require(AccessRulesTests.actors[.agent])
        let limits = rules.limits(of: rules.assignment(of: agent))
        func objections(
            _ functions: Set<String>, _ helpers: Set<String> = [], _ maps: Set<String> = [], user: Bool = false
        ) -> [String] {
            limits.objections(
                to: CandidateUse(kernelFunctions: functions, helpers: helpers, mapTypes: maps, readsUserMemory: user)
            ).map(\.description)
        }
        #expect(
            objections(["scx_bpf_dsq_insert", "bpf_cpumask_test_cpu"], ["bpf_map_lookup_elem"], ["hash", "array"])
                .isEmpty)
        #expect(objections(["hid_bpf_hw_request"]).first?.contains("rules.conf:") == true)
        #expect(objections([], ["bpf_send_signal"]).count == 1)
        #expect(objections([], [], ["prog_array"]).count == 1)
        #expect(objections([], [], [], user: true).count == 1)
        let admin = try #require(AccessRulesTests.actors[.admin])
        let free = rules.limits(of: rules.assignment(of: admin))
        let all = CandidateUse(
            kernelFunctions: ["x"], helpers: ["bpf_send_signal"], mapTypes: ["prog_array"], readsUserMemory: true)
        #expect(free.objections(to: all).isEmpty)
    }
}
