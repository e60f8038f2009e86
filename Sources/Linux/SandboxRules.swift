import CLinux
import Glibc

/// What a confined program may do with files: a Landlock ruleset, made before the program starts. What no rule names is
/// denied; so are TCP, abstract sockets and signals to processes outside where this kernel's Landlock knows of them.
package struct SandboxRules: Sendable {
    package enum Access: Hashable, Sendable {
        /// Read below it.
        case read
        /// Read and execute below it.
        case execute
        /// Read and execute, make, write and remove files below it; no device, no socket.
        case write
        /// Read and write this file, nothing else.
        case device
    }

    package struct Rule: Hashable, Sendable {
        package let path: String
        package let access: Access

        package init(_ path: String, _ access: Access) {
            self.path = path
            self.access = access
        }
    }

    /// Landlock's version in this kernel; 0 where it is missing or switched off.
    package static var version: Int { Int(clinux_landlock_version()) }

    /// Rules with a path that does not exist are left out. Throws where the kernel has no Landlock.
    package static func ruleset(_ rules: [Rule]) throws(SystemError) -> Descriptor {
        let version = Self.version
        guard version > 0 else { throw SystemError("landlock_create_ruleset", code: EOPNOTSUPP) }
        let handled = Rights.handled(version: version)
        let ruleset = Descriptor(
            owning: try retryingInterrupts("landlock_create_ruleset") {
                clinux_landlock_ruleset(handled.rawValue, version >= 4 ? 3 : 0, version >= 6 ? 3 : 0)
            })
        for rule in rules {
            let rights = Rights.of(rule.access).intersection(handled)
            let raw = ruleset.raw
            do throws(SystemError) {
                _ = try retryingInterrupts("landlock_add_rule \(rule.path)") {
                    clinux_landlock_allow(raw, rule.path, rights.rawValue, rights.intersection(.ofFiles).rawValue)
                }
            } catch {
                if !error.isNoSuchFile { throw error }
            }
        }
        return ruleset
    }

    /// LANDLOCK_ACCESS_FS_* of include/uapi/linux/landlock.h.
    private struct Rights: OptionSet {
        let rawValue: UInt64

        static let execute = Rights(rawValue: 1 << 0)
        static let writeFile = Rights(rawValue: 1 << 1)
        static let readFile = Rights(rawValue: 1 << 2)
        static let readFolder = Rights(rawValue: 1 << 3)
        static let removeFolder = Rights(rawValue: 1 << 4)
        static let removeFile = Rights(rawValue: 1 << 5)
        static let makeFolder = Rights(rawValue: 1 << 7)
        static let makeFile = Rights(rawValue: 1 << 8)
        static let truncate = Rights(rawValue: 1 << 14)
        static let ofFiles: Rights = [.execute, .writeFile, .readFile, .truncate]

        /// Everything that this version can deny: version 1 has 13 rights, 2 adds refer, 3 truncate, 5 ioctl of devices.
        static func handled(version: Int) -> Rights {
            let count = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13
            return Rights(rawValue: (1 << UInt64(count)) - 1)
        }

        static func of(_ access: Access) -> Rights {
            switch access {
            case .read: [.readFile, .readFolder]
            case .execute: [.readFile, .readFolder, .execute]
            case .write:
                [
                    .readFile, .readFolder, .execute, .writeFile, .removeFile, .removeFolder, .makeFile, .makeFolder,
                    .truncate,
                ]
            case .device: [.readFile, .writeFile]
            }
        }
    }
}
