import Foundation
package import Linux

/// What /proc says of a process.
package struct ProcessFacts: Sendable {
    package let pid: Int32

    package init(_ pid: Int32) { self.pid = pid }

    /// How many descriptors it has open; -1 when it cannot be seen. Those of the policy repository do not count: it is opened beside
    /// everything else, and reads with more of them the more is asked at once.
    package var descriptors: Int {
        guard let names = try? Folder.names("/proc/\(pid)/fd") else { return -1 }
        return names.count { HostFile.target(ofLink: "/proc/\(pid)/fd/\($0)")?.contains("/repository") != true }
    }

    /// Resident memory in KiB.
    package var residentKiB: Int {
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return Int(line.filter(\.isNumber)) ?? -1
    }

    package var status: String { (try? TextFile.read("/proc/\(pid)/status")) ?? "" }

    /// Of each thread.
    package var privileges: [ThreadPrivileges?] {
        let threads = (try? Folder.names("/proc/\(pid)/task")) ?? []
        return threads.map { thread in
            (try? TextFile.read("/proc/\(pid)/task/\(thread)/status")).flatMap(ThreadPrivileges.init(status:))
        }
    }

    /// How many descriptors of this very process are open on a file. Other tests open and close others meanwhile.
    package static func ownDescriptors(on target: String) -> Int {
        let names = (try? Folder.names("/proc/self/fd")) ?? []
        return names.count { HostFile.target(ofLink: "/proc/self/fd/\($0)") == target }
    }
}

/// Asks again and again, a bounded number of times, until something holds.
package func eventually(tries: Int = 2000, _ condition: () async throws -> Bool) async rethrows -> Bool {
    for _ in 0..<tries {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return try await condition()
}
