import CLinux
import Glibc
package import Model

/// What SchedCP needs of a machine, found out by trying and not by version numbers. `schedctl doctor` and the
/// refusal of a deployment speak from the same probes.
package enum HostProbe {
    package static let schedExtFolder = "/sys/kernel/sched_ext"
    package static let btf = "/sys/kernel/btf/vmlinux"

    /// What attaching a scheduler needs of the kernel.
    package static func schedulingChecks() -> [Check] {
        [schedExt(), kernelBTF(), jit()]
    }

    /// The lines about what is missing for a deployment; empty where nothing is.
    package static func missingForDeployment() -> [String] {
        schedulingChecks().filter { $0.verdict == .missing }.map { "\($0.name): \($0.found). \($0.remedy)" }
    }

    package static func schedExt() -> Check {
        let release = KernelConfig.release
        if access(schedExtFolder + "/state", F_OK) == 0 {
            return Check("sched_ext", .found, "kernel \(release), \(schedExtFolder)")
        }
        let config = KernelConfig.ofRunningKernel()
        let why =
            switch config.map({ $0.isOn("SCHED_CLASS_EXT") }) {
            case true?: "CONFIG_SCHED_CLASS_EXT is on in \(config?.source ?? ""), yet \(schedExtFolder) is not there"
            case false?: "kernel \(release) was built without CONFIG_SCHED_CLASS_EXT (\(config?.source ?? ""))"
            case nil: "kernel \(release) has no \(schedExtFolder): it was built without CONFIG_SCHED_CLASS_EXT"
            }
        return Check(
            "sched_ext", .missing, why,
            remedy: "Boot a kernel of 6.12 or later with CONFIG_SCHED_CLASS_EXT=y (Debian: linux-image-amd64 7.x "
                + "from trixie-backports), or try SchedCP in a virtual machine: schedctl lab shell")
    }

    package static func kernelBTF() -> Check {
        access(btf, R_OK) == 0
            ? Check("BTF", .found, btf)
            : Check(
                "BTF", .missing, "\(btf) cannot be read",
                remedy: "Boot a kernel with CONFIG_DEBUG_INFO_BTF=y; sched_ext schedulers are loaded by it.")
    }

    package static func jit() -> Check {
        let path = "/proc/sys/net/core/bpf_jit_enable"
        switch TextFile.firstLine(path) {
        case "1"?, "2"?: return Check("BPF JIT", .found, "enabled")
        case "0"?:
            return Check("BPF JIT", .missing, "\(path) is 0", remedy: "sysctl net.core.bpf_jit_enable=1")
        default:
            // A private network namespace hides the file; a kernel that is always compiling has only the option.
            if KernelConfig.ofRunningKernel()?.isOn("BPF_JIT") == true {
                return Check("BPF JIT", .found, "CONFIG_BPF_JIT")
            }
            return Check(
                "BPF JIT", .warning, "\(path) cannot be read here",
                remedy: "sched_ext needs CONFIG_BPF_JIT=y; the load itself will tell.")
        }
    }

    /// May this process load BPF programs? Asked of the kernel: an empty BPF_PROG_LOAD is EPERM without the right
    /// and EINVAL or the like with it.
    package static func bpfLoad() -> Check {
        var attributes = [UInt8](repeating: 0, count: 48)
        attributes[0] = 27  // BPF_PROG_TYPE_STRUCT_OPS
        let code = clinux_bpf_errno(5, &attributes, UInt32(attributes.count))
        switch code {
        case EPERM:
            return Check(
                "load BPF programs", .missing, "this process may not (EPERM)",
                remedy: "Let schedcpd do it: its unit gives it CAP_BPF and CAP_PERFMON.")
        case ENOSYS:
            return Check(
                "load BPF programs", .missing, "the kernel has no bpf(2)",
                remedy: "Boot a kernel with CONFIG_BPF_SYSCALL=y.")
        default: return Check("load BPF programs", .found, "permitted")
        }
    }

    package static func perf() -> Check {
        if clinux_perf_probe() == 0 { return Check("perf events", .found, "software events can be opened") }
        let reason = SystemError("perf_event_open")
        return Check(
            "perf events", .warning, "\(reason)",
            remedy: "sysctl kernel.perf_event_paranoid=2 lets users measure themselves; schedcpd uses CAP_PERFMON.")
    }

    package static func cgroup() -> Check {
        Cgroup.isV2Mounted()
            ? Check("cgroup v2", .found, Cgroup.root)
            : Check(
                "cgroup v2", .warning, "\(Cgroup.root) is not the unified hierarchy",
                remedy: "Hints by cgroup and canaries need it: boot with systemd.unified_cgroup_hierarchy=1.")
    }

    package static func systemd() -> Check {
        if access("/run/systemd/system", F_OK) == 0 { return Check("systemd", .found, "it runs this machine") }
        return Check(
            "systemd", .missing, "this machine was not booted by systemd",
            remedy: "schedcpd keeps a running scheduler over a restart in systemd's descriptor store; without it use "
                + "`schedcpd --socket PATH` for development only.")
    }

    /// The privileges of a running process, from /proc/PID/status.
    package static func privileges(ofProcess pid: Int32) -> ThreadPrivileges? {
        (try? TextFile.read("/proc/\(pid)/status")).flatMap(ThreadPrivileges.init(status:))
    }
}
