import Glibc

/// A byte stream to another machine: a virtio port or a serial line of this one, or the Unix socket behind a port of a guest.
package enum StreamDevice {
    package enum Kind: Sendable { case socket, device }

    /// What is at a path; nil where it is neither.
    package static func kind(_ path: String) -> Kind? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFSOCK: return .socket
        case S_IFCHR: return .device
        default: return nil
        }
    }

    /// Opens a device for reading and writing, without waiting for its other side. A terminal line is made to carry bytes as they
    /// are. Throws EBUSY for a port that another process has open.
    package static func open(_ path: String) throws(SystemError) -> Descriptor {
        let device = try Descriptor.open(path, O_RDWR | O_NONBLOCK | O_NOCTTY)
        if isatty(device.raw) == 1 {
            var settings = termios()
            _ = try retryingInterrupts("ask for the settings of \(path)") { tcgetattr(device.raw, &settings) }
            cfmakeraw(&settings)
            _ = try retryingInterrupts("set \(path)") { tcsetattr(device.raw, TCSANOW, &settings) }
        }
        return device
    }

    /// Connects to a Unix socket; blocks for a moment at the most.
    package static func connect(_ path: String) throws(SystemError) -> Descriptor {
        let socket = Descriptor(
            owning: try retryingInterrupts("socket") {
                Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
            })
        try UnixExchange.connect(socket.raw, path)
        return socket
    }

    /// A listening Unix socket that only this user can connect to. What was at the path is removed.
    package static func listen(_ path: String) throws(SystemError) -> Descriptor {
        let socket = Descriptor(
            owning: try retryingInterrupts("socket") {
                Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
            })
        unlink(path)
        try UnixExchange.bind(socket.raw, path)
        // Nobody can connect before it listens. (A umask would be every thread's.)
        _ = try retryingInterrupts("chmod \(path)") { chmod(path, 0o600) }
        _ = try retryingInterrupts("listen at \(path)") { Glibc.listen(socket.raw, 16) }
        return socket
    }

    /// Waits for a client.
    package static func accept(_ listening: CInt) throws(SystemError) -> Descriptor {
        let client = Descriptor(owning: try retryingInterrupts("accept") { Glibc.accept(listening, nil, nil) })
        _ = try retryingInterrupts("fcntl") { fcntl(client.raw, F_SETFD, FD_CLOEXEC) }
        return client
    }

    /// Ends a socket in both directions, so that who waits for it goes on; does nothing to a device.
    package static func end(_ fd: CInt) { shutdown(fd, CInt(SHUT_RDWR)) }

    /// Waits for bytes, at most `limit` of them; nil at the end of the stream, or when the other side of a port is gone.
    package static func read(_ fd: CInt, limit: Int) throws(SystemError) -> [UInt8]? {
        while true {
            switch try GuestStream.read(fd, limit: limit) {
            case .done(let bytes): return bytes
            case .end: return nil
            case .wait:
                var set = [pollfd(fd: fd, events: CShort(POLLIN), revents: 0)]
                try GuestStream.poll(&set, milliseconds: 1000)
                if CInt(set[0].revents) & POLLHUP != 0, CInt(set[0].revents) & POLLIN == 0 { return nil }
            }
        }
    }

    /// Writes all of it, waiting where it must; false when the other side is gone, or takes nothing for `seconds`.
    package static func write(_ fd: CInt, _ bytes: [UInt8], seconds: Int = 60) throws(SystemError) -> Bool {
        var rest = bytes[...]
        var waits = 0
        while !rest.isEmpty {
            switch try GuestStream.write(fd, rest) {
            case .done(let count):
                rest = rest.dropFirst(count)
                waits = 0
            case .end: return false
            case .wait:
                var set = [pollfd(fd: fd, events: CShort(POLLOUT), revents: 0)]
                try GuestStream.poll(&set, milliseconds: 1000)
                waits += CInt(set[0].revents) & POLLOUT == 0 ? 1 : 0
                if waits >= seconds || CInt(set[0].revents) & POLLHUP != 0 { return false }
            }
        }
        return true
    }
}

/// CPU time and bounds of this process and of what it starts.
package enum ResourceUse {
    /// Bounds that hold for this process and for each one that it starts: no core files, files of at most so many bytes, and
    /// private memory of at most so many.
    package static func bound(fileBytes: UInt64, memoryBytes: UInt64) throws(SystemError) {
        for (resource, most) in [(RLIMIT_CORE, 0), (RLIMIT_FSIZE, fileBytes), (RLIMIT_DATA, memoryBytes)] {
            var now = rlimit()
            _ = try retryingInterrupts("ask for a bound") { getrlimit(__rlimit_resource_t(resource.rawValue), &now) }
            let limit = min(now.rlim_max, rlim_t(most))
            var wanted = rlimit(rlim_cur: limit, rlim_max: limit)
            _ = try retryingInterrupts("set a bound") { setrlimit(__rlimit_resource_t(resource.rawValue), &wanted) }
        }
    }

    /// User and system time of this process and of its children that have ended, in nanoseconds.
    package static func cpuNanoseconds() -> UInt64 {
        [RUSAGE_SELF.rawValue, RUSAGE_CHILDREN.rawValue].reduce(into: UInt64(0)) { sum, who in
            var usage = rusage()
            guard getrusage(__rusage_who_t(CInt(who)), &usage) == 0 else { return }
            for time in [usage.ru_utime, usage.ru_stime] {
                sum += UInt64(max(0, time.tv_sec)) * 1_000_000_000 + UInt64(max(0, time.tv_usec)) * 1000
            }
        }
    }
}

/// Signals to a process that this one has started and not yet waited for.
package enum ChildSignal {
    package static func terminate(_ process: Int32) { if process > 0 { kill(process, SIGTERM) } }
}
