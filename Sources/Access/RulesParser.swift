import Model

/// Reads the rules line by line. Everything found is kept until the end: a file is taken as a whole or not at all.
struct RulesParser {
    struct RoleText {
        let line: Int
        var isUsed = false
        /// The lines that grant each right.
        var grants: [Right: Int] = [:]
        var limits = RoleLimits()
        /// Limits that were set in this role itself, by their line.
        var set: [String: Int] = [:]
    }

    let resolve: (Subject) -> UInt32?
    var errors: [RulesProblem] = []
    var warnings: [RulesProblem] = []
    var rows: [Operation: AccessRules.Row] = [:]
    var roles: [Role: RoleText] = [:]
    var binds: [AccessRules.Bind] = []
    var trusted: [TrustedVerifier] = []
    var requiredStages: [String] = []
    var lifetime: Int64 = 86_400
    var unverifiedAllowed = false
    /// Where that is said; 0 where it is not.
    var unverifiedLine = 0
    var costPerCPUSecond: Int64 = 0
    var verifiers: [VerifierPlace] = []
    var checks: [CheckRule] = []
    private var globals: [String: Int] = [:]
    private var current: Role?
    private(set) var number = 0

    init(resolve: @escaping (Subject) -> UInt32?) { self.resolve = resolve }

    static let statements = [
        "version", "operation", "role", "bind", "attestation", "unverified", "trust", "cost-per-cpu-second", "verifier",
        "check",
    ]

    mutating func read(_ bytes: [UInt8]) {
        guard bytes.count <= AccessRules.maxBytes else {
            return problem(1, 1, "the file has more than \(AccessRules.maxBytes) bytes")
        }
        var found: [RulesProblem] = []
        let lines = Lines.read(bytes) { if found.count < RulesReport.most { found.append($0) } }
        errors += found
        for line in lines {
            number = line.number
            statement(line.words)
        }
        finish()
    }

    // MARK: Problems

    mutating func problem(_ line: Int, _ column: Int, _ message: String, _ hint: String = "") {
        guard errors.count < RulesReport.most else { return }
        errors.append(RulesProblem(line: line, column: column, message: message, hint: hint, isWarning: false))
    }

    mutating func problem(_ word: Word, _ message: String, _ hint: String = "") {
        problem(number, word.column, message, hint)
    }

    private mutating func warn(_ line: Int, _ column: Int, _ message: String) {
        guard warnings.count < RulesReport.most else { return }
        warnings.append(RulesProblem(line: line, column: column, message: message, hint: "", isWarning: true))
    }

    static func quoted(_ word: Word) -> String { "'\(word.text.escapedForDisplay(limit: 60))'" }

    // MARK: Statements

    private mutating func statement(_ words: [Word]) {
        let first = words[0]
        if current != nil, !Self.statements.contains(first.text) { return roleLine(words) }
        current = nil
        if globals["version"] == nil, first.text != "version" {
            globals["version"] = 0
            problem(first, "the file does not begin with `version 1`")
        }
        switch first.text {
        case "version": version(words)
        case "operation": operation(words)
        case "role": role(words)
        case "bind": bind(words)
        case "attestation": attestation(words)
        case "unverified":
            guard once(words[0]), let word = exactly(2, words)?[1] else { return }
            guard let value = choice(word, ["allowed", "forbidden"]) else { return }
            unverifiedAllowed = value == "allowed"
            unverifiedLine = number
        case "trust": trust(words)
        case "verifier": verifier(words)
        case "check": check(words)
        case "cost-per-cpu-second":
            guard once(words[0]), let word = exactly(2, words)?[1] else { return }
            guard let cost = Decimal6.parse(word.text) else {
                return problem(
                    word, "\(Self.quoted(word)) is not an amount", "as 0.0002, at most six digits behind the point")
            }
            costPerCPUSecond = cost
        default: problem(first, "\(Self.quoted(first)) is no statement", Spelling.hint(first.text, Self.statements))
        }
    }

    private mutating func once(_ word: Word, _ name: String? = nil) -> Bool {
        let name = name ?? word.text
        if let earlier = globals[name], earlier > 0 {
            problem(word, "`\(name)` stands in line \(earlier) already")
            return false
        }
        globals[name] = number
        return true
    }

    mutating func exactly(_ count: Int, _ words: [Word]) -> [Word]? {
        if words.count == count { return words }
        let last = words.count > count ? words[count] : words[words.count - 1]
        problem(
            last,
            words.count > count
                ? "\(Self.quoted(last)) is too much" : "something is missing after \(Self.quoted(last))",
            Self.form(words[0].text))
        return nil
    }

    mutating func choice(_ word: Word, _ known: [String]) -> String? {
        if known.contains(word.text) { return word.text }
        problem(word, "\(Self.quoted(word)) is not possible here", Spelling.hint(word.text, known))
        return nil
    }

    private static func form(_ statement: String) -> String {
        switch statement {
        case "operation": "operation NAME needs RIGHT in PHASE"
        case "bind": "bind user NAME to ROLE, bind group NAME to ROLE, or bind everyone to ROLE"
        case "trust": "trust NAME ed25519 BASE64 [until YYYY-MM-DD]"
        case "attestation": "attestation lifetime 24h, or attestation requires STAGE…"
        case "verifier":
            "verifier NAME socket PATH [key ed25519 BASE64], or verifier NAME stream PATH key ed25519 BASE64"
        case "check": "check NAME off, check NAME warning, or check NAME error"
        case "role": "role NAME"
        case "version": "version 1"
        default: ""
        }
    }

    private mutating func version(_ words: [Word]) {
        guard once(words[0]), let word = exactly(2, words)?[1] else { return }
        if word.text != "1" {
            problem(word, "version \(Self.quoted(word)) is not one that this build reads", "version 1")
        }
    }

    private mutating func operation(_ words: [Word]) {
        guard let words = exactly(6, words), choice(words[2], ["needs"]) != nil, choice(words[4], ["in"]) != nil else {
            return
        }
        let known = Operation.allCases.map(\.rawValue)
        guard let name = choice(words[1], known), let operation = Operation(rawValue: name),
            let rightName = choice(words[3], Right.allCases.map(\.rawValue)), let right = Right(rawValue: rightName),
            let phaseName = choice(words[5], Phase.allCases.map(\.rawValue)), let phase = Phase(rawValue: phaseName)
        else { return }
        if let earlier = rows[operation] {
            return problem(words[1], "operation \(name) stands in line \(earlier.line) already")
        }
        if (operation == .hello) != (phase == .greeting) {
            return problem(
                words[5], "\(name) cannot be in \(phase.rawValue)",
                "a connection begins with hello, and everything else comes after it")
        }
        rows[operation] = AccessRules.Row(right: right, phase: phase, line: number)
    }

    private mutating func role(_ words: [Word]) {
        guard let word = exactly(2, words)?[1], let name = choice(word, Role.allCases.map(\.rawValue)),
            let role = Role(rawValue: name)
        else { return }
        if let earlier = roles[role] {
            return problem(word, "role \(name) begins in line \(earlier.line) already")
        }
        roles[role] = RoleText(line: number)
        current = role
    }

    private mutating func roleLine(_ words: [Word]) {
        guard let role = current, var text = roles[role] else { return }
        switch words[0].text {
        case "includes": include(words, into: &text)
        case "grants":
            if words.count < 2 {
                problem(words[0], "grants what?", "rights: " + Right.allCases.map(\.rawValue).joined(separator: ", "))
            }
            for word in words.dropFirst() {
                guard let name = choice(word, Right.allCases.map(\.rawValue)), let right = Right(rawValue: name) else {
                    continue
                }
                if text.grants[right] == nil { text.grants[right] = number }
            }
        default: limit(words, of: &text)
        }
        roles[role] = text
    }

    private mutating func include(_ words: [Word], into text: inout RoleText) {
        guard let word = exactly(2, words)?[1] else { return }
        guard let other = Role(rawValue: word.text), other != current, let included = roles[other] else {
            return problem(
                word, "\(Self.quoted(word)) is no role above this one",
                Spelling.hint(word.text, roles.keys.map(\.rawValue).sorted()))
        }
        guard text.grants.isEmpty, text.set.isEmpty else {
            return problem(words[0], "`includes` has to be the first line of its role")
        }
        text.grants = included.grants
        text.limits = included.limits
        roles[other]?.isUsed = true
    }

    private mutating func limit(_ words: [Word], of text: inout RoleText) {
        if let earlier = text.set[words[0].text] {
            return problem(words[0], "`\(words[0].text)` stands in line \(earlier) already")
        }
        do throws(LimitError) {
            try text.limits.set(words, line: number)
            text.set[words[0].text] = number
        } catch { problem(error.word, error.message, error.hint) }
    }

    private mutating func bind(_ words: [Word]) {
        let isEveryone = words.count > 1 && words[1].text == "everyone"
        guard let words = exactly(isEveryone ? 4 : 5, words) else { return }
        let place = words[1]
        guard choice(words[words.count - 2], ["to"]) != nil, choice(place, ["user", "group", "everyone"]) != nil,
            let name = choice(words[words.count - 1], Role.allCases.map(\.rawValue)), let role = Role(rawValue: name)
        else { return }
        if binds.contains(where: { $0.who == .everyone }) {
            return problem(words[0], "this line is never reached: `bind everyone` stands above it")
        }
        guard roles[role] != nil else {
            return problem(words[words.count - 1], "the role \(name) is not described above")
        }
        roles[role]?.isUsed = true
        if isEveryone { return binds.append(AccessRules.Bind(who: .everyone, role: role, line: number)) }
        let subject = place.text == "user" ? Subject.user(words[2].text) : .group(words[2].text)
        guard words[2].text.utf8.count <= 64 else { return problem(words[2], "the name is too long") }
        guard let id = UInt32(words[2].text) ?? resolve(subject) else {
            return warn(
                number, words[2].column,
                "there is no \(subject.description.escapedForDisplay(limit: 80)): this line binds nobody")
        }
        binds.append(AccessRules.Bind(who: place.text == "user" ? .user(id) : .group(id), role: role, line: number))
    }

    private mutating func attestation(_ words: [Word]) {
        guard words.count >= 3 else { _ = exactly(3, words); return }
        switch words[1].text {
        case "lifetime":
            guard once(words[0], "attestation lifetime"), let word = exactly(3, words)?[2] else { return }
            guard let seconds = Self.seconds(word.text), (60...7_776_000).contains(seconds) else {
                return problem(word, "\(Self.quoted(word)) is not a lifetime", "60s to 90d, as 30m, 24h or 7d")
            }
            lifetime = seconds
        case "requires":
            guard once(words[0], "attestation requires") else { return }
            for word in words.dropFirst(2) {
                guard Self.isStages(word.text) else {
                    problem(
                        word, "\(Self.quoted(word)) is not a stage's name",
                        "lower-case letters and -, as kernel; `origin|compile` where one of two is enough")
                    continue
                }
                requiredStages.append(word.text)
            }
        default: _ = choice(words[1], ["lifetime", "requires"])
        }
    }

    /// One stage, or some with `|` between.
    private static func isStages(_ text: String) -> Bool {
        let names = text.split(separator: "|", omittingEmptySubsequences: false)
        return names.count <= 8
            && names.allSatisfy { name in
                (1...64).contains(name.utf8.count)
                    && name.utf8.allSatisfy { (97...122).contains($0) || $0 == 45 }
            }
    }

    static func seconds(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let last = text.last, let unit = units[last], (2...8).contains(text.utf8.count),
            let count = Int64(text.dropLast()), count >= 0, text.first != "+"
        else { return nil }
        return count * unit
    }

    private mutating func trust(_ words: [Word]) {
        guard let words = exactly(words.count > 4 ? 6 : 4, words), choice(words[2], ["ed25519"]) != nil else { return }
        let name = words[1]
        guard name.text.utf8.count <= 64, name.text == name.text.escapedForDisplay() else {
            return problem(name, "\(Self.quoted(name)) is not a name", "at most 64 printed characters")
        }
        if let earlier = trusted.first(where: { $0.name == name.text }) {
            return problem(name, "\(Self.quoted(name)) stands in line \(earlier.line) already")
        }
        guard let key = Base64Key.decode(words[3].text) else {
            return problem(
                words[3], "this is not an Ed25519 public key",
                "44 characters, as `schedctl key export --format rules` prints it")
        }
        var until: Int64?
        if words.count == 6 {
            guard choice(words[4], ["until"]) != nil else { return }
            guard let date = CalendarDate.seconds(words[5].text) else {
                return problem(words[5], "\(Self.quoted(words[5])) is not a date", "YYYY-MM-DD")
            }
            until = date
        }
        trusted.append(TrustedVerifier(name: name.text, publicKey: key, until: until, line: number))
    }

    // MARK: The whole

    private mutating func finish() {
        let last = max(1, number)
        if globals["version"] == nil { problem(1, 1, "the file does not begin with `version 1`") }
        if rows[.hello] == nil {
            problem(
                last, 1, "there is no row for hello, and without one nobody could connect",
                "operation hello needs none in greeting")
        }
        for operation in Operation.allCases where rows[operation] == nil && operation != .hello {
            warn(last, 1, "operation \(operation.rawValue) has no row: it is denied to everyone")
        }
        for (role, text) in roles.sorted(by: { $0.value.line < $1.value.line }) where !text.isUsed {
            warn(text.line, 1, "the role \(role.rawValue) is bound to nobody")
        }
        if verifiers.isEmpty {
            warn(last, 1, "no line names a verifier: only what was attested elsewhere can be deployed")
        }
        if binds.isEmpty { warn(last, 1, "no line binds anybody: every connection is refused") }
    }
}
