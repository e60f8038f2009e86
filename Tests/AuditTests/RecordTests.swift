import Audit
import Foundation
import Model
import Synchronization
import TestSupport
import Testing

/// What a line looks like, and that nothing from outside can make another of it.
@Suite(.timeLimit(.minutes(10))) struct RecordTests {
    @Test func aLineIsAsDocumented() throws {
        let log = try TestLog()
        let audit = try log.open()
        try audit.append(.sample(0), durable: true)
        let line = try #require(log.lines.last)
        let record = try #require(try audit.tail(1).first)
        #expect(
            line == """
                {"seq":2,"time":"2023-11-14T22:13:20.002000006Z","kind":"operation",\
                "actor":{"uid":1000,"gid":100,"pid":4242},"operation":"deploy","decision":"allowed",\
                "rule":"rules.conf:41","untrusted":{"user":"ada","comm":"schedctl",\
                "cgroup":"/user.slice","subject":"sha256:00ff","detail":{"cpus":"0-3","stage":"canary"}},\
                "prev":"\(record.prev)","hash":"\(record.hash)"}
                """)
        #expect(record.entry == .sample(0))
        #expect(record.seq == 2)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func whatIsWrittenIsReadAndVerified(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let log = try TestLog()
        let audit = try log.open()
        let receipts = try (0..<60).map { _ in try audit.append(.random(&random), durable: random.chance(10)) }
        #expect(receipts.map(\.seq) == Array(2...61))
        try audit.close()
        let report = try log.verify(expecting: receipts[30])
        #expect(report.problem == nil)
        #expect(report.head == audit.head)
        let records = try audit.records(after: 0, limit: 1000)
        #expect(records.count == report.records)
        #expect(records.filter { (2...61).contains($0.seq) }.map(\.hash) == receipts.map(\.hash))
        #expect(records.allSatisfy { $0.entry.detail.count <= 16 })
        #expect(records.allSatisfy { $0.entry.subject.utf8.count <= 256 })
        // JSON for everyone else, too: one object a line.
        for line in log.lines {
            #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any])
        }
        // ASCII control characters and what hides or reorders are nowhere in the file.
        let scalars = log.text.unicodeScalars
        #expect(scalars.allSatisfy { $0 == "\n" || !($0.properties.generalCategory == .control) })
        #expect(scalars.allSatisfy { $0.properties.generalCategory != .format })
    }

    static let forgeries = [
        "\n{\"seq\":3,\"kind\":\"operation\"}\n", "\",\"decision\":\"allowed", "\\\",\"uid\":0,\"x\":\"", "},{",
        "\"},{\"seq\":99", "\u{2028}new line", "\u{2029}new paragraph", "\u{1B}[2J\u{1B}[1;1Hall is well",
        "\u{9B}2J", "\u{202E}txet desrever\u{202C}", "\u{2066}isolate\u{2069}", "zero\u{200B}width\u{FEFF}",
        "\u{7F}\u{8}\u{8}\u{8}", "\u{0}nul", "\r\nCR", "tags\u{E0041}\u{E0042}", "selector\u{FE0F}\u{E0100}",
        "filler\u{3164}\u{115F}", "soft\u{AD}hyphen", "\\", "\\u0022", "\\\\\"", "\u{85}next line", "\u{61C}mark",
    ]

    @Test(arguments: forgeries) func aForgeryStaysInItsString(_ text: String) throws {
        let log = try TestLog()
        let audit = try log.open()
        let actor = AuditActor(uid: 1000, gid: 100, pid: 7, user: text, comm: text, cgroup: text)
        try audit.append(
            AuditEntry(
                .denied, text, actor: actor, subject: text, decision: .denied, rule: text,
                outcome: AuditOutcome(code: text, message: text), detail: [text: text]), durable: true)
        #expect(log.lines.count == 2)
        #expect(log.text.utf8.count { $0 == 10 } == 2)
        let report = try log.verify()
        #expect(report.records == 2)
        #expect(report.problem == nil)
        let line = try #require(log.lines.last)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["seq"] as? Int == 2)
        #expect(object["decision"] as? String == "denied")
        #expect((object["actor"] as? [String: Int])?["uid"] == 1000)
        let untrusted = try #require(object["untrusted"] as? [String: Any])
        #expect(Set(untrusted.keys) == ["user", "comm", "cgroup", "subject", "message", "detail"])
        #expect(untrusted["subject"] as? String == text.escapedForStore)
        // Even decoded, nothing acts on a terminal.
        for value in untrusted.values.compactMap({ $0 as? String }) {
            #expect(value.unicodeScalars.allSatisfy { !$0.properties.isDefaultIgnorableCodePoint && $0.value >= 32 })
        }
        // Our own words stay words.
        let words = #/[A-Za-z0-9_.:\/-]*/#
        for name in ["operation", "rule", "outcome"] {
            #expect((object[name] as? String)?.wholeMatch(of: words) != nil)
        }
    }

    @Test(arguments: [.min, -1, 0, 1, .max] as [Int32]) func everyProcessIsReadAgain(_ pid: Int32) throws {
        let log = try TestLog()
        let audit = try log.open()
        try audit.append(AuditEntry(.event, "x", actor: AuditActor(uid: .max, gid: .max, pid: pid)), durable: false)
        #expect(try audit.tail(1).first?.entry.actor == AuditActor(uid: .max, gid: .max, pid: pid))
        #expect(try log.verify().records == 2)
    }

    @Test func longStringsAreCut() throws {
        let log = try TestLog()
        let audit = try log.open()
        let long = String(repeating: "ä\n", count: 100_000)
        var entry = AuditEntry(.event, long, subject: long, rule: long)
        entry.detail = ["key": long]
        try audit.append(entry, durable: false)
        let record = try #require(try audit.tail(1).first)
        #expect(record.entry.subject.utf8.count <= 256 && record.entry.subject.hasSuffix("…"))
        #expect(record.entry.operation.utf8.count == 128)
        #expect(record.entry.detail["key"]?.utf8.count ?? 0 > 1000)
        #expect(record.entry.detail["key"]?.utf8.count ?? 2000 <= 1024)
    }

    @Test func pairsAboveSixteenAreCounted() throws {
        let log = try TestLog()
        let audit = try log.open()
        var entry = AuditEntry(.event, "many")
        for index in 0..<40 { entry.detail["key\(10 + index)"] = "value" }
        try audit.append(entry, durable: false)
        let detail = try #require(try audit.tail(1).first?.entry.detail)
        #expect(detail.count == 16)
        #expect(detail["more"] == "25")
        #expect(detail["key24"] == "value")
    }

    @Test(
        arguments: [0, -1, .min, .max, 951_782_399_999_999_999, 951_782_400_000_000_000, 4_107_542_400_000_000_000]
            as [Int64])
    func everyTimeIsReadAgain(_ time: Int64) throws {
        let log = try TestLog()
        log.clock.withLock { $0 = time == .min ? .min : time - (time > 0 ? 2_000_006 : 0) }
        if time == .max { log.clock.withLock { $0 = .max - 10_000_000 } }
        let audit = try log.open()
        try audit.append(.sample(0), durable: false)
        let record = try #require(try audit.tail(1).first)
        #expect(record.time >= 0)
        #expect(try log.verify().problem == nil)
        let formatter = ISO8601DateFormatter()
        let date = formatter.string(from: Date(timeIntervalSince1970: Double(record.time / 1_000_000_000)))
        #expect(log.lines.last?.contains("\"time\":\"\(date.dropLast()).") == true)
    }
}

extension String {
    /// What is stored for a short text: as shown to people, and what is invisible escaped too.
    fileprivate var escapedForStore: String {
        let shown = escapedForDisplay()
        var out = ""
        for scalar in shown.unicodeScalars {
            let isHidden = scalar.properties.isDefaultIgnorableCodePoint
            out += isHidden ? "\\u{" + String(scalar.value, radix: 16) + "}" : String(scalar)
        }
        return out
    }
}

/// The reader of one line, fed with what it must refuse.
@Suite(.timeLimit(.minutes(10))) struct LineTests {
    private func line() throws -> String {
        let log = try TestLog()
        let audit = try log.open()
        try audit.append(.sample(0), durable: false)
        return try #require(log.lines.last)
    }

    @Test func everyCutIsRefused() throws {
        let bytes = Array(try line().utf8)
        #expect(AuditRecord(line: bytes) != nil)
        for length in bytes.indices { #expect(AuditRecord(line: Array(bytes[..<length])) == nil) }
        for length in 1..<bytes.count { #expect(AuditRecord(line: Array(bytes[length...])) == nil) }
    }

    @Test(arguments: [
        ("\"seq\":2", "\"seq\":-2"), ("\"seq\":2", "\"seq\":2.0"), ("\"seq\":2", "\"seq\":18446744073709551616"),
        ("\"seq\":2", "\"seq\":18446744073709551615"), ("\"seq\":2", "\"seq\":9007199254740993"),
        ("\"uid\":1000", "\"uid\":4294967296"), ("\"pid\":4242", "\"pid\":2147483648"), ("\"pid\":4242", "\"pid\":-0"),
        ("operation\",\"actor", "strange\",\"actor"), ("\"decision\":\"allowed\"", "\"decision\":\"maybe\""),
        ("deploy", "de ploy"), ("deploy", ""), ("2023-11-14", "2023-11-31"), ("2023-11-14", "2023-13-14"),
        ("T22:", "T24:"), ("Z\"", "z\""), ("ada", "a\tda"), ("ada", "a\u{202E}da"), ("ada", "a\\u0064a"),
        ("ada", "a\\nda"),
        ("ada", "a\u{1B}da"), ("ada", "a\u{E0041}da"), ("canary", "\\"), ("\"cpus\"", "\"zz\""),
        ("\"stage\"", "\"cpus\""),
        ("{\"user\"", "{,\"user\""), ("\"prev\":\"", "\"prev\":\"F"), ("\"user\":\"ada\",", "\"user\":\"\","),
    ])
    func otherSpellingsAreRefused(_ old: String, _ new: String) throws {
        let line = try line()
        #expect(line.contains(old))
        #expect(AuditRecord(line: Array(line.replacing(old, with: new).utf8)) == nil)
    }

    @Test func bytesThatAreNotUTF8AreRefused() throws {
        var bytes = Array(try line().utf8)
        let place = try #require(bytes.firstIndex(of: UInt8(ascii: "d")))
        for byte in [0x80, 0xC0, 0xFF, 0xF8] as [UInt8] {
            bytes[place] = byte
            #expect(AuditRecord(line: bytes) == nil)
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func rubbishIsRefused(_ seed: UInt64) {
        var random = Seeded(seed)
        for _ in 0..<200 { #expect(AuditRecord(line: random.bytes(random.below(300))) == nil) }
        for _ in 0..<200 { #expect(AuditRecord(line: Array(random.text(200).utf8)) == nil) }
    }
}
