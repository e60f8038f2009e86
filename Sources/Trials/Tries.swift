import GuestProtocol
import MicroVM

/// Tells the emulator's faults from the candidate's. A machine that fails by the emulator's own fault is tried again. Where
/// it only stopped answering it may be either: the candidate is to blame unless it goes well twice afterwards.
struct Tries {
    static let most = 3

    private var left = most
    /// How often the machine has stopped answering.
    private(set) var silences = 0

    /// For a person who waits; nil when this run is the one that counts.
    mutating func reasonForAnother(after run: MachineRun) -> String? {
        left -= 1
        if run.isSilent {
            silences += 1
            guard silences == 1 else { return nil }
            left = 2
            return "the machine stopped answering, trying twice again"
        }
        guard left > 0 else { return nil }
        if let error = run.error {
            return Self.isEmulators(error, run.console) ? "the machine failed by itself, trying again" : nil
        }
        guard silences > 0, run.dynamic?.transcript.verdict == .passed else { return nil }
        return "the machine answered this time, trying once more"
    }

    /// An emulator that ended without its kernel having said a word about it.
    private static func isEmulators(_ error: MachineError, _ console: String) -> Bool {
        switch error.code {
        case .emulatorFault: true
        case .stopped: !KernelLog.hasPanicked(console)
        default: false
        }
    }
}

extension MachineRun {
    /// The machine, or its guest, stopped answering while the candidate was tried, and no complaint says why.
    var isSilent: Bool {
        guard let dynamic, dynamic.transcript.verdict == nil, !KernelLog.hasPanicked(console) else { return false }
        guard dynamic.console.isEmpty, !dynamic.transcript.violations.contains(where: { $0.severity == .error }) else {
            return false
        }
        return error?.code == .timedOut || dynamic.end?.exit.timedOut == true
    }
}
