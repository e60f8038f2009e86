import CLibBPF
import Glibc
package import Linux
package import Model

/// The machine's scheduler, as long as its link is open here or in systemd's descriptor store.
package struct AttachedScheduler: ~Copyable {
    /// What outlives a detach: with these the scheduler can be attached again without another load.
    package struct Parts: Sendable {
        package let structOps: SharedDescriptor
        package let exit: ExitSource?
        /// The maps that hold timers or work items. Their programs keep the maps, but the kernel cancels what is in
        /// them when the last descriptor of a process is closed.
        package let timers: [SharedDescriptor]
        /// What of it can be read and changed; nil where its object is not known any more.
        package let live: (any LiveAccess)?

        package init(
            structOps: SharedDescriptor, exit: ExitSource?, timers: [SharedDescriptor] = [],
            live: (any LiveAccess)? = nil
        ) {
            self.structOps = structOps
            self.exit = exit
            self.timers = timers
            self.live = live
        }
    }

    /// BPF_LINK_TYPE_STRUCT_OPS in include/uapi/linux/bpf.h.
    private static let structOpsLinkType: UInt32 = 9

    package let name: String
    package let link: Descriptor
    package let parts: Parts

    /// Takes up descriptors that an earlier process left in the descriptor store, or that `attach` made.
    package init(name: String, link: consuming Descriptor, parts: Parts) {
        self.name = name
        self.link = link
        self.parts = parts
    }

    /// Does the link still hold a registered scheduler? (It is defunct after a detach.)
    package borrowing func isLinkAlive() -> Bool {
        // The headers of an older distribution lack struct_ops in `struct bpf_link_info`, so its words are read as
        // include/uapi/linux/bpf.h lays them out: [0] type, [4] the union's first word, here the map's id.
        var words = [UInt32](repeating: 0, count: 32)
        var length = UInt32(words.count * 4)
        // SAFETY: the kernel writes at most `length` bytes.
        guard bpf_obj_get_info_by_fd(link.raw, &words, &length) == 0 else { return false }
        return words[0] == Self.structOpsLinkType && words[4] != 0
    }

    package borrowing func exitInfo() -> ExitInfo? {
        parts.exit?.read()
    }

    /// Ends it, also where somebody else holds a copy of the link, and returns when the kernel has its default
    /// scheduler back.
    package consuming func detach() -> DetachedScheduler {
        // A kernel that cannot detach by command does so when the last descriptor is closed, which `self` does.
        _ = bpf_link_detach(link.raw)
        return DetachedScheduler(name: name, parts: parts)
    }
}

/// A scheduler that was attached and is not any more.
package struct DetachedScheduler: ~Copyable {
    /// BPF_STRUCT_OPS of `enum bpf_attach_type`; missing in headers older than the kernel we need.
    private static let structOpsAttachType = bpf_attach_type(rawValue: 44)

    package let name: String
    let parts: AttachedScheduler.Parts

    /// Why it ended, as its exit operation wrote it down.
    package borrowing func exitInfo() -> ExitInfo? {
        parts.exit?.read()
    }

    /// Puts it back, as it was: same programs, same parameters, same maps.
    package consuming func attachAgain() throws(Failure) -> AttachedScheduler {
        parts.exit?.clear()
        let fd = bpf_link_create(parts.structOps.raw, 0, Self.structOpsAttachType, nil)
        guard fd >= 0 else {
            throw Failure(
                .attachFailed, "'\(name)' could not be attached again: \(SystemError("attach", code: -fd).reason)")
        }
        return AttachedScheduler(name: name, link: Descriptor(owning: fd), parts: parts)
    }
}
