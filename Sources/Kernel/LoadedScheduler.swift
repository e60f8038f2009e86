import CLibBPF
import Glibc
import Linux
package import Model

/// A scheduler that the kernel's verifier has accepted. It decides nothing until it is attached.
package struct LoadedScheduler: ~Copyable {
    let handle: ObjectHandle
    let ops: OpaquePointer
    package let name: String
    let exitLayout: ExitLayout?
    let liveLayout: LiveLayout
    /// What the verifier wrote about each program, where the load was asked for it.
    package let verified: [VerifiedProgram]

    /// Fills a hash map of hints: keys as the scheduler reads them, values in nanoseconds.
    package borrowing func fill(map name: String, with entries: [(key: [UInt8], nanoseconds: UInt64)]) throws(Failure) {
        guard let map = handle.map(named: name) else {
            throw Failure(.malformedObject, "the object has no map '\(name)' for its hints")
        }
        for entry in entries {
            guard Int(bpf_map__key_size(map)) == entry.key.count, bpf_map__value_size(map) == 8 else {
                throw Failure(
                    .malformedObject, "the map '\(name)' does not take keys of \(entry.key.count) bytes and values of 8"
                )
            }
            var value = entry.nanoseconds
            // SAFETY: key and value have the sizes of the map, as was just checked.
            if bpf_map_update_elem(bpf_map__fd(map), entry.key, &value, 0) != 0 {
                throw Failure(.invalidArgument, "the map '\(name)' took no more hints: \(SystemError("bpf").reason)")
            }
        }
    }

    /// Makes it the machine's scheduler.
    /// - Parameter hintMaps: the maps that take hints while it runs.
    package consuming func attach(hintMaps: [Hint.Kind: String] = [:]) throws(Failure) -> AttachedScheduler {
        let live = try live(hintMaps: hintMaps)
        let parts = try Self.parts(handle: handle, ops: ops, layout: exitLayout, live: live)
        let map = ops
        let (link, said) = LibBPFLog.collect { bpf_map__attach_struct_ops(map) }
        guard let link else { throw Self.failure(code: errno, said: said, exit: parts.exit) }
        // The link object owns its descriptor; ours is a copy, and the link lives as long as one of them.
        defer { bpf_link__destroy(link) }
        do {
            let fd = try Descriptor.duplicating(bpf_link__fd(link))
            return AttachedScheduler(name: name, link: fd, parts: parts)
        } catch { throw error.asFailure(.attachFailed) }
    }

    private static func parts(
        handle: borrowing ObjectHandle, ops: OpaquePointer, layout: ExitLayout?, live: LiveMaps
    ) throws(Failure) -> AttachedScheduler.Parts {
        do throws(SystemError) {
            let structOps = SharedDescriptor(try .duplicating(bpf_map__fd(ops)))
            let timers = try handle.mapsWithTimers().map { map throws(SystemError) in
                SharedDescriptor(try .duplicating(bpf_map__fd(map)))
            }
            guard let layout, let data = handle.section(".data") else {
                return AttachedScheduler.Parts(structOps: structOps, exit: nil, timers: timers, live: live)
            }
            var dump: SharedDescriptor?
            if let map = layout.dumpSection.flatMap({ handle.section($0) }) {
                dump = SharedDescriptor(try .duplicating(bpf_map__fd(map)))
            }
            let exit = ExitSource(
                data: SharedDescriptor(try .duplicating(bpf_map__fd(data))), dump: dump, layout: layout)
            return AttachedScheduler.Parts(structOps: structOps, exit: exit, timers: timers, live: live)
        } catch { throw error.asFailure(.attachFailed) }
    }

    static func failure(code: Int32, said: String, exit: ExitSource?) -> Failure {
        let reason = SystemError("attach", code: code).reason
        if code == EBUSY {
            return Failure(
                .foreignScheduler, "another scheduler is attached already", hint: "see `schedctl status`", detail: said)
        }
        if let info = exit?.read() {
            return Failure(.attachFailed, "the scheduler refused to start: \(info.summary)", detail: info.dump + said)
        }
        return Failure(
            .attachFailed, "the kernel did not attach the scheduler: \(reason)",
            hint: "the kernel's log (journalctl -k) may say more", detail: said)
    }
}
