import Crypto
import Glibc
import Linux
import Model

/// A plain file in memory, read-only, for as long as this value lives.
///
/// Who can shorten a mapped file can end the process that reads it (SIGBUS), so only files are mapped that root or this
/// process' own user owns and nobody else may write to. A new version has to come by rename, as install(1) and package
/// managers do.
final class MappedFile: Sendable {
    private let address: UInt
    let count: Int

    init(_ path: String, limit: Int) throws(Failure) {
        let descriptor: Descriptor
        do throws(SystemError) { descriptor = try .open(path, O_RDONLY | O_NONBLOCK) } catch {
            throw error.asFailure(error.code == ENOENT ? .notFound : .storage)
        }
        var status = stat()
        guard fstat(descriptor.raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(.storage, "\(path) is not a plain file")
        }
        guard status.st_uid == 0 || status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
            throw Failure(
                .storage, "\(path) could be changed by others while it is in use",
                hint: "it has to belong to root and be writable by nobody else")
        }
        guard status.st_size > 0, status.st_size <= limit else {
            throw Failure(.storage, "\(path) has \(status.st_size) bytes; expected are 1 to \(limit)")
        }
        count = Int(status.st_size)
        let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor.raw, 0)
        guard let start, start != MAP_FAILED else {
            throw SystemError("map \(path)").asFailure(.storage)
        }
        address = UInt(bitPattern: start)
    }

    deinit {
        // SAFETY: the range is what the initialiser mapped, and nobody can hold a pointer into it any more.
        munmap(UnsafeMutableRawPointer(bitPattern: address), count)
    }

    /// Lends the bytes; the pointer must not leave `body`.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        // SAFETY: the mapping has `count` bytes and stays while self lives, which is at least until body returns.
        withExtendedLifetime(self) {
            body(UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: address), count: count))
        }
    }

    /// SHA-256 of the content as lower-case hex. What it read goes back to the page cache.
    func digest() -> String {
        let hash = withBytes { bytes in
            var hash = SHA256()
            hash.update(bufferPointer: bytes)
            // SAFETY: a clean private mapping is read again from the file where it is needed.
            madvise(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, MADV_DONTNEED)
            return hash.finalize()
        }
        return Hex.text(hash)
    }
}
