import Foundation
import TestSupport
import Testing

/// Arrows point downward only: docs and Package.swift say the same, and so do the imports.
@Suite(.timeLimit(.minutes(5))) struct DependencyTests {
    /// What each target may use, written down a second time.
    static let allowed: [String: Set<String>] = [
        "Model": [],
        "CLinux": [],
        "CSystemd": [],
        "CLibBPF": [],
        "bench-wire": [],
        "GuestProtocol": [],
        "Linux": ["CLinux", "Model"],
        "Service": ["CSystemd", "Linux"],
        "Kernel": ["CLibBPF", "Linux", "Model"],
        "Wire": ["Model", "NIOCore", "SwiftProtobuf"],
        "Access": ["Model"],
        "Attestation": ["Model", "Crypto"],
        "Audit": ["Linux", "Model", "Crypto"],
        "Embedding": ["Linux", "Model", "Crypto"],
        "Search": ["Embedding", "Model"],
        "Repository": ["Linux", "Model", "GRDB", "TOMLKit", "Crypto"],
        "Deployment": ["Kernel", "Linux", "Model", "Service", "Logging"],
        "Daemon": [
            "Access", "Attestation", "Audit", "Deployment", "Embedding", "Kernel", "Linux", "Model", "Repository",
            "Search", "Service", "Wire", "Logging", "NIOCore", "NIOPosix",
        ],
        "DaemonCommand": ["Daemon", "Deployment", "Linux", "Service", "ArgumentParser", "Logging"],
        "schedcpd": ["Daemon", "DaemonCommand", "Deployment", "ArgumentParser"],
        "schedcp-eject": ["Linux", "Model"],
        "Client": ["Model", "Wire", "NIOCore", "NIOPosix"],
        "Exchange": ["Attestation", "Linux", "Model"],
        "Web": ["Model", "AsyncHTTPClient", "NIOCore", "NIOHTTP1"],
        "Registry": ["Exchange", "Linux", "Model", "Web"],
        "EmbeddingEndpoint": ["Embedding", "Linux", "Model", "Web", "Crypto"],
        "RemoteSearch": ["Linux", "Model", "Search", "Crypto"],
        "MicroVM": ["GuestProtocol", "Linux", "NIOCore", "NIOPosix", "Subprocess"],
        "BPFObject": ["Model"],
        "Liveness": ["BPFObject", "Model"],
        "Diagnostics": ["Model"],
        "Torture": ["GuestProtocol", "Kernel", "Linux", "Model"],
        "Trials": ["GuestProtocol", "Linux", "MicroVM", "Model", "Crypto", "Subprocess"],
        "Verifier": [
            "BPFObject", "Diagnostics", "Kernel", "Linux", "Liveness", "Model", "Trials", "Crypto", "Subprocess",
        ],
        "schedcp-verify": [
            "Attestation", "Linux", "Model", "Verifier", "Wire", "ArgumentParser", "Logging", "SwiftProtobuf",
        ],
        "schedctl": [
            "Access", "Attestation", "Audit", "Client", "Diagnostics", "EmbeddingEndpoint", "Exchange", "GuestProtocol",
            "Linux", "MicroVM", "Model", "Registry", "RemoteSearch", "Search", "Verifier", "Web", "Wire",
            "ArgumentParser", "SwiftProtobuf",
        ],
        "schedcp-guest": ["GuestProtocol", "Kernel", "Linux", "Model", "Torture"],
    ]

    /// Comes with the toolchain.
    static let toolchain: Set<String> = ["Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Synchronization"]

    private static func products() async throws -> [PackageDump.Target] {
        try await PackageDump.shared.value.targets.values.filter { !$0.isTest && $0.path.hasPrefix("Sources/") }
    }

    @Test func everyArrowIsAllowed() async throws {
        for target in try await Self.products() {
            let allowed = try #require(Self.allowed[target.name], "\(target.name) is not in the table of this test")
            let more = target.dependencies.subtracting(allowed)
            #expect(more.isEmpty, "\(target.name) may not use \(more.sorted())")
        }
    }

    @Test func theTableHasNoTargetThatIsGone() async throws {
        let names = Set(try await Self.products().map(\.name))
        #expect(Set(Self.allowed.keys).subtracting(names).isEmpty)
    }

    @Test func noArrowLeadsBack() {
        var left = Self.allowed
        // Take away what uses nothing that is left, until nothing is left.
        while true {
            let free = left.filter { $0.value.isDisjoint(with: left.keys) }.keys
            if free.isEmpty { break }
            for name in free { left[name] = nil }
        }
        #expect(left.isEmpty, "a circle among \(left.keys.sorted())")
    }

    @Test func everyImportIsADeclaredDependency() async throws {
        let targets = try await PackageDump.shared.value.targets
        for file in try SourceFile.all(in: "Sources") {
            let declared = try #require(targets[file.target]).dependencies
            let more = file.imports.subtracting(declared).subtracting(Self.toolchain)
            #expect(more.isEmpty, "\(file.path) imports \(more.sorted())")
        }
    }

    @Test func whatIsDeclaredIsUsed() async throws {
        let files = Dictionary(grouping: try SourceFile.all(in: "Sources"), by: \.target)
        for target in try await Self.products() where files[target.name] != nil {
            let used = (files[target.name] ?? []).reduce(into: Set<String>()) { $0.formUnion($1.imports) }
            let idle = target.dependencies.subtracting(used)
            #expect(idle.isEmpty, "\(target.name) declares \(idle.sorted()) and imports it nowhere")
        }
    }

    @Test func nothingOfTheTestsIsInAProduct() async throws {
        let targets = try await PackageDump.shared.value.targets
        let below = Set(targets.values.filter { $0.path.hasPrefix("Tests/") }.map(\.name))
        for target in try await Self.products() { #expect(target.dependencies.isDisjoint(with: below)) }
    }

    @Test func theModelImportsNothing() throws {
        for file in try SourceFile.all(in: "Sources/Model") { #expect(file.imports.isEmpty, "\(file.path)") }
    }

    @Test(arguments: [
        "GuestProtocol", "schedcp-guest", "schedcp-eject", "Linux", "Kernel", "Service", "Access", "Audit", "Wire",
        "Deployment", "BPFObject", "Liveness", "Torture",
    ])
    func withoutFoundation(_ target: String) throws {
        for file in try SourceFile.all(in: "Sources/" + target) where !file.isGenerated {
            #expect(
                file.imports.isDisjoint(with: ["Foundation", "FoundationEssentials", "FoundationNetworking"]),
                "\(file.path)")
        }
    }

    @Test func oneTargetSpeaksHTTP() throws {
        for file in try SourceFile.all(in: "Sources") where file.target != "Web" {
            #expect(
                file.imports.isDisjoint(with: ["AsyncHTTPClient", "NIOHTTP1", "FoundationNetworking"]), "\(file.path)")
        }
    }

    /// Who has a privilege, or is fed by strangers, does not come near it.
    @Test(arguments: ["schedcpd", "schedcp-verify", "schedcp-guest", "schedcp-eject"])
    func noPrivilegedProgramSpeaksHTTP(_ program: String) async throws {
        let targets = try await PackageDump.shared.value.targets
        var reached: Set<String> = []
        var next: Set<String> = [program]
        while !next.isEmpty {
            reached.formUnion(next)
            let below = next.reduce(into: Set<String>()) { $0.formUnion(targets[$1]?.dependencies ?? []) }
            next = below.subtracting(reached)
        }
        #expect(reached.contains("Model") || reached.contains("Linux"))
        #expect(reached.isDisjoint(with: ["Web", "Registry", "EmbeddingEndpoint", "AsyncHTTPClient", "NIOHTTP1"]))
    }

    @Test(arguments: ["schedcpd", "schedcp-guest", "schedcp-eject"])
    func noHTTPClientIsLinked(_ program: String) async throws {
        let path = try Checkout.program(program)
        let linked = try await Command.run("/usr/bin/env", ["ldd", path])
        // A program that is linked statically has nothing to list.
        #expect(linked.status == 0 || linked.errors.contains("not a dynamic executable"))
        for library in ["libcurl", "libFoundationNetworking", "libssl", "libnghttp", "libFoundationXML"] {
            #expect(!linked.output.contains(library), "\(library)")
        }
        for symbol in ["AsyncHTTPClient", "FoundationNetworking", "NIOHTTP1"] {
            let found = try await Command.run("/usr/bin/env", ["grep", "-c", "-a", symbol, path])
            #expect(found.output == "0\n", "\(symbol)")
        }
    }

    @Test func theGuestLinksLittle() async throws {
        let linked = try await Command.run("/usr/bin/env", ["ldd", try Checkout.program("schedcp-guest")])
        for library in ["libFoundation", "libbpf", "libsqlite"] {
            #expect(!linked.output.contains(library), "\(library)")
        }
    }
}
