import Glibc
import GuestProtocol
import Linux

/// The first process of a verifier's micro-VM, whose whole system is an initramfs with this program as /init: makes the
/// system that a trial needs, serves the host, and switches the machine off when the host has gone.
enum FirstProcess {
    static var isThis: Bool { getpid() == 1 }

    /// How long the machine waits for a host, before the first and after the last.
    static let patience: Int64 = 60_000_000_000

    static func run() -> Never {
        prepare()
        if TextFile.firstLine("/proc/cmdline")?.split(separator: " ").contains("schedcp.probe") == true {
            // The host only asks whether a kernel gets this far on the accelerator that it has; the same words as the lab's.
            Console.write("schedcp-lab: probe \(GuestSystem.kernelRelease)\n", toErrors: false)
            powerOff()
        }
        do throws(SystemError) {
            try Agent(portName: GuestProtocol.portName, patience: patience).run()
            say("no host is left, the machine ends")
        } catch {
            say("the machine ends: \(error)")
        }
        powerOff()
    }

    /// What fails here is said on the console; what needs it will fail by itself and say so to the host.
    private static func prepare() {
        for mount in mounts { attach(mount) }
        loadModules()
        write("+cpu +cpuset +memory +pids", to: "/sys/fs/cgroup/cgroup.subtree_control")
        raiseFileLimit(to: 65536)
        stayResponsive()
        Orphans.wakeForThem()
    }

    private struct Mount {
        let kind: String
        let place: String
        var flags: UInt = UInt(MS_NOSUID) | UInt(MS_NODEV) | UInt(MS_NOEXEC)
        var options = ""
    }

    private static let mounts = [
        Mount(kind: "devtmpfs", place: "/dev", flags: UInt(MS_NOSUID)),
        Mount(kind: "proc", place: "/proc"), Mount(kind: "sysfs", place: "/sys"),
        Mount(kind: "tmpfs", place: "/tmp", flags: UInt(MS_NOSUID)), Mount(kind: "tmpfs", place: "/run"),
        Mount(kind: "tmpfs", place: "/dev/shm"), Mount(kind: "devpts", place: "/dev/pts", flags: UInt(MS_NOSUID)),
        Mount(kind: "cgroup2", place: "/sys/fs/cgroup"), Mount(kind: "debugfs", place: "/sys/kernel/debug"),
        Mount(kind: "tracefs", place: "/sys/kernel/tracing"), Mount(kind: "bpf", place: "/sys/fs/bpf"),
    ]

    private static func attach(_ wanted: Mount) {
        mkdir(wanted.place, 0o755)
        // SAFETY: the strings live until the call returns; no file system of ours takes binary options.
        if mount(wanted.kind, wanted.place, wanted.kind, wanted.flags, wanted.options) != 0 {
            say("\(wanted.place) is not mounted: \(SystemError("mount").reason)")
        }
    }

    private static func raiseFileLimit(to value: rlim_t) {
        var pair = rlimit(rlim_cur: value, rlim_max: value)
        // SAFETY: the structure is only read.
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &pair) != 0 {
            say("the limit of open files is not raised: \(SystemError("setrlimit").reason)")
        }
    }

    /// The host must be answered whatever a candidate does to ordinary tasks; commands begin as ordinary ones.
    private static func stayResponsive() {
        var parameter = sched_param()
        parameter.sched_priority = 50
        // SAFETY: the structure is only read.
        if sched_setscheduler(0, SCHED_RR | Int32(bitPattern: 0x4000_0000), &parameter) != 0 {
            say("the agent runs as an ordinary task: \(SystemError("sched_setscheduler").reason)")
        }
    }

    /// Kernel modules that the host has put into the initramfs because this kernel needs them for the port, in the
    /// order of their names.
    private static func loadModules() {
        for name in ((try? Folder.names("/modules")) ?? []).sorted() {
            do {
                try GuestSystem.loadModule("/modules/\(name)")
            } catch { say("\(error)") }
        }
    }

    static func write(_ text: String, to path: String) {
        do throws(SystemError) {
            let file = try Descriptor.open(path, O_WRONLY)
            try HostFile.write(Array(text.utf8)[...], to: file.raw)
        } catch { say("\(error)") }
    }

    static func say(_ text: String) { Console.write("schedcp-guest: \(text)\n", toErrors: true) }

    /// The kernel does this in its own time.
    private static func powerOff() -> Never {
        write("o", to: "/proc/sysrq-trigger")
        while true { GuestSystem.pause(milliseconds: 1000) }
    }
}

/// What the dead leave behind: as the first process we are the parent of everybody whose own parent has ended.
enum Orphans {
    /// Makes poll(2) return when a child ends.
    static func wakeForThem() {
        // SAFETY: the handler does nothing; that it is there interrupts poll.
        signal(SIGCHLD) { _ in }
    }

    /// Takes leave of ended processes up to the first one that is in `own`: that one's status is for its command.
    static func reap(except own: (Int32) -> Bool) {
        while true {
            var info = siginfo_t()
            // SAFETY: waitid fills the structure; with WNOWAIT the process stays as it is.
            guard waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 else { return }
            let process = info._sifields._sigchld.si_pid
            guard process > 0, !own(process) else { return }
            var status: CInt = 0
            // SAFETY: writes one integer.
            guard waitpid(process, &status, WNOHANG) == process else { return }
        }
    }
}
