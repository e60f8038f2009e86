import Linux
import Model
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// What the daemon says of the machine and the repository, and what it refuses before the kernel is asked.
@Suite(.timeLimit(.minutes(10))) struct AnswerTests {
    @Test func statusIsWhatTheKernelSays() async throws {
        let daemon = try await TestDaemon.start()
        let status = try daemon.client().ask(2, .status(.init())).status
        #expect(status.kernel.release == KernelConfig.release)
        #expect(status.kernel.supported == (HostProbe.schedExt().verdict == .found))
        #expect(status.kernel.supported || !status.kernel.missing.isEmpty)
        #expect(!status.hasDeployment)
        #expect(!status.hasLastEnded)
        #expect(status.uptimeSeconds < 600)
    }

    @Test(arguments: Checkout.schedulers) func showDescribesAnInstalledScheduler(_ name: String) async throws {
        let daemon = try await TestDaemon.start()
        let show = try daemon.client().ask(2, .show(WireShowRequest.with { $0.name = name })).show
        #expect(show.summary.name == name)
        #expect(show.artifactSha256.count == 64)
        #expect(!show.parameters.isEmpty)
        #expect(!show.summary.targetWorkloads.isEmpty)
        #expect(!show.promises.isEmpty)
        let description = try TextFile.read(Checkout.root + "/bpf/\(name).toml")
        #expect(description.contains("\n[[hints]]") == !show.hints.isEmpty)
    }

    @Test(arguments: [
        ("", Failure.Code.invalidArgument), ("../../etc/passwd", .invalidArgument), ("FIFO", .invalidArgument),
        ("fifo\n", .invalidArgument), ("\u{1B}[2J", .invalidArgument), ("none-such", .notFound),
    ])
    func aNameThatIsNotThereIsRefused(_ name: String, _ code: Failure.Code) async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        let response = try client.ask(2, .show(WireShowRequest.with { $0.name = name }))
        #expect(response.failure.asFailure.code == code)
        #expect(!response.failure.hint.isEmpty)
        #expect(!response.failure.message.unicodeScalars.contains { $0.value < 32 })
        #expect(try client.ask(3, .status(.init())).id == 3)
    }

    @Test func doctorProbesWithTheDaemonsOwnPrivileges() async throws {
        let daemon = try await TestDaemon.start()
        let checks = try daemon.client().ask(2, .doctor(.init())).doctor.checks
        #expect(checks.contains { $0.name == "sched_ext" })
        #expect(checks.contains { $0.name == "load BPF programs" })
        let capabilities = checks.first { $0.name.contains("capabilities") }
        #expect(capabilities?.verdict == (Checkout.isRoot ? .found : .missing))
        #expect(checks.allSatisfy { $0.verdict != .missing || !$0.remedy.isEmpty })
    }

    @Test func anEmptyHistoryAndNothingToRollBack() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        #expect(try client.ask(2, .history(.init())).history.deployments.isEmpty)
        let response = try client.ask(3, .rollback(.init()))
        #expect(response.failure.asFailure.code == (Checkout.isRoot ? .nothingDeployed : .denied))
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: Failure.Code
        let request: WireDeployRequest
        init(_ name: String, _ code: Failure.Code, _ change: (inout WireDeployRequest) -> Void) {
            testDescription = name
            self.code = code
            var request = WireDeployRequest()
            change(&request)
            self.request = request
        }
    }

    static func setting(_ name: String, _ value: String) -> WireSetting {
        WireSetting(Setting(name: name, value: value))
    }

    static func hint(_ kind: String, _ key: String) -> WireHint {
        WireHint.with {
            $0.kind = kind
            $0.key = key
            $0.nanoseconds = 1
        }
    }

    static let refused = [
        Refused("neither name nor object", .invalidArgument) { _ in },
        Refused("an unknown scheduler", .notFound) { $0.name = "none-such" },
        Refused("a path", .invalidArgument) { $0.name = "../fifo" },
        Refused("an unknown parameter", .invalidArgument) {
            $0.name = "fifo"
            $0.parameters = [setting("slice_ns", "5000")]
        },
        Refused("a value out of range", .invalidArgument) {
            $0.name = "fifo"
            $0.parameters = [setting("slice_us", "999")]
        },
        Refused("a value that is no number", .invalidArgument) {
            $0.name = "fifo"
            $0.parameters = [setting("slice_us", "fast")]
        },
        Refused("a parameter given twice", .invalidArgument) {
            $0.name = "fifo"
            $0.parameters = [setting("slice_us", "5000"), setting("slice_us", "6000")]
        },
        Refused("too many parameters", .tooMany) {
            $0.name = "fifo"
            $0.parameters = (0..<65).map { setting("p\($0)", "1") }
        },
        Refused("a hint that the scheduler does not take", .invalidArgument) {
            $0.name = "fifo"
            $0.hints = [hint("process", "make")]
        },
        Refused("a hint of an unknown kind", .invalidArgument) {
            $0.name = "ljf"
            $0.hints = [hint("user", "alice")]
        },
        Refused("a hint with a name too long", .invalidArgument) {
            $0.name = "ljf"
            $0.hints = [hint("process", "sixteen-bytes-xx")]
        },
        Refused("a hint that leaves the hierarchy", .invalidArgument) {
            $0.name = "ljf"
            $0.hints = [hint("cgroup", "../../etc")]
        },
        Refused("too many hints", .tooMany) {
            $0.name = "ljf"
            $0.hints = (0..<1025).map { hint("process", "p\($0)") }
        },
        Refused("an object over the limit", .malformedObject) { $0.object = .init(repeating: 0, count: (6 << 20) + 1) },
    ]

    @Test(.enabled(if: Checkout.isRoot, "an ordinary user is refused before"), arguments: refused)
    func aDeploymentThatMakesNoSenseIsRefused(_ refused: Refused) async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        let response = try client.ask(2, .deploy(refused.request))
        #expect(response.failure.asFailure.code == refused.code)
        #expect(try client.ask(3, .history(.init())).history.deployments.isEmpty)
        #expect(daemon.answers())
    }

    @Test(
        .enabled(if: Checkout.isRoot, "an ordinary user is refused before"),
        .disabled(if: HostProbe.missingForDeployment().isEmpty, "this machine would really do it"))
    func withoutSchedExtADeploymentSaysWhatIsMissing() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        for request in [
            WireDeployRequest.with {
                $0.name = "fifo"
                $0.unverified = true
                $0.reason = "a test"
            },
            WireDeployRequest.with {
                $0.name = "ljf"
                $0.unverified = true
                $0.reason = "a test"
                $0.parameters = [Self.setting("slice_us", "5000")]
                $0.hints = [Self.hint("process", "make")]
            },
        ] {
            let failure = try client.ask(2, .deploy(request)).failure.asFailure
            #expect(failure.code == .kernelUnsupported)
            #expect(failure.detail.split(separator: "\n").count == HostProbe.missingForDeployment().count)
            #expect(failure.hint.contains("doctor"))
        }
        #expect(try client.ask(3, .history(.init())).history.deployments.isEmpty)
        #expect(daemon.folder.names("state/artifacts").isEmpty)
    }
}
