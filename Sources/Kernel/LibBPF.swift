// Kernel: the one place that calls libbpf. A scheduler is a `~Copyable` value that moves opened → loaded → attached, so
// that one that was not loaded cannot be attached and one that is attached cannot be forgotten. None of libbpf's
// objects is used by two threads at once: the owners of these values (the deployment service, the view) are actors.

import CLibBPF
import Glibc
import Model
import Synchronization

enum LibBPF {
    /// From 1.5 on a type of struct_ops is remembered by its number and not by its address.
    static var keepsTypesByNumber: Bool {
        isAtLeast(minor: 5)
    }

    /// From 1.7 on the map that is an object's arena is remembered by its number and not by its address.
    static var keepsArenaByNumber: Bool { isAtLeast(minor: 7) }

    private static func isAtLeast(minor: UInt32) -> Bool {
        libbpf_major_version() > 1 || (libbpf_major_version() == 1 && libbpf_minor_version() >= minor)
    }

    /// Does the list of maps move after the declared ones, the arena among them, are in it? It begins with 16 places and
    /// grows by a quarter (`libbpf_add_mem`). An address from before then leads outside of it.
    static func listMoves(declared: Int, all: Int) -> Bool {
        func places(_ count: Int) -> Int {
            var places = 16
            while places < count { places += places / 4 }
            return places
        }
        return places(declared) != places(all)
    }
}

/// What libbpf prints, collected instead of printed.
enum LibBPFLog {
    /// More than this many lines of one load are of no use to anyone.
    private static let maxLines = 2000
    /// By the thread that libbpf works for: the deployments and the view of what runs have each their own.
    private static let lines = Mutex<[UInt: [String]]>([:])
    private static var thread: UInt { UInt(pthread_self()) }
    private static let install: Void = {
        libbpf_set_print { level, format, arguments in
            guard level != LIBBPF_DEBUG, let format, let arguments else { return 0 }
            var buffer = [CChar](repeating: 0, count: 4096)
            // SAFETY: vsnprintf writes at most 4096 bytes and ends them with NUL; `format` belongs to libbpf.
            let length = vsnprintf(&buffer, buffer.count, format, arguments)
            let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            lines.withLock { lines in
                if let count = lines[thread]?.count, count < maxLines { lines[thread]?.append(text) }
            }
            return length
        }
    }()

    /// Runs `body` and gives beside its result what libbpf said meanwhile.
    static func collect<R>(_ body: () -> R) -> (result: R, said: String) {
        _ = install
        lines.withLock { $0[thread] = [] }
        let result = body()
        return (result, lines.withLock { $0.removeValue(forKey: thread)?.joined() ?? "" })
    }
}

/// An open `struct bpf_object`, closed by its owner's end.
struct ObjectHandle: ~Copyable {
    let raw: OpaquePointer

    deinit { bpf_object__close(raw) }

    /// Every map of the object, in the order of the file.
    borrowing func maps() -> [OpaquePointer] {
        var all: [OpaquePointer] = []
        var map = bpf_object__next_map(raw, nil)
        while let current = map {
            all.append(current)
            map = bpf_object__next_map(raw, current)
        }
        return all
    }

    borrowing func programs() -> [OpaquePointer] {
        var all: [OpaquePointer] = []
        var program = bpf_object__next_program(raw, nil)
        while let current = program {
            all.append(current)
            program = bpf_object__next_program(raw, current)
        }
        return all
    }

    /// The map of a data section. libbpf puts the object's name before `.data` and `.rodata`, not before longer names.
    borrowing func section(_ name: String) -> OpaquePointer? {
        maps().first { map in
            let mapName = String(cString: bpf_map__name(map))
            return mapName == name || (name.split(separator: ".").count == 1 && mapName.hasSuffix(name))
        }
    }

    /// Would this libbpf read and write where the list of maps was?
    borrowing func losesItsArena() -> Bool {
        let all = maps()
        guard !LibBPF.keepsArenaByNumber, all.contains(where: { bpf_map__type($0).rawValue == Self.arenaType }) else {
            return false
        }
        let declared = all.filter { !bpf_map__is_internal($0) && bpf_map__type($0) != BPF_MAP_TYPE_STRUCT_OPS }
        return LibBPF.listMoves(declared: declared.count, all: all.count)
    }

    /// BPF_MAP_TYPE_ARENA in include/uapi/linux/bpf.h; older headers lack it.
    private static let arenaType: UInt32 = 33

    /// The maps whose values hold what the kernel cancels when no process has the map open any more.
    borrowing func mapsWithTimers() -> [OpaquePointer] {
        guard let types = TypeTable(object: raw) else { return [] }
        return maps().filter { map in
            bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS && types.holdsTimer(bpf_map__btf_value_type_id(map))
        }
    }

    /// The kernel's types of schedulers: with CPU numbers and, from Linux 7.3 on, with places in the topology (cids).
    /// The members that are no functions have the same names and the same meaning in both.
    private static let schedulerTypes: Set = ["sched_ext_ops", "sched_ext_ops_cid"]

    /// The maps that hold a scheduler's operations.
    borrowing func schedulerMaps() -> [OpaquePointer] {
        guard let types = TypeTable(object: raw) else { return [] }
        return maps().filter { map in
            bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS
                && Self.schedulerTypes.contains(types.name(of: bpf_map__btf_value_type_id(map)))
        }
    }
}
