import CLibBPF
import Glibc
import Linux
import Model

/// What an object goes through on its way into the kernel, for schedulers and for the probes that look at them.
extension ObjectHandle {
    /// Parses an object file. libbpf knows it by `name`.
    /// - Parameter refusal: what to say where it is none.
    static func open(
        _ bytes: [UInt8], name: String, refusal: (_ reason: String, _ said: String) -> Failure
    ) throws(Failure) -> ObjectHandle {
        var options = bpf_object_open_opts()
        options.sz = MemoryLayout<bpf_object_open_opts>.size
        let (object, said) = LibBPFLog.collect {
            name.withCString { name in
                options.object_name = name
                // SAFETY: libbpf copies what it needs of the bytes and of the name before it returns.
                return bytes.withUnsafeBytes { bpf_object__open_mem($0.baseAddress, $0.count, &options) }
            }
        }
        guard let object else { throw refusal(SystemError("open").reason, said) }
        return ObjectHandle(raw: object)
    }

    /// One of our own probes.
    static func openProbe(_ bytes: [UInt8], name: String) throws(Failure) -> ObjectHandle {
        try open(bytes, name: name) { _, said in
            Failure(
                .malformedObject, "the probe '\(name)' is not a BPF object that libbpf can read", detail: said)
        }
    }

    /// Has the kernel take a probe.
    borrowing func loadProbe() throws(Failure) {
        let log = VerifierLog(programs: programs(), detail: .nothing)
        let object = raw
        let (result, said) = LibBPFLog.collect { bpf_object__load(object) }
        guard result == 0 else { throw log.failure(code: -result, libbpf: said) }
    }

    /// Attaches a probe's programs of a type: all or none.
    // SAFETY: links of libbpf, to be destroyed once; the programs that they hold live as long as this value.
    borrowing func attachPrograms(of type: bpf_prog_type) throws(Failure) -> [OpaquePointer] {
        var links: [OpaquePointer] = []
        for program in programs() where bpf_program__type(program) == type {
            let (link, said) = LibBPFLog.collect { bpf_program__attach(program) }
            guard let link else {
                let name = String(cString: bpf_program__name(program))
                let reason = SystemError("attach").reason
                links.forEach { _ = bpf_link__destroy($0) }
                throw Failure(.attachFailed, "the probe's '\(name)' could not be attached: \(reason)", detail: said)
            }
            links.append(link)
        }
        return links
    }

    /// A map by its name.
    borrowing func map(named name: String) -> OpaquePointer? {
        maps().first { String(cString: bpf_map__name($0)) == name }
    }
}
