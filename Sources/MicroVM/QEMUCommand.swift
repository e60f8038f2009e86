import GuestProtocol

/// The command line of QEMU for a machine; pure.
struct QEMUCommand: Hashable, Sendable {
    /// The most processors that a q35 machine takes.
    static let maximumCPUs = 255

    let arguments: [String]

    /// `folder` gets the sockets. Throws ``MachineError/Code/invalid`` for what QEMU would refuse or misread.
    init(_ spec: MachineSpec, accelerator: Accelerator, folder: String) throws(MachineError) {
        try Self.check(spec)
        let topology = spec.topology
        var words = [
            "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-M", "q35",
        ]
        words += ["-cpu", Self.processor(accelerator, topology)]
        words += ["-accel", accelerator == .kvm ? "kvm" : "tcg,thread=multi"]
        words += ["-m", "\(spec.memory)"]
        words += [
            "-smp",
            "\(topology.cpus),sockets=\(topology.sockets),cores=\(topology.cores),threads=\(topology.threads)",
        ]
        words += Self.numa(spec)
        words += ["-kernel", spec.kernel]
        if let initrd = spec.initrd { words += ["-initrd", initrd] }
        // panic=-1 with -no-reboot: a panic ends the emulator instead of leaving a dead machine.
        words += ["-append", (["console=ttyS0", "panic=-1"] + spec.kernelArguments).joined(separator: " ")]
        words += ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
        words += ["-chardev", "socket,id=control,path=\(folder)/control.sock,server=on,wait=off"]
        words += ["-mon", "chardev=control,mode=control"]
        words += ["-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"]
        for (index, disk) in spec.disks.enumerated() { words += Self.disk(disk, index) }
        let ports = (spec.hasAgent ? [GuestProtocol.portName] : []) + spec.ports
        if !ports.isEmpty { words += ["-device", "virtio-serial-pci"] }
        for (index, port) in ports.enumerated() {
            words += ["-chardev", "socket,id=port\(index),path=\(folder)/\(port).sock,server=on,wait=off"]
            words += ["-device", "virtserialport,chardev=port\(index),name=\(port)"]
        }
        arguments = words
    }

    /// The translator's own processor is of an AMD family without hyper-threading, whose guests take threads for cores.
    private static func processor(_ accelerator: Accelerator, _ topology: Topology) -> String {
        accelerator == .tcg && topology.threads > 1 ? "max,vendor=GenuineIntel" : "max"
    }

    private static func disk(_ disk: MachineSpec.Disk, _ index: Int) -> [String] {
        let access =
            switch disk.access {
            case .readOnly: ",read-only=on"
            case .snapshot: ",snapshot=on"
            case .writable: ""
            }
        return [
            "-drive", "if=none,id=disk\(index),format=raw,file=\(escaped(disk.file))\(access)",
            "-device", "virtio-blk-pci,drive=disk\(index),serial=\(disk.serial)",
        ]
    }

    /// Memory and sockets, spread over the nodes.
    private static func numa(_ spec: MachineSpec) -> [String] {
        let nodes = spec.topology.numaNodes
        guard nodes > 1 else { return [] }
        var words: [String] = []
        for node in 0..<nodes {
            let size = spec.memory / nodes + (node == 0 ? spec.memory % nodes : 0)
            words += ["-object", "memory-backend-ram,id=memory\(node),size=\(size)M"]
            words += ["-numa", "node,nodeid=\(node),memdev=memory\(node)"]
        }
        for socket in 0..<spec.topology.sockets {
            words += ["-numa", "cpu,node-id=\(socket * nodes / spec.topology.sockets),socket-id=\(socket)"]
        }
        return words
    }

    /// A comma ends a value in QEMU's option lists, two stand for one.
    private static func escaped(_ path: String) -> String {
        path.split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
    }

    private static func check(_ spec: MachineSpec) throws(MachineError) {
        let topology = spec.topology
        let parts = [topology.sockets, topology.cores, topology.threads, topology.numaNodes]
        guard parts.allSatisfy({ (1...maximumCPUs).contains($0) }), topology.cpus <= maximumCPUs else {
            throw MachineError(.invalid, "a machine has 1 to \(maximumCPUs) processors, not \(topology.cpus)")
        }
        guard topology.sockets % topology.numaNodes == 0 else {
            throw MachineError(
                .invalid,
                "\(topology.sockets) sockets cannot be spread evenly over \(topology.numaNodes) NUMA nodes")
        }
        guard (64...1_048_576).contains(spec.memory) else {
            throw MachineError(.invalid, "\(spec.memory) MiB of memory are not between 64 and 1048576")
        }
        for name in spec.disks.map(\.serial) + spec.ports {
            let isPlain = name.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                    || [0x2D, 0x2E, 0x5F].contains($0)
            }
            guard isPlain, (1...20).contains(name.utf8.count) else {
                throw MachineError(.invalid, "'\(name)' is no name for a disk or port")
            }
        }
    }
}
