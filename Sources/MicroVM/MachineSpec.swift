/// A virtual machine as it is asked for.
package struct MachineSpec: Hashable, Sendable {
    /// A disk, seen by the guest as a virtio block device with this serial number.
    package struct Disk: Hashable, Sendable {
        package enum Access: Hashable, Sendable {
            /// The guest may not write.
            case readOnly
            /// The guest writes to a throw-away copy; the file is only read.
            case snapshot
            /// The guest writes to the file.
            case writable
        }

        package var file: String
        package var serial: String
        package var access: Access

        package init(file: String, serial: String, access: Access) {
            self.file = file
            self.serial = serial
            self.access = access
        }
    }

    /// The kernel image (bzImage).
    package var kernel: String
    package var initrd: String?
    /// Words of the kernel's command line, after those that a console needs.
    package var kernelArguments: [String]
    package var disks: [Disk]
    package var topology: Topology
    /// MiB.
    package var memory: Int
    /// Names of more virtio-serial ports beside the agent's. Each is a Unix socket in ``VirtualMachine/folder`` with the
    /// port's name and `.sock`.
    package var ports: [String]
    /// nil: the one that a timed boot found to work.
    package var accelerator: Accelerator?
    /// Does an agent say hello in this machine? Without one the scope's body begins when the emulator runs.
    package var hasAgent: Bool
    /// Until the agent's hello.
    package var bootLimit: Duration
    /// Until the machine is ended whatever it does; nil for never.
    package var lifetime: Duration?
    /// Where the console is also written to, at most ``MicroVMDefaults/consoleFile`` bytes.
    package var consoleFile: String?

    package init(
        kernel: String, initrd: String? = nil, kernelArguments: [String] = [], disks: [Disk] = [],
        topology: Topology = Topology(cpus: 2), memory: Int = 2048, hasAgent: Bool = true
    ) {
        self.kernel = kernel
        self.initrd = initrd
        self.kernelArguments = kernelArguments
        self.disks = disks
        self.topology = topology
        self.memory = memory
        ports = []
        accelerator = nil
        self.hasAgent = hasAgent
        bootLimit = MicroVMDefaults.bootLimit
        lifetime = nil
        consoleFile = nil
    }
}

/// The processors of a virtual machine, as the guest sees them.
package struct Topology: Hashable, Sendable {
    package var sockets: Int
    /// In each socket.
    package var cores: Int
    /// In each core.
    package var threads: Int
    /// The sockets, and the memory, are spread over these evenly.
    package var numaNodes: Int

    package init(sockets: Int, cores: Int, threads: Int = 1, numaNodes: Int = 1) {
        self.sockets = sockets
        self.cores = cores
        self.threads = threads
        self.numaNodes = numaNodes
    }

    /// One socket with so many cores.
    package init(cpus: Int) { self.init(sockets: 1, cores: cpus) }

    package var cpus: Int { sockets * cores * threads }
}

/// What executes the guest's instructions.
package enum Accelerator: String, Hashable, Sendable, CaseIterable {
    /// The processor itself, through /dev/kvm.
    case kvm
    /// QEMU's translator, one thread per virtual processor.
    case tcg
}
