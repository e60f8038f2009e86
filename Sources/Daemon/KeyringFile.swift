import Attestation
import Linux
import Model
import Synchronization

/// The keyring on disk: one file, mode 0600, replaced as a whole. What a call has changed is on disk when it returns.
final class KeyringFile: Sendable {
    private let path: String
    private let keyring: Mutex<Keyring>

    /// Reads the file, or makes it with a new key at the first start.
    /// - Parameter now: seconds since the epoch.
    init(path: String, now: Int64) throws(Failure) {
        self.path = path
        let bytes: [UInt8]
        do { bytes = try DurableFile.read(path, limit: Keyring.maxBytes) } catch {
            guard error.isNoSuchFile else {
                throw error.asFailure(.storage, hint: "the keyring must belong to the daemon's user alone")
            }
            let new = try Keyring.new(now: now)
            try Self.write(new, to: path)
            keyring = Mutex(new)
            return
        }
        keyring = Mutex(try Keyring(json: bytes))
    }

    var current: Keyring { keyring.withLock { $0 } }

    func change<R: Sendable>(_ body: (inout Keyring) throws(Failure) -> R) throws(Failure) -> R {
        let result = keyring.withLock { keyring -> Result<R, Failure> in
            var changed = keyring
            do throws(Failure) {
                let value = try body(&changed)
                try Self.write(changed, to: path)
                keyring = changed
                return .success(value)
            } catch { return .failure(error) }
        }
        return try result.get()
    }

    private static func write(_ keyring: Keyring, to path: String) throws(Failure) {
        do { try DurableFile.write(path, keyring.json(), mode: 0o600) } catch {
            throw error.asFailure(.storage, hint: "is the disk full or read-only?")
        }
    }
}
