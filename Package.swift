// swift-tools-version: 6.1
import PackageDescription

// Warnings are errors for our own code only. SwiftPM passes these flags to the targets that name them, never to
// the packages we depend on.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-warnings-as-errors"]),
]

// Why each dependency is there: docs/dependencies.md.
let asyncHTTP: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let toml: Target.Dependency = .product(name: "TOMLKit", package: "TOMLKit")

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func executable(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The fuzz targets have no main of their own: they are built only by scripts/fuzz, with libFuzzer's.
let fuzzing = Context.environment["SCHEDCP_FUZZ"] != nil

func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: "fuzz-" + name, dependencies: dependencies, path: "Tests/Fuzz/" + name,
        swiftSettings: [.swiftLanguageMode(.v5), .unsafeFlags(["-parse-as-library"])])
}

let fuzzers = [
    fuzzer("frames", ["Model", "Wire", nioCore]),
    fuzzer("requests", ["Daemon", "Kernel", "Model", "Wire", logging, nioCore, nioEmbedded]),
    fuzzer("verifier", ["Model", "Wire"]),
    fuzzer("rules", ["Access"]),
    fuzzer("attestation", ["Attestation"]),
    fuzzer("audit", ["Audit"]),
    fuzzer("entries", ["Exchange", "Model", "Registry", "Repository"]),
    fuzzer("objects", ["BPFObject", "Liveness", "Model"]),
]

let package = Package(
    name: "SchedCP",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "schedcpd", targets: ["schedcpd"]),
        .executable(name: "schedctl", targets: ["schedctl"]),
        .executable(name: "schedcp-guest", targets: ["schedcp-guest"]),
        .executable(name: "schedcp-eject", targets: ["schedcp-eject"]),
        .executable(name: "schedcp-verify", targets: ["schedcp-verify"]),
        .executable(name: "run-corpus", targets: ["run-corpus"]),
        .executable(name: "bench-verify", targets: ["bench-verify"]),
        .executable(name: "bench-load", targets: ["bench-load"]),
        .executable(name: "bench-schedulers", targets: ["bench-schedulers"]),
        .executable(name: "run-search", targets: ["run-search"]),
        .executable(name: "bench-repository", targets: ["bench-repository"]),
        .executable(name: "bench-wire", targets: ["bench-wire"]),
        .executable(name: "schedcpd-stops", targets: ["schedcpd-stops"]),
        .executable(name: "bench-boundary", targets: ["bench-boundary"]),
    ] + (fuzzing ? fuzzers.map { .executable(name: $0.name, targets: [$0.name]) } : []),
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        // Values and state machines; imports nothing.
        library("Model"),

        // The operating system: descriptors, capabilities, peer credentials, systemd, /proc, cgroups.
        .target(name: "CLinux"),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        library("Linux", ["CLinux", "Model"]),
        // The service manager's side of a daemon. Apart from Linux so that what runs without systemd does not link it.
        library("Service", ["CSystemd", "Linux"]),

        // The one place that calls libbpf. The archive is linked so that an old libbpf on the host does not matter.
        .systemLibrary(name: "CLibBPF", providers: [.apt(["libbpf-dev", "libelf-dev", "zlib1g-dev"])]),
        .target(
            name: "Kernel", dependencies: ["CLibBPF", "Linux", "Model"], swiftSettings: strict,
            linkerSettings: [.linkedLibrary(":libbpf.a"), .linkedLibrary("elf"), .linkedLibrary("z")]),

        // The contract on the socket, and who may do what over it.
        .target(
            name: "Wire", dependencies: ["Model", nioCore, protobuf], exclude: ["schedcp.proto", "PROTOCOL.md"],
            swiftSettings: strict),
        library("Access", ["Model"]),
        // The signed statement that an artifact passed, and the record of who did what.
        library("Attestation", ["Model", crypto]),
        library("Audit", ["Linux", "Model", crypto]),

        // Sentences as vectors, and the ranking of entries by words, meaning and what was measured.
        // Optimised in every build: the tests' own would take a hundred times as long for a vector.
        .target(
            name: "Embedding", dependencies: ["Linux", "Model", crypto],
            swiftSettings: strict + [.unsafeFlags(["-O"])]),
        library("Search", ["Embedding", "Model"]),

        // The three services of the daemon: so far deployment and the policy repository.
        library("Repository", ["Linux", "Model", grdb, toml, crypto]),
        library("Deployment", ["Kernel", "Linux", "Model", "Service", logging]),
        library(
            "Daemon",
            [
                "Access", "Attestation", "Audit", "Deployment", "Embedding", "Kernel", "Linux", "Model", "Repository",
                "Search", "Service", "Wire", logging, nioCore, nioPosix,
            ]),
        library("DaemonCommand", ["Daemon", "Deployment", "Linux", "Service", argumentParser, logging]),
        executable("schedcpd", ["Daemon", "DaemonCommand", "Deployment", argumentParser]),
        executable("schedcp-eject", ["Linux"]),

        // The unprivileged side.
        library("Client", ["Model", "Wire", nioCore, nioPosix]),
        // Entries that travel: their form, HTTP for programs without privileges, and registries.
        library("Exchange", ["Attestation", "Linux", "Model"]),
        library("Web", ["Model", asyncHTTP, nioCore, nioHTTP1]),
        library("Registry", ["Exchange", "Linux", "Model", "Web"]),
        library("EmbeddingEndpoint", ["Embedding", "Linux", "Model", "Web", crypto]),
        library("RemoteSearch", ["Linux", "Model", "Search", crypto]),
        library("GuestProtocol"),
        library("MicroVM", ["GuestProtocol", "Linux", nioCore, nioPosix, subprocess]),
        // The Execution Verifier. BPFObject reads compiled objects without a kernel, Liveness judges them; Trials runs
        // them in a micro-VM, whose first process is schedcp-guest with the loads of Torture.
        library("BPFObject", ["Model"]),
        library("Liveness", ["BPFObject", "Model"]),
        library("Diagnostics", ["Model"]),
        library("Torture", ["GuestProtocol", "Kernel", "Linux", "Model"]),
        library("Trials", ["GuestProtocol", "Linux", "MicroVM", "Model", crypto, subprocess]),
        library(
            "Verifier",
            ["BPFObject", "Diagnostics", "Kernel", "Linux", "Liveness", "Model", "Trials", crypto, subprocess]),
        executable(
            "schedcp-verify", ["Attestation", "Linux", "Model", "Verifier", "Wire", argumentParser, logging, protobuf]),
        executable("schedcp-guest", ["GuestProtocol", "Kernel", "Linux", "Model", "Torture"]),
        executable(
            "schedctl",
            [
                "Access", "Attestation", "Audit", "Client", "Diagnostics", "EmbeddingEndpoint", "Exchange",
                "GuestProtocol", "Linux", "MicroVM", "Model", "Registry", "RemoteSearch", "Search", "Verifier", "Web",
                "Wire", argumentParser, protobuf,
            ]),

        // Measures the wire beside a bare echo; never installed.
        .executableTarget(name: "bench-wire"),
        .executableTarget(
            name: "bench-boundary", dependencies: ["Daemon", "Kernel", "Model", "Wire", logging, nioCore, nioEmbedded],
            path: "Tests/bench-boundary", swiftSettings: strict),

        // Runs the corpus of flawed and good schedulers, and measures the stages of verification; never installed.
        .executableTarget(
            name: "run-corpus", dependencies: ["Diagnostics", "Linux", "Model", "Verifier", argumentParser],
            path: "Tests/run-corpus", swiftSettings: strict),
        .executableTarget(
            name: "bench-verify", dependencies: ["Linux", "Model", "Verifier", argumentParser],
            path: "Tests/bench-verify", swiftSettings: strict),

        // Compares schedulers with the kernel's default in the lab: bench-load works in the machine, bench-schedulers on the
        // host; never installed.
        .target(name: "BenchReport", dependencies: ["Torture"], path: "Tests/BenchReport", swiftSettings: strict),
        .executableTarget(
            name: "bench-load", dependencies: ["Kernel", "Linux", "Model"], path: "Tests/bench-load",
            swiftSettings: strict),
        .executableTarget(
            name: "bench-schedulers", dependencies: ["BenchReport", "Linux", "MicroVM", argumentParser],
            path: "Tests/bench-schedulers", swiftSettings: strict),

        // The tests' own daemon, which stops where it is told to.
        .executableTarget(
            name: "schedcpd-stops", dependencies: ["DaemonCommand", "Deployment", "Model", argumentParser],
            path: "Tests/schedcpd-stops", swiftSettings: strict),

        // Measures how well search finds what answers a question; never installed.
        .executableTarget(
            name: "run-search", dependencies: ["Embedding", "Model", "Repository", "Search", argumentParser],
            path: "Tests/run-search", swiftSettings: strict),

        .executableTarget(
            name: "bench-repository", dependencies: ["Embedding", "Model", "Repository", "Search", argumentParser],
            path: "Tests/bench-repository", swiftSettings: strict),

        // Writes to a repository until it is killed.
        .executableTarget(
            name: "repository-writer", dependencies: ["Linux", "Model", "Repository"],
            path: "Tests/repository-writer", swiftSettings: strict),

        // The tests. TestSupport is what the fast ones share.
        .target(
            name: "TestSupport", dependencies: ["Linux", "Model", "Wire", nioCore, protobuf],
            path: "Tests/TestSupport", swiftSettings: strict),
        // A server that answers as a test tells it to.
        .target(
            name: "TestServer", dependencies: ["Model", "TestSupport", "Wire", nioCore, nioPosix, protobuf],
            path: "Tests/TestServer", swiftSettings: strict),
        // An entry to exchange, and a registry that misbehaves as it is told to.
        .target(
            name: "RegistrySupport",
            dependencies: [
                "Attestation", "Exchange", "Model", "Repository", "TestSupport", nioCore, nioHTTP1, nioPosix,
            ],
            path: "Tests/RegistrySupport", swiftSettings: strict),
        tests("ModelTests", ["Model", "TestSupport"]),
        tests("LinuxTests", ["Linux", "Model", "TestSupport"]),
        tests("ServiceTests", ["Linux", "Service", "TestSupport"]),
        tests("BPFObjectTests", ["BPFObject", "Model"]),
        tests("LivenessTests", ["BPFObject", "Liveness", "Model"]),
        tests("DiagnosticsTests", ["Diagnostics", "Model"]),
        tests("TortureTests", ["GuestProtocol", "Kernel", "Linux", "Model", "Torture"]),
        tests(
            "TrialsTests", ["GuestProtocol", "Linux", "MicroVM", "Model", "TestSupport", "Trials", "schedcp-guest"]),
        tests("VerifierTests", ["Diagnostics", "Linux", "Model", "TestSupport", "Trials", "Verifier", subprocess]),
        tests("WireTests", ["Model", "TestSupport", "Wire", nioCore, protobuf]),
        tests("AccessTests", ["Access", "Model", "TestSupport"]),
        tests("AttestationTests", ["Attestation", "Model", "TestSupport", crypto]),
        tests("AuditTests", ["Audit", "Linux", "Model", "TestSupport", crypto]),
        tests("EmbeddingTests", ["Embedding", "Model", "TestSupport"]),
        tests("SearchTests", ["Embedding", "Model", "Search", "TestSupport"]),
        tests("RepositoryTests", ["Linux", "Model", "Repository", "TestSupport", grdb, "repository-writer"]),
        tests("KernelTests", ["Kernel", "Linux", "Model", "TestSupport"]),
        tests(
            "DeploymentTests",
            ["Deployment", "Kernel", "Linux", "Model", "Repository", "Service", "TestSupport", logging]),
        tests(
            "DaemonTests",
            [
                "Access", "Attestation", "Audit", "Daemon", "Deployment", "Kernel", "Linux", "Model", "Repository",
                "Service", "TestSupport", "Wire", logging, nioCore, nioEmbedded, protobuf, "schedcpd",
            ]),
        tests("ClientTests", ["Client", "Model", "TestServer", "TestSupport", "Wire", protobuf]),
        tests(
            "CommandLineTests",
            [
                "Attestation", "Exchange", "Linux", "Model", "RegistrySupport", "Repository", "TestServer",
                "TestSupport", "Wire", protobuf, "schedctl",
            ]),
        tests("ArchitectureTests", ["TestSupport"]),
        tests("BenchReportTests", ["BenchReport", "Model", "Wire", protobuf]),
        tests("ExchangeTests", ["Attestation", "Exchange", "Model", "RegistrySupport", "Repository", "TestSupport"]),
        tests("RegistryTests", ["Exchange", "Model", "Registry", "RegistrySupport", "TestSupport", "Web"]),
        tests(
            "EmbeddingEndpointTests",
            ["Embedding", "EmbeddingEndpoint", "Model", "RegistrySupport", "TestSupport", "Web"]),
        tests("RemoteSearchTests", ["Embedding", "Model", "RemoteSearch", "Search", "TestSupport"]),
        tests("GuestProtocolTests", ["GuestProtocol"]),
        tests("MicroVMTests", ["GuestProtocol", "Linux", "MicroVM", subprocess, "schedcp-guest"]),
        tests("EndToEndTests", ["GuestProtocol", "MicroVM"]),
    ] + (fuzzing ? fuzzers : [])
)
