import CLinux
import Glibc
package import Model

/// Who is at the other end of a Unix socket, as the kernel recorded it when the peer connected.
package enum PeerCredentials {
    /// Groups beyond this many are not looked at: then the peer has no more rights than its primary group gives.
    static let maxGroups = 256

    package static func actor(ofSocket fd: CInt, userName: (UInt32) -> String?) throws(SystemError) -> Actor {
        var pid: pid_t = 0
        var uid: uid_t = 0
        var gid: gid_t = 0
        guard clinux_peer_credentials(fd, &pid, &uid, &gid) == 0 else { throw SystemError("getsockopt(SO_PEERCRED)") }
        var groups = [gid_t](repeating: 0, count: maxGroups)
        let count = clinux_peer_groups(fd, &groups, CInt(maxGroups))
        let (comm, cgroup) = facts(ofSocket: fd, pid)
        return Actor(
            uid: uid, gid: gid, pid: pid, groups: Set(groups.prefix(max(0, Int(count)))),
            user: userName(uid) ?? "\(uid)", comm: comm, cgroup: cgroup)
    }

    /// Read between two looks at the peer's pidfd: what another process with the same number says is not taken.
    private static func facts(ofSocket fd: CInt, _ pid: pid_t) -> (String, String) {
        let raw = clinux_peer_pidfd(fd)
        // A kernel before 6.5 has no SO_PEERPIDFD, and a peer that has ended has no pidfd.
        guard raw >= 0 else { return ("", "") }
        let pidfd = Descriptor(owning: raw)
        let facts = (ProcessIdentity.comm(of: pid), ProcessIdentity.cgroup(of: pid))
        return ProcessIdentity.isAlive(pidfd) ? facts : ("", "")
    }
}
