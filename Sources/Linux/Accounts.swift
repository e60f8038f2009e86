import Glibc

/// The user and group databases (NSS). Look-ups may block on a network, so they are done at start, not per request,
/// except for names of users, which are cached by the caller.
package enum Accounts {
    package struct User: Hashable, Sendable {
        package let uid: UInt32
        package let gid: UInt32
        package let name: String

        package init(uid: UInt32, gid: UInt32, name: String) {
            self.uid = uid
            self.gid = gid
            self.name = name
        }
    }

    package static func user(named name: String) -> User? {
        var entry = passwd()
        return withBuffer { buffer, size in
            var result: UnsafeMutablePointer<passwd>?
            // SAFETY: `buffer` has `size` bytes; what `entry` points to lies in it and is copied before it goes.
            guard getpwnam_r(name, &entry, buffer, size, &result) == 0, result != nil else { return nil }
            return User(uid: entry.pw_uid, gid: entry.pw_gid, name: name)
        }
    }

    package static func name(ofUser uid: UInt32) -> String? {
        var entry = passwd()
        return withBuffer { buffer, size in
            var result: UnsafeMutablePointer<passwd>?
            // SAFETY: as above.
            guard getpwuid_r(uid, &entry, buffer, size, &result) == 0, result != nil, let name = entry.pw_name else {
                return nil
            }
            return String(cString: name)
        }
    }

    package static func group(named name: String) -> UInt32? {
        var entry = Glibc.group()
        return withBuffer { buffer, size in
            var result: UnsafeMutablePointer<Glibc.group>?
            // SAFETY: as above.
            guard getgrnam_r(name, &entry, buffer, size, &result) == 0, result != nil else { return nil }
            return entry.gr_gid
        }
    }

    /// Every group of a user, the primary one among them; at most 256.
    package static func groups(of user: User) -> [UInt32] {
        var groups = [gid_t](repeating: 0, count: 256)
        var count = Int32(groups.count)
        // SAFETY: getgrouplist writes at most `count` numbers, and sets it to how many there are.
        let result = getgrouplist(user.name, user.gid, &groups, &count)
        return Array(groups.prefix(result < 0 ? groups.count : max(0, Int(count))))
    }

    private static func withBuffer<R>(_ body: (UnsafeMutablePointer<CChar>, Int) -> R?) -> R? {
        // SAFETY: the buffer is valid for the time of `body`, which copies what it wants to keep.
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64 * 1024) { buffer in
            buffer.baseAddress.flatMap { body($0, buffer.count) }
        }
    }
}
