import CLibBPF
import Glibc
import Linux
package import Model

/// A small object of our own in the kernel: loaded, and its programs attached where they are for a tracepoint.
private struct ProbeObject: ~Copyable {
    let handle: ObjectHandle
    // SAFETY: links of libbpf, destroyed once in deinit; the programs that they hold live as long as `handle`.
    private let links: [OpaquePointer]

    init(_ bytes: [UInt8], name: String) throws(Failure) {
        let handle = try ObjectHandle.openProbe(bytes, name: name)
        try handle.loadProbe()
        links = try handle.attachPrograms(of: BPF_PROG_TYPE_TRACING)
        self.handle = handle
    }

    deinit { links.forEach { _ = bpf_link__destroy($0) } }
}

/// Counts how long tasks wait, as long as this value lives. Tests have one without a kernel.
package protocol WaitSource: AnyObject {
    /// All waits that have ended since it was made.
    func read() throws(Failure) -> WaitHistogram
}

/// Says how many tasks lie in queues.
package protocol QueueSource: AnyObject {
    /// For each queue the number of its tasks; nil for one that the kernel does not know.
    func depths(of ids: [UInt64]) throws(Failure) -> [UInt32?]
}

/// bpf/probes/waits.bpf.c, loaded and attached.
package final class WaitProbe: WaitSource {
    package static let file = "waits.bpf.o"

    private let object: ProbeObject
    private let waits: CInt

    package init(_ bytes: [UInt8]) throws(Failure) {
        object = try ProbeObject(bytes, name: "waits")
        guard let map = object.handle.map(named: "waits").map({ bpf_map__fd($0) }), let shape = MapValue.shape(map),
            shape.type == BPF_MAP_TYPE_PERCPU_ARRAY.rawValue, shape.value == 8 * WaitHistogram.buckets
        else { throw Failure(.malformedObject, "the probe of waits is of another version; install SchedCP again") }
        waits = map
    }

    package func read() throws(Failure) -> WaitHistogram {
        WaitHistogram(counts: try PerCPU.words(waits, count: WaitHistogram.buckets))
    }
}

/// bpf/probes/queues.bpf.c, loaded: it asks the kernel.
package final class QueueProbe: QueueSource {
    package static let file = "queues.bpf.o"
    /// SCX_DSQ_LOCAL_ON of `enum scx_dsq_id_flags`: with a CPU's number, the queue of that CPU.
    package static let local: UInt64 = 0xC000_0000_0000_0000
    /// Queues that are asked for at once: MAX_QUEUES.
    private static let most = 512
    private static let size = most * 8 + most * 4 + 8

    private let object: ProbeObject
    private let question: SharedDescriptor
    private let program: CInt

    package init(_ bytes: [UInt8]) throws(Failure) {
        object = try ProbeObject(bytes, name: "queues")
        guard let map = object.handle.section(".bss"), Int(bpf_map__value_size(map)) >= Self.size,
            let program = object.handle.programs().first
        else { throw Failure(.malformedObject, "the probe of queues is of another version; install SchedCP again") }
        do { question = SharedDescriptor(try .duplicating(bpf_map__fd(map))) } catch {
            throw error.asFailure(.internal)
        }
        self.program = bpf_program__fd(program)
    }

    package func depths(of ids: [UInt64]) throws(Failure) -> [UInt32?] {
        var depths: [UInt32?] = []
        var rest = ids[...]
        while !rest.isEmpty {
            depths += try ask(Array(rest.prefix(Self.most)))
            rest = rest.dropFirst(Self.most)
        }
        return depths
    }

    private func ask(_ ids: [UInt64]) throws(Failure) -> [UInt32?] {
        guard var bytes = MapValue.read(question.raw), bytes.count >= Self.size else {
            throw Failure(.internal, "the probe of queues cannot be read")
        }
        func put(_ value: some FixedWidthInteger, at place: Int) {
            let new = LittleEndian.bytes(value)
            bytes.replaceSubrange(place..<place + new.count, with: new)
        }
        for (index, id) in ids.enumerated() { put(id, at: 8 * index) }
        put(UInt32(ids.count), at: 12 * Self.most)
        var zero: UInt32 = 0
        var options = bpf_test_run_opts()
        options.sz = MemoryLayout<bpf_test_run_opts>.size
        // SAFETY: the bytes are those of the map's own value; the program takes no context.
        guard bpf_map_update_elem(question.raw, &zero, bytes, 0) == 0, bpf_prog_test_run_opts(program, &options) == 0,
            let answer = MapValue.read(question.raw), answer.count >= Self.size
        else { throw Failure(.internal, "the queues cannot be asked for: \(SystemError("bpf").reason)") }
        return ids.indices.map { index in
            let word = LittleEndian.number(answer, at: 8 * Self.most + 4 * index, UInt32.self)
            return Int32(bitPattern: word) < 0 ? nil : word
        }
    }
}
