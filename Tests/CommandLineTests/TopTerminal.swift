import Foundation
import Linux
import TestSupport

/// schedctl in a pseudo-terminal of its own, made by script(1), below a shell. Keys go in as bytes, and what it shows is in a file.
final class TopTerminal: Sendable {
    private let folder: TemporaryFolder
    private let shell: ChildProcess

    /// - Parameters:
    ///   - arguments: of schedctl.
    ///   - rows: and `columns`, of the terminal.
    ///   - hasJobs: the command can be stopped and go on. Bash ends then with a command that an interrupt ends.
    init(
        _ arguments: [String], rows: Int = 24, columns: Int = 80, environment: [String: String] = [:],
        hasJobs: Bool = false
    ) throws {
        guard let script = HostFile.program("script") else {
            throw Lacking("script(1) is missing: apt-get install bsdutils")
        }
        folder = try TemporaryFolder()
        let words = ([try Checkout.program("schedctl")] + arguments).map { "'\($0)'" }.joined(separator: " ")
        // `fg` goes on with a job that has stopped.
        let job = try folder.write(
            """
            \(hasJobs ? "set -m" : "trap : INT"); unset NO_COLOR; \(environment.map { "export \($0)=\($1)" }.joined(separator: "; "))
            cd '\(folder.path(""))'; stty rows \(rows) cols \(columns); tty > tty; stty -g > before
            /bin/sh -c 'echo $$ > pid; exec "$@"' sh \(words)
            status=$?; stty -g > after
            while [ $status -gt 128 ] && jobs %% 2>/dev/null | grep -q Stopped; do
                touch stopped; until [ -e go ]; do sleep 0.1; done
                rm -f go; fg; status=$?; stty -g > after
            done
            echo $status > status; echo THE-SHELL-AGAIN; sleep 1
            """, to: "job")
        let open = #"mkfifo "$0/keys" && exec 3<>"$0/keys" && exec "$@" <&3"#
        // What started these tests may ignore signals, as nohup and background jobs do, and top then would as well.
        shell = try ChildProcess(
            "/usr/bin/env",
            [
                "--default-signal=HUP,INT,QUIT", "/bin/sh", "-c", open, folder.path(""), script, "--quiet", "--flush",
                "--command", "bash '\(job)'", "/dev/null",
            ],
            environment: ProcessInfo.processInfo.environment.merging(CommandLine.environment) { $1 })
    }

    deinit {
        // The command outlives script(1) where a test gave up before its end.
        if let pid, !folder.exists("status") { kill(pid, SIGKILL) }
    }

    /// All that the terminal was sent.
    var output: String { shell.output }
    var pid: Int32? { Int32(line("pid")) }
    var settings: (before: String, after: String) { (line("before"), line("after")) }
    /// As the shell has it; nil while it runs.
    var status: Int32? { Int32(line("status")) }
    var hasStopped: Bool { folder.exists("stopped") }

    private func line(_ name: String) -> String {
        folder.exists(name) ? folder.text(name).trimmingCharacters(in: .whitespacesAndNewlines) : ""
    }

    func type(_ keys: String) throws {
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.path("keys")))
        try handle.write(contentsOf: Data(keys.utf8))
        try handle.close()
    }

    func signal(_ number: Int32) { if let pid { kill(pid, number) } }

    func goOn() throws { try folder.write("", to: "go") }

    func resize(rows: Int, columns: Int) async throws {
        let result = try await Command.run(
            "/usr/bin/env", ["stty", "-F", line("tty"), "rows", "\(rows)", "cols", "\(columns)"])
        guard result.status == 0 else { throw Lacking("stty: \(result.errors)") }
    }

    /// Has it been sent, after the first so many bytes?
    func shows(_ text: String, after start: Int = 0) async -> Bool {
        await eventually { String(decoding: self.output.utf8.dropFirst(start), as: UTF8.self).contains(text) }
    }

    func ends() async -> Bool { await eventually { self.status != nil && self.output.contains("THE-SHELL-AGAIN") } }
}
