/// Why a virtual machine, or something in it, did not do what was asked.
package struct MachineError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// A program or file that is needed is not there; the text says which and how to get it.
        case missing
        /// The specification cannot be carried out.
        case invalid
        /// The machine did not start, or its control socket failed.
        case startFailed
        /// Something took longer than its limit.
        case timedOut
        /// The machine ended while something was under way.
        case stopped
        /// The guest's kernel died of a known fault of the emulator; the same may well work the next time.
        case emulatorFault
        /// The agent in the machine refused, or the system in the machine did.
        case refused
        /// The agent said something that makes no sense.
        case protocolViolation
        /// A command inside ended otherwise than with status 0, where 0 was demanded.
        case commandFailed
        /// An operation of this computer failed.
        case system
    }

    package let code: Code
    package let message: String
    /// The last lines of the machine's console and of the emulator's own complaints, where they explain something.
    package let console: [String]
    /// What to do about it; may be empty.
    package let hint: String

    package init(_ code: Code, _ message: String, console: [String] = [], hint: String = "") {
        self.code = code
        self.message = message
        self.console = console
        self.hint = hint
    }

    package var description: String {
        let lines = console.isEmpty ? [] : ["The machine's last words:"] + console.map { "  | " + $0 }
        return ([message] + lines + (hint.isEmpty ? [] : [hint])).joined(separator: "\n")
    }

    func with(console: [String]) -> MachineError {
        MachineError(code, message, console: console, hint: hint)
    }
}
