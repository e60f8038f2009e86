package import Model

/// How much a role may have and use. What a file does not say is as strict as it is here.
package struct RoleLimits: Hashable, Sendable {
    /// Nil: as often as it likes.
    package var requestsPerSecond: Int? = 50
    /// Requests that may come at once.
    package var burst = 200
    package var connections = 32
    package var streams = 4
    package var verifications = 1
    package var sourceBytes = 256 * 1024
    package var objectBytes = 1024 * 1024
    package var cpuSecondsPerHour = 60
    /// In millionths of the rules' unit of money.
    package var costPerHour: Int64 = 1_000_000
    /// Changes of the repository.
    package var changesPerHour = 50
    package var deployWithoutCanary = false
    package var canaryScope = CanaryScope.none
    package var kernelFunctions = NamePatterns()
    package var helpers = NamePatterns()
    package var mapTypes = NamePatterns()
    package var userMemory = false
    /// How much verification a deployment needs at the least.
    package var effort = Effort.full

    package enum CanaryScope: String, CaseIterable, Sendable { case none, cgroup, machine }

    package init() {}

    /// As the rules spell them, for a person.
    package var described: [(name: String, value: String)] {
        [
            ("requests-per-second", requestsPerSecond.map { "\($0) burst \(burst)" } ?? "unlimited"),
            ("connections", "\(connections)"), ("streams", "\(streams)"), ("verifications", "\(verifications)"),
            ("source-bytes", "\(sourceBytes)"), ("object-bytes", "\(objectBytes)"),
            ("cpu-seconds-per-hour", "\(cpuSecondsPerHour)"), ("cost-per-hour", Decimal6.text(costPerHour)),
            ("changes-per-hour", "\(changesPerHour)"),
            ("deploy-without-canary", deployWithoutCanary ? "yes" : "no"), ("canary-scope", canaryScope.rawValue),
            ("kernel-functions", kernelFunctions.description), ("helpers", helpers.description),
            ("map-types", mapTypes.description), ("user-memory", userMemory ? "yes" : "no"),
            ("effort", effort.rawValue),
        ]
    }
}

/// Which names are permitted: a list, where a `*` at the end stands for anything, and exceptions from it.
package struct NamePatterns: Hashable, Sendable, CustomStringConvertible {
    /// Empty: none.
    package var permitted: [String] = []
    package var denied: [String] = []
    /// The lines that say so; 0 where none does.
    package var permitLine = 0
    package var denyLine = 0

    package func line(refusing name: String) -> Int? {
        if denied.contains(where: { Self.matches($0, name) }) { return denyLine }
        return permitted.contains { Self.matches($0, name) } ? nil : permitLine
    }

    private static func matches(_ pattern: String, _ name: String) -> Bool {
        pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : pattern == name
    }

    package var description: String {
        let permitted = permitted.isEmpty ? "none" : permitted == ["*"] ? "any" : permitted.joined(separator: " ")
        return denied.isEmpty ? permitted : permitted + " except " + denied.joined(separator: " ")
    }
}

/// What the programs of a scheduler call and what maps they have.
package struct CandidateUse: Hashable, Sendable {
    package var kernelFunctions: Set<String>
    package var helpers: Set<String>
    package var mapTypes: Set<String>
    package var readsUserMemory: Bool

    package init(
        kernelFunctions: Set<String>, helpers: Set<String>, mapTypes: Set<String>, readsUserMemory: Bool
    ) {
        self.kernelFunctions = kernelFunctions
        self.helpers = helpers
        self.mapTypes = mapTypes
        self.readsUserMemory = readsUserMemory
    }
}

/// Something that a scheduler uses and a role may not.
package struct Objection: Hashable, Sendable, CustomStringConvertible {
    package let what: String
    /// The line of the rules that says so; 0 where none permits it.
    package let line: Int

    package var description: String {
        "\(what.escapedForDisplay(limit: 200)) (\(line == 0 ? "no line permits it" : "\(AccessRules.fileName):\(line)"))"
    }
}

extension RoleLimits {
    package func objections(to use: CandidateUse) -> [Objection] {
        var found: [Objection] = []
        for (kind, names, patterns) in [
            ("the kernel function", use.kernelFunctions, kernelFunctions), ("the helper", use.helpers, helpers),
            ("a map of type", use.mapTypes, mapTypes),
        ] {
            for name in names.sorted() {
                if let line = patterns.line(refusing: name) {
                    found.append(Objection(what: "\(kind) \(name)", line: line))
                }
            }
        }
        if use.readsUserMemory && !userMemory {
            found.append(Objection(what: "reading the memory of processes", line: 0))
        }
        return found
    }
}

/// Decimal numbers with up to six digits behind the point, as millionths.
enum Decimal6 {
    static func parse(_ text: some StringProtocol) -> Int64? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ (1...9).contains($0.utf8.count) }),
            text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 46 }), let whole = Int64(parts[0])
        else { return nil }
        guard parts.count == 2 else { return whole * 1_000_000 }
        guard parts[1].utf8.count <= 6, let rest = Int64(parts[1]) else { return nil }
        let scale = (parts[1].utf8.count..<6).reduce(Int64(1)) { scale, _ in scale * 10 }
        return whole * 1_000_000 + rest * scale
    }

    static func text(_ millionths: Int64) -> String {
        let rest = String(millionths % 1_000_000 + 1_000_000).dropFirst()
        let digits = rest.reversed().drop { $0 == "0" }.reversed()
        return "\(millionths / 1_000_000)" + (digits.isEmpty ? "" : "." + String(digits))
    }
}
