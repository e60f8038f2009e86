/// Why a sched_ext scheduler stopped: the kernel's `struct scx_exit_info` as the scheduler's exit operation saw it.
package struct ExitInfo: Hashable, Sendable {
    /// `enum scx_exit_kind`. The numbers are ABI (include/linux/sched/ext.h).
    package enum Kind: Hashable, Sendable {
        case none, done, unregistered, unregisteredFromBPF, unregisteredFromKernel, sysrq, parent
        case error, errorFromBPF, stall
        case other(Int32)

        package init(rawValue: Int32) {
            self =
                switch rawValue {
                case 0: .none
                case 1: .done
                case 64: .unregistered
                case 65: .unregisteredFromBPF
                case 66: .unregisteredFromKernel
                case 67: .sysrq
                case 68: .parent
                case 1024: .error
                case 1025: .errorFromBPF
                case 1026: .stall
                default: .other(rawValue)
                }
        }

        package var rawValue: Int32 {
            switch self {
            case .none: 0
            case .done: 1
            case .unregistered: 64
            case .unregisteredFromBPF: 65
            case .unregisteredFromKernel: 66
            case .sysrq: 67
            case .parent: 68
            case .error: 1024
            case .errorFromBPF: 1025
            case .stall: 1026
            case .other(let value): value
            }
        }

        package var name: String {
            switch self {
            case .none: "none"
            case .done: "done"
            case .unregistered: "unregistered"
            case .unregisteredFromBPF: "unregistered by the BPF program"
            case .unregisteredFromKernel: "unregistered by the kernel"
            case .sysrq: "reset by sysrq-S"
            case .parent: "its parent scheduler ended"
            case .error: "runtime error"
            case .errorFromBPF: "error reported by the BPF program"
            case .stall: "runnable task stall (watchdog)"
            case .other(let value): "kind \(value)"
            }
        }

        /// Did the kernel throw the scheduler out because it misbehaved?
        package var isError: Bool { rawValue >= 1024 }
    }

    package var kind: Kind
    package var code: Int64
    package var reason: String
    package var message: String
    /// The kernel's debug dump of the moment; may be long, may be empty.
    package var dump: String

    package init(kind: Kind, code: Int64 = 0, reason: String = "", message: String = "", dump: String = "") {
        self.kind = kind
        self.code = code
        self.reason = reason
        self.message = message
        self.dump = dump
    }

    /// One line for a person.
    package var summary: String {
        let text = reason.isEmpty ? kind.name : reason.escapedForDisplay()
        return message.isEmpty ? text : "\(text): \(message.escapedForDisplay())"
    }
}
