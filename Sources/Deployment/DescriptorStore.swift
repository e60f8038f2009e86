import Kernel
import Linux
import Model
import Service

/// The descriptors of an attached scheduler as systemd keeps them for us: some names for each deployment, the link last,
/// because its presence is what says that the rest is there too. Of the other maps those are kept through which it is read and
/// changed, and those with timers: they live with their programs, but their timers end with the last descriptor.
package enum DescriptorStore {
    enum Part: String, CaseIterable {
        case structOps = "ops"
        /// Several descriptors may have this name.
        case timer
        case tunables, layers, stats
        case processHints = "hintprocess"
        case cgroupHints = "hintcgroup"
        case data, dump, link
    }

    /// Maps with timers of one deployment. Two deployments, one of which takes the other's place, then fill the store:
    /// FileDescriptorStoreMax= of the unit is 32, and what is beyond it is lost without a word.
    static let maximumTimerMaps = 4

    private static let prefix = "scheduler"

    static func name(_ id: Int64, _ part: Part) -> String { "\(prefix)-\(id)-\(part.rawValue)" }

    /// Which deployment and part a stored descriptor's name stands for.
    static func parse(_ name: String) -> (id: Int64, part: Part)? {
        let fields = name.split(separator: "-", omittingEmptySubsequences: false)
        guard fields.count == 3, fields[0] == prefix, let id = Int64(fields[1]), id > 0, String(id) == fields[1],
            let part = Part(rawValue: String(fields[2]))
        else { return nil }
        return (id, part)
    }

    /// Is this a descriptor that an earlier process of ours left, not a socket?
    package static func isOurs(_ name: String) -> Bool { parse(name) != nil }

    /// - Returns: false when there is no service manager: then the scheduler ends with this process.
    static func keep(_ id: Int64, _ scheduler: borrowing AttachedScheduler) throws(Failure) -> Bool {
        guard scheduler.parts.timers.count <= maximumTimerMaps else {
            throw Failure(
                .invalidArgument,
                "the scheduler has timers in \(scheduler.parts.timers.count) maps, and \(maximumTimerMaps) can be kept",
                hint: "put its timers into fewer maps")
        }
        do throws(SystemError) {
            let parts = scheduler.parts
            var kept = try Systemd.store([parts.structOps.raw], name: name(id, .structOps))
            for map in parts.timers { kept = try Systemd.store([map.raw], name: name(id, .timer)) }
            if let exit = parts.exit {
                kept = try Systemd.store([exit.data.raw], name: name(id, .data))
                if let dump = exit.dump { kept = try Systemd.store([dump.raw], name: name(id, .dump)) }
            }
            for (part, map) in Kept.parts(of: parts.live?.descriptors) {
                kept = try Systemd.store([map.raw], name: name(id, part))
            }
            kept = try Systemd.store([scheduler.link.raw], name: name(id, .link))
            if kept { Systemd.barrier() }
            return kept
        } catch { throw error.asFailure(.internal, hint: "is FileDescriptorStoreMax= of the unit too small?") }
    }

    static func forget(_ id: Int64) {
        for part in Part.allCases { Systemd.removeStored(name: name(id, part)) }
    }

    /// Descriptors of one deployment that an earlier process left.
    struct Kept {
        var fds: [Part: Int32] = [:]
        var timers: [Int32] = []

        static func parts(of live: LiveDescriptors?) -> [(Part, SharedDescriptor)] {
            guard let live else { return [] }
            let all: [(Part, SharedDescriptor?)] = [
                (.tunables, live.tunables), (.layers, live.layers), (.stats, live.stats),
                (.processHints, live.hints[.process]), (.cgroupHints, live.hints[.cgroup]),
            ]
            return all.compactMap { part, map in map.map { (part, $0) } }
        }

        /// Takes over the maps through which a scheduler is read and changed.
        mutating func takeLive() -> LiveDescriptors {
            var live = LiveDescriptors()
            func take(_ part: Part) -> SharedDescriptor? {
                fds.removeValue(forKey: part).map { SharedDescriptor(Descriptor(owning: $0)) }
            }
            live.tunables = take(.tunables)
            live.layers = take(.layers)
            live.stats = take(.stats)
            live.hints[.process] = take(.processHints)
            live.hints[.cgroup] = take(.cgroupHints)
            return live
        }
    }

    static func group(_ passed: [Systemd.Passed]) -> [Int64: Kept] {
        var result: [Int64: Kept] = [:]
        for descriptor in passed {
            guard let (id, part) = parse(descriptor.name) else { continue }
            if part == .timer {
                result[id, default: Kept()].timers.append(descriptor.fd)
                continue
            }
            if let double = result[id, default: Kept()].fds.updateValue(descriptor.fd, forKey: part) {
                _ = Descriptor(owning: double)
            }
        }
        return result
    }
}
