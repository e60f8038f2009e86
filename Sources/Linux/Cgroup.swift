import CLinux
import Glibc
package import Model

/// The cgroup v2 hierarchy.
package enum Cgroup {
    package static let root = "/sys/fs/cgroup"
    /// statfs's f_type of cgroup v2 (include/uapi/linux/magic.h).
    private static let magic: Int64 = 0x6367_7270

    /// Is the unified hierarchy mounted at its usual place?
    package static func isV2Mounted() -> Bool {
        clinux_filesystem_magic(root) == magic
    }

    /// The kernel's id of a cgroup (its kernfs node), which BPF programs see as `cgrp->kn->id`. On 64-bit machines it
    /// is the inode number of the folder.
    /// - Parameter path: below the root; the hint's own check has refused `..` already, and no symbolic link exists in cgroupfs.
    package static func id(path: String) throws(Failure) -> UInt64 {
        guard isV2Mounted() else {
            throw Failure(
                .kernelUnsupported, "cgroup v2 is not mounted at \(root)",
                hint: "boot with systemd.unified_cgroup_hierarchy=1 to give hints by cgroup")
        }
        var info = stat()
        let full = root + "/" + path
        guard lstat(full, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else {
            throw Failure(
                .notFound, "there is no cgroup \(path.quotedForDisplay())",
                hint: "see `systemd-cgls` or /proc/PID/cgroup for the paths")
        }
        return UInt64(info.st_ino)
    }
}
