import CLinux
import Glibc

/// What the agent in a virtual machine asks its system for.
package enum GuestSystem {
    /// `uname -r`.
    package static var kernelRelease: String {
        TextFile.firstLine("/proc/sys/kernel/osrelease") ?? ""
    }

    /// Writing to a closed pipe is an error of the call, not the end of the program.
    package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    /// Opens a virtio-serial port by its name, found in /sys so that it works before udev and without it, or by a path.
    /// nil while there is none.
    package static func openPort(_ name: String) throws(SystemError) -> Descriptor? {
        var path: String? = name.hasPrefix("/") ? name : nil
        if path == nil, let ports = try? Folder.names("/sys/class/virtio-ports") {
            path = ports.first { TextFile.firstLine("/sys/class/virtio-ports/\($0)/name") == name }.map {
                "/dev/\($0)"
            }
        }
        guard let path, access(path, F_OK) == 0 else { return nil }
        return try Descriptor.open(path, O_RDWR | O_NONBLOCK)
    }

    /// Waits on a Unix socket at `path` for one connection, for tests and development without a virtual machine.
    package static func acceptOne(_ path: String) throws(SystemError) -> Descriptor {
        Descriptor(owning: try retryingInterrupts("listen on \(path)") { clinux_accept_one(path) })
    }

    /// Makes sure that 0, 1 and 2 are taken, so that nothing we open can be mistaken for them.
    package static func claimStandardStreams() throws(SystemError) {
        while true {
            let fd = try retryingInterrupts("open /dev/null") { open("/dev/null", O_RDWR) }
            if fd > 2 {
                close(fd)
                return
            }
        }
    }

    /// Waits without doing anything.
    package static func pause(milliseconds: UInt32) { usleep(milliseconds * 1000) }

    /// Writes a new file that gets its name only when it is whole.
    package static func createFile(_ path: String) throws(SystemError) -> Descriptor {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        return Descriptor(owning: try retryingInterrupts("create \(path)") { open(path, flags, 0o600) })
    }

    package static func setMode(_ fd: CInt, _ mode: UInt32) throws(SystemError) {
        _ = try retryingInterrupts("chmod") { fchmod(fd, mode & 0o7777) }
    }

    package static func rename(_ from: String, to: String) throws(SystemError) {
        _ = try retryingInterrupts("rename to \(to)") { Glibc.rename(from, to) }
    }

    package static func remove(_ path: String) { unlink(path) }
}

extension GuestSystem {
    /// Links a kernel module, compressed where its name says so. One that is there already is no error.
    package static func loadModule(_ path: String) throws(SystemError) {
        let file = try Descriptor.open(path)
        if clinux_load_module(file.raw, path.hasSuffix(".ko") ? 0 : 1) != 0 && errno != EEXIST {
            throw SystemError("load the kernel module \(path)")
        }
    }

    /// Ends the program.
    package static func leave(_ status: CInt) -> Never { exit(status) }
}
