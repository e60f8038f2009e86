package import GuestProtocol

/// What came of a command in a machine.
package struct CommandResult: Hashable, Sendable {
    package let exit: CommandExit
    package let stdoutBytes: [UInt8]
    package let stderrBytes: [UInt8]

    package init(exit: CommandExit, stdoutBytes: [UInt8] = [], stderrBytes: [UInt8] = []) {
        self.exit = exit
        self.stdoutBytes = stdoutBytes
        self.stderrBytes = stderrBytes
    }

    /// As a shell counts it: the exit status, or 128 plus the signal that ended the command.
    package var status: Int32 { exit.shellStatus }
    package var timedOut: Bool { exit.timedOut }
    package var isSuccess: Bool { exit.reason == .status(0) }
    /// Bytes that are not UTF-8 are replaced.
    package var stdout: String { String(decoding: stdoutBytes, as: UTF8.self) }
    package var stderr: String { String(decoding: stderrBytes, as: UTF8.self) }

    /// For a person: how it ended and the end of what it said.
    package var summary: String {
        let how =
            switch exit.reason {
            case _ where timedOut: "took too long"
            case .status(let status): "status \(status)"
            case .signal(let signal): "ended by signal \(signal)"
            }
        let said = stderrBytes.isEmpty ? stdout : stderr
        let end = said.split(separator: "\n").suffix(6).joined(separator: "\n")
        return end.isEmpty ? how : "\(how): \(end)"
    }
}
