import CLinux
import Glibc

/// A set of Linux capabilities, as the bits of capset(2).
package struct CapabilitySet: OptionSet, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    private init(bit: Int) { self.init(rawValue: 1 << bit) }

    /// Numbers from include/uapi/linux/capability.h.
    package static let setgid = Self(bit: 6)
    package static let setuid = Self(bit: 7)
    package static let setpcap = Self(bit: 8)
    package static let sysAdmin = Self(bit: 21)
    package static let perfmon = Self(bit: 38)
    package static let bpf = Self(bit: 39)

    package static let known: [(name: String, set: Self)] = [
        ("CAP_SETGID", .setgid), ("CAP_SETUID", .setuid), ("CAP_SETPCAP", .setpcap),
        ("CAP_SYS_ADMIN", .sysAdmin), ("CAP_PERFMON", .perfmon), ("CAP_BPF", .bpf),
    ]

    package var description: String {
        if isEmpty { return "none" }
        var names = Self.known.filter { contains($0.set) }.map(\.name)
        let rest = Self.known.reduce(self) { $0.subtracting($1.set) }
        if !rest.isEmpty { names.append("0x" + String(rest.rawValue, radix: 16)) }
        return names.joined(separator: " ")
    }
}

/// The capabilities of one thread, as /proc/PID/status has them.
package struct ThreadPrivileges: Hashable, Sendable {
    package var uids: Set<UInt32>
    package var gids: Set<UInt32>
    package var inheritable: CapabilitySet
    package var permitted: CapabilitySet
    package var effective: CapabilitySet
    package var bounding: CapabilitySet
    package var ambient: CapabilitySet
    package var noNewPrivileges: Bool

    /// Reads the text of a `status` file; nil where a field is missing or malformed.
    package init?(status: String) {
        var fields: [Substring: Substring] = [:]
        for line in status.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon]] = line[line.index(after: colon)...].drop { $0 == "\t" || $0 == " " }
        }
        func set(_ key: Substring) -> CapabilitySet? {
            fields[key].flatMap { UInt64($0, radix: 16) }.map(CapabilitySet.init)
        }
        func ids(_ key: Substring) -> Set<UInt32>? {
            // Real, effective, saved and file-system id.
            let words = fields[key]?.split { $0 == "\t" || $0 == " " } ?? []
            let ids = words.compactMap { UInt32($0) }
            return words.count == 4 && ids.count == 4 ? Set(ids) : nil
        }
        guard let uids = ids("Uid"), let gids = ids("Gid"), let inheritable = set("CapInh"),
            let permitted = set("CapPrm"), let effective = set("CapEff"), let bounding = set("CapBnd"),
            let ambient = set("CapAmb"), let flag = fields["NoNewPrivs"], ["0", "1"].contains(flag)
        else { return nil }
        self.uids = uids
        self.gids = gids
        self.inheritable = inheritable
        self.permitted = permitted
        self.effective = effective
        self.bounding = bounding
        self.ambient = ambient
        noNewPrivileges = flag == "1"
    }

    /// Of every thread of this process, by thread id.
    package static func ofAllThreads() throws(SystemError) -> [Int32: ThreadPrivileges] {
        var result: [Int32: ThreadPrivileges] = [:]
        for name in try Folder.names("/proc/self/task") {
            guard let tid = Int32(name), let text = try? TextFile.read("/proc/self/task/\(name)/status"),
                let privileges = ThreadPrivileges(status: text)
            else { continue }
            result[tid] = privileges
        }
        return result
    }
}

/// Gives up root for good. Capabilities belong to threads: this has to run before the second thread exists, and
/// says so when it does not.
package enum PrivilegeDrop {
    package enum Problem: Error, Hashable, Sendable, CustomStringConvertible {
        case threadsExist(Int)
        case system(SystemError)
        case notInEffect(String)

        package var description: String {
            switch self {
            case .threadsExist(let count):
                "privileges must be dropped before any thread is started, and there are \(count) already"
            case .system(let error): "privileges could not be dropped: \(error)"
            case .notInEffect(let what): "privileges were dropped, yet the kernel says \(what)"
            }
        }
    }

    /// Becomes `uid`:`gid` without supplementary groups, keeps `kept` as permitted and effective capabilities and
    /// nothing else in any set, sets no_new_privs, and reads all of it back.
    package static func become(uid: UInt32, gid: UInt32, keeping kept: CapabilitySet) throws(Problem) {
        do throws(SystemError) {
            let threads = try Folder.names("/proc/self/task").count
            guard threads == 1 else { throw SystemError("threads", code: CInt(threads)) }
            try drop(uid: uid, gid: gid, keeping: kept)
        } catch {
            if error.operation == "threads" { throw .threadsExist(Int(error.code)) }
            throw .system(error)
        }
        try verify(uid: uid, gid: gid, kept: kept)
    }

    /// Throws unless every thread of this process has exactly these privileges.
    package static func verify(uid: UInt32, gid: UInt32, kept: CapabilitySet) throws(Problem) {
        let threads: [Int32: ThreadPrivileges]
        do { threads = try ThreadPrivileges.ofAllThreads() } catch { throw .system(error) }
        for (tid, now) in threads {
            guard now.uids == [uid], now.gids == [gid] else {
                throw .notInEffect("thread \(tid) has uids \(now.uids), gids \(now.gids)")
            }
            guard now.permitted == kept, now.effective == kept, now.bounding == kept else {
                throw .notInEffect("thread \(tid) is permitted \(now.permitted), bounded by \(now.bounding)")
            }
            guard now.inheritable.isEmpty, now.ambient.isEmpty, now.noNewPrivileges else {
                throw .notInEffect(
                    "thread \(tid) has inheritable \(now.inheritable), ambient \(now.ambient), no_new_privs \(now.noNewPrivileges)"
                )
            }
        }
    }

    private static func drop(uid: UInt32, gid: UInt32, keeping kept: CapabilitySet) throws(SystemError) {
        // From include/uapi/linux/prctl.h.
        let keepCaps: CInt = 8, capBoundingRead: CInt = 23, capBoundingDrop: CInt = 24
        let noNewPrivileges: CInt = 38, capAmbient: CInt = 47, ambientClearAll: UInt = 4

        try call("prctl(PR_CAP_AMBIENT)", clinux_prctl(capAmbient, ambientClearAll, 0))
        for capability in 0..<64 where clinux_prctl(capBoundingRead, UInt(capability), 0) == 1 {
            if !kept.contains(CapabilitySet(rawValue: 1 << capability)) {
                try call("prctl(PR_CAPBSET_DROP)", clinux_prctl(capBoundingDrop, UInt(capability), 0))
            }
        }
        try call("prctl(PR_SET_KEEPCAPS)", clinux_prctl(keepCaps, 1, 0))
        try call("setresuid", clinux_become(uid, gid))
        try call("capset", clinux_capset(kept.rawValue, kept.rawValue, 0))
        try call("prctl(PR_SET_KEEPCAPS)", clinux_prctl(keepCaps, 0, 0))
        try call("prctl(PR_SET_NO_NEW_PRIVS)", clinux_prctl(noNewPrivileges, 1, 0))
    }

    private static func call(_ operation: String, _ result: CInt) throws(SystemError) {
        if result == -1 { throw SystemError(operation) }
    }
}
