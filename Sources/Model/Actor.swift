/// Who is asking, as the kernel says it of the other end of a socket. No message field ever says this.
package struct Actor: Hashable, Sendable {
    package let uid: UInt32
    package let gid: UInt32
    package let pid: Int32
    /// Primary and supplementary groups at the time of connecting.
    package let groups: Set<UInt32>
    /// The account's name, for people; identity is `uid`.
    package let user: String
    /// What the process called itself when it connected, and its cgroup; empty where the kernel does not say. For the record,
    /// never for a decision: a process can take any name, and hand its connection to another.
    package let comm: String
    package let cgroup: String

    package init(
        uid: UInt32, gid: UInt32, pid: Int32, groups: Set<UInt32>, user: String, comm: String = "",
        cgroup: String = ""
    ) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
        self.groups = groups.union([gid])
        self.user = user
        self.comm = comm
        self.cgroup = cgroup
    }

    package var isRoot: Bool { uid == 0 }
}
