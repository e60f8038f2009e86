import Foundation
import MicroVM

/// The one lab machine of this test run: Debian with the real systemd and a sched_ext kernel, SchedCP installed in it by
/// scripts/install. It is booted for the first test and ends with the process.
final class LabSession: Sendable {
    static let shared = LabSession()

    private let machine: Task<QEMUMachine, any Error>

    private init() {
        let (handover, continuation) = AsyncThrowingStream.makeStream(of: QEMUMachine.self)
        Task.detached {
            do {
                var options = LabOptions()
                options.lifetime = .seconds(3000)
                let fixtures = try Self.fixtures()
                options.roots = [fixtures]
                options.verifier?.logFile = Self.root.appending(path: ".build/lab-verifier.log").path()
                try await withLabMachine(options, lab: Lab(scripts: Self.root.appending(path: "scripts/lab").path())) {
                    machine in
                    try? FileManager.default.removeItem(atPath: fixtures)
                    continuation.yield(machine)
                    // Until the process ends; the emulator ends with it.
                    try await Task.sleep(for: .seconds(86400))
                }
            } catch { continuation.finish(throwing: error) }
        }
        machine = Task {
            for try await machine in handover { return machine }
            throw CancellationError()
        }
    }

    func vm() async throws -> QEMUMachine { try await machine.value }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The first compiler that has the bpf target, with its own headers and libbpf's, laid out as in a toolchain.
    private static func addCompiler(to folder: URL) throws {
        let script = """
            for clang in "${CLANG:-}" $(type -aP clang) $(compgen -G '/opt/*/usr/bin/clang'); do
                [ -x "$clang" ] && "$clang" -print-targets 2>/dev/null | grep bpfel >/dev/null || continue
                resources=$("$clang" -print-resource-dir) && headers=$1/lib/clang/$(basename "$resources") || exit
                mkdir -p "$1/bin" "$1/include" "$headers" && cp -r /usr/include/bpf "$1/include/" &&
                    cp -r "$resources/include" "$headers/" && cp "$(readlink -f "$clang")" "$1/bin/clang"
                exit
            done
            exit 1
            """
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", script, "bash", folder.path()]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Guest.Missed(what: "a clang with the bpf target", seen: "status \(process.terminationStatus)")
        }
    }

    /// A folder that is laid over the guest's system: the faulty schedulers under /fixtures, and this machine's compiler.
    private static func fixtures() throws -> String {
        let built = root.appending(path: ".build/bpf/fixtures")
        let folder = FileManager.default.temporaryDirectory.appending(path: "schedcp-fixtures-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: built, to: folder.appending(path: "fixtures"))
        for (source, name) in [
            ("Tests/hostile/agent.pl", "agent.pl"), (".build/faults/failing_io.so", "failing_io.so"),
            (".build/faults/schedcpd-stops", "schedcpd-stops"),
        ] {
            try FileManager.default.copyItem(
                at: root.appending(path: source), to: folder.appending(path: "fixtures/" + name))
        }
        try addCompiler(to: folder.appending(path: "fixtures/llvm"))
        return folder.path()
    }
}

/// What tests ask of the guest, in the words of its own files and of `schedctl --json`.
struct Guest {
    let vm: QEMUMachine

    /// The booted guest with the daemon up and the kernel's default scheduler.
    static func clean() async throws -> Guest {
        let guest = Guest(vm: try await LabSession.shared.vm())
        try await guest.vm.succeed("systemctl reset-failed; systemctl start schedcpd.socket schedcpd.service")
        _ = try await guest.vm.run(
            """
            schedctl rollback
            for digest in $(schedctl quarantine list --json | grep -o '"artifact_sha256":"[0-9a-f]*"' | cut -d'"' -f4); do
                schedctl quarantine release $digest
            done
            """)
        try await guest.waitUntil("the default scheduler") { try await guest.kernelState() == "disabled" }
        return guest
    }

    /// Ejections within an hour are counted, and those of other tests are to be over.
    func anHourLater() async throws { try await vm.succeed("date -s '+61 minutes'") }

    func read(_ path: String) async throws -> String {
        try await vm.succeed("cat \(path)").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func kernelState() async throws -> String { try await read("/sys/kernel/sched_ext/state") }
    func kernelOps() async throws -> String { try await read("/sys/kernel/sched_ext/root/ops") }
    func enableSequence() async throws -> UInt64 { UInt64(try await read("/sys/kernel/sched_ext/enable_seq")) ?? 0 }

    func schedctl(_ arguments: String, user: String? = nil) async throws -> CommandResult {
        try await vm.run("schedctl \(arguments)", user: user)
    }

    func status() async throws -> StatusReport {
        try JSONDecoder().decode(StatusReport.self, from: Data(try await vm.succeed("schedctl status --json").utf8))
    }

    func history() async throws -> [DeploymentReport] {
        let text = try await vm.succeed("schedctl history --limit 200 --json")
        return try JSONDecoder().decode(HistoryReport.self, from: Data(text.utf8)).deployments ?? []
    }

    /// Deploys an object that the kernel will throw out, waits for that, and gives the record of its end.
    func ejected(_ object: String) async throws -> DeploymentReport {
        try await vm.succeed("schedctl deploy \(object) --unverified --reason testing")
        let id = try await history().first?.id ?? 0
        try await waitUntil("the ejection of \(object)") { try await status().last_ended?.id == id }
        let text = try await vm.succeed("schedctl history \(id) --json")
        let report = try JSONDecoder().decode(HistoryReport.self, from: Data(text.utf8))
        guard let only = report.deployments?.first else { throw Missed(what: "deployment \(id)", seen: text) }
        return only
    }

    func mainPID() async throws -> Int {
        Int(try await vm.succeed("systemctl show -P MainPID schedcpd").trimmingCharacters(in: .whitespacesAndNewlines))
            ?? 0
    }

    /// Polls, a bounded number of times.
    func waitUntil(_ what: String, tries: Int = 120, _ condition: () async throws -> Bool) async throws {
        for _ in 0..<tries {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(500))
        }
        let seen = try await vm.run("schedctl status; journalctl -u schedcpd -n 20 --no-pager; dmesg | tail -n 15")
        throw Missed(what: what, seen: seen.stdout + seen.stderr)
    }

    struct Missed: Error, CustomStringConvertible {
        let what: String
        let seen: String
        var description: String { "waited in vain for \(what):\n\(seen)" }
    }
}

struct StatusReport: Decodable {
    struct Kernel: Decodable {
        var supported: Bool?
        var state: String?
        var ops: String?
        var enable_seq: UInt64?
        var owner: String?
    }

    var kernel: Kernel
    var deployment: DeploymentReport?
    var last_ended: DeploymentReport?
}

struct DeploymentReport: Decodable {
    struct Exit: Decodable {
        var kind: Int?
        var kind_name: String?
        var reason: String?
        var message: String?
        var dump: String?
    }

    var id: UInt64
    var scheduler: String
    var state: String
    var reason: String?
    var actor_user: String?
    var enable_seq: UInt64?
    var exit: Exit?
}

struct HistoryReport: Decodable {
    var deployments: [DeploymentReport]?
}
