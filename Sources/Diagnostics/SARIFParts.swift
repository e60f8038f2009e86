import Model

/// The rules that a log names (§3.49): the whole catalogue, and what else the findings name.
struct SARIFRules {
    private(set) var values: [JSONValue] = []
    private var indexes: [String: Int] = [:]

    init(_ findings: [Finding]) {
        for check in CheckCatalogue.all { add(check.name, Self.rule(check)) }
        for finding in findings where indexes[finding.check] == nil {
            add(finding.check, ["id": .string(finding.check), "shortDescription": ["text": .string(finding.check)]])
        }
    }

    private mutating func add(_ name: String, _ rule: JSONValue) {
        indexes[name] = values.count
        values.append(rule)
    }

    func index(of check: String) -> Int { indexes[check] ?? -1 }

    private static func rule(_ check: CheckDescription) -> JSONValue {
        [
            "id": .string(check.name),
            "name": .string(
                check.name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()),
            "shortDescription": ["text": .string(check.title)],
            "fullDescription": ["text": .string(check.why)],
            "help": [
                "text": .string("\(check.why)\n\n\(check.remedy)"),
                "markdown": .string("**Why it matters.** \(check.why)\n\n**Remedy.** \(check.remedy)"),
            ],
            "defaultConfiguration": ["level": .string(check.severity.rawValue)],
        ]
    }
}

/// The files that a log names (§3.24), and places in them.
struct SARIFFiles {
    private(set) var values: [JSONValue] = []
    private var indexes: [String: Int] = [:]
    private let sources: SourceTexts

    init(_ run: Diagnosis, _ sources: SourceTexts) {
        self.sources = sources
        add(run.name, role: "analysisTarget", digest: run.source.isEmpty ? run.artifact : run.source)
        for finding in run.findings {
            for location in [finding.location].compactMap({ $0 }) + finding.path.map(\.location) {
                if indexes[location.file] == nil { add(location.file, role: "resultFile", digest: "") }
            }
        }
    }

    private mutating func add(_ file: String, role: String, digest: String) {
        indexes[file] = values.count
        values.append(
            .members([
                "location": ["uri": .string(Self.uri(sources.shown(file)))], "roles": .array([.string(role)]),
                "hashes": digest.isEmpty ? nil : ["sha-256": .string(digest)],
            ]))
    }

    /// §3.28.
    func location(_ location: SourceLocation, _ finding: Finding? = nil, message: String? = nil) -> JSONValue {
        var region: [String: JSONValue] = [:]
        if location.line > 0 {
            region["startLine"] = .integer(Int64(location.line))
            if location.column > 0 { region["startColumn"] = .integer(Int64(location.column)) }
            let text = sources.line(location) ?? location.text
            if !text.isEmpty { region["snippet"] = ["text": .string(text)] }
        }
        let uri: JSONValue = .string(Self.uri(sources.shown(location.file)))
        let operation = finding?.operation ?? ""
        return .members([
            "physicalLocation": .members([
                "artifactLocation": .members([
                    "uri": uri, "index": indexes[location.file].map { .integer(Int64($0)) },
                ]),
                "region": region.isEmpty ? nil : .object(region),
            ]),
            "logicalLocations": operation.isEmpty
                ? nil : .array([["name": .string(operation), "kind": "function"]]),
            "message": message.map { ["text": .string($0)] },
        ])
    }

    /// A path as a URI reference: what RFC 3986 does not allow in a path is escaped.
    static func uri(_ path: String) -> String {
        let hexDigits = Array("0123456789ABCDEF")
        var text = path.hasPrefix("/") ? "file://" : ""
        for byte in path.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E, 0x2F:
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                text += "%" + String(hexDigits[Int(byte >> 4)]) + String(hexDigits[Int(byte & 15)])
            }
        }
        return text
    }
}
