import CLinux
package import Glibc

/// What a read or a write without waiting came to.
package enum Transfer<Value> {
    case done(Value)
    /// Nothing now; poll(2) says when.
    case wait
    /// The other side is gone, or the file has ended.
    case end
}

/// Reading, writing and waiting without blocking, for a program with one thread.
package enum GuestStream {
    /// A pipe, close-on-exec, non-blocking at the end that stays here.
    package static func pipe(readerStays: Bool) throws(SystemError) -> (
        reader: SharedDescriptor, writer: SharedDescriptor
    ) {
        var ends: [CInt] = [-1, -1]
        // SAFETY: clinux_pipe writes exactly two descriptors.
        _ = try retryingInterrupts("pipe") { clinux_pipe(&ends) }
        let reader = SharedDescriptor(Descriptor(owning: ends[0]))
        let writer = SharedDescriptor(Descriptor(owning: ends[1]))
        try setNonBlocking(readerStays ? reader.raw : writer.raw)
        return (reader, writer)
    }

    /// A pipe, close-on-exec, both ends as pipe(2) makes them.
    package static func blockingPipe() throws(SystemError) -> (reader: SharedDescriptor, writer: SharedDescriptor) {
        var ends: [CInt] = [-1, -1]
        // SAFETY: as above.
        _ = try retryingInterrupts("pipe") { clinux_pipe(&ends) }
        return (SharedDescriptor(Descriptor(owning: ends[0])), SharedDescriptor(Descriptor(owning: ends[1])))
    }

    package static func setNonBlocking(_ fd: CInt) throws(SystemError) {
        let flags = try retryingInterrupts("fcntl") { fcntl(fd, F_GETFL) }
        _ = try retryingInterrupts("fcntl") { fcntl(fd, F_SETFL, flags | O_NONBLOCK) }
    }

    /// Up to `limit` bytes. A terminal whose other side is closed (EIO) has ended.
    package static func read(_ fd: CInt, limit: Int) throws(SystemError) -> Transfer<[UInt8]> {
        var got = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            repeat {
                // SAFETY: the buffer has `limit` bytes.
                got = Glibc.read(fd, buffer.baseAddress, limit)
            } while got < 0 && errno == EINTR
            count = max(got, 0)
        }
        if got > 0 { return .done(bytes) }
        if got == 0 || errno == EIO { return .end }
        if errno == EAGAIN { return .wait }
        throw SystemError("read")
    }

    /// Writes as much as goes now and gives the number of bytes.
    package static func write(_ fd: CInt, _ bytes: ArraySlice<UInt8>) throws(SystemError) -> Transfer<Int> {
        var put = 0
        repeat {
            // SAFETY: the pointer is only used within the call, for as many bytes as it covers.
            put = bytes.withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
        } while put < 0 && errno == EINTR
        if put >= 0 { return .done(put) }
        switch errno {
        case EAGAIN: return .wait
        case EPIPE, EIO: return .end
        default: throw SystemError("write")
        }
    }

    /// poll(2) for at most `milliseconds`; a signal counts as nothing ready.
    package static func poll(_ set: inout [pollfd], milliseconds: CInt) throws(SystemError) {
        // SAFETY: the array has as many entries as it says.
        if Glibc.poll(&set, nfds_t(set.count), milliseconds) < 0 && errno != EINTR {
            throw SystemError("poll")
        }
    }

    /// A terminal for a command: our end, which does not block, and the command's.
    package static func terminal(
        rows: UInt16, columns: UInt16
    ) throws(SystemError) -> (ours: SharedDescriptor, theirs: SharedDescriptor) {
        var master: CInt = -1
        var slave: CInt = -1
        // SAFETY: writes two descriptors.
        _ = try retryingInterrupts("open a terminal") { clinux_open_terminal(rows, columns, &master, &slave) }
        return (SharedDescriptor(Descriptor(owning: master)), SharedDescriptor(Descriptor(owning: slave)))
    }

    package static func resize(_ fd: CInt, rows: UInt16, columns: UInt16) {
        // A terminal that is gone has no size; nothing to say about it.
        _ = clinux_set_terminal_size(fd, rows, columns)
    }
}
