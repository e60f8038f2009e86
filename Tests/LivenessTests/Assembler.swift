import BPFObject
import Liveness
import Model

/// Small schedulers, instruction by instruction. Each instruction is on a line of its own, numbered by its slot.
struct Assembler {
    private(set) var instructions: [Instruction] = []
    private(set) var references: [Int: Reference] = [:]

    static let local: UInt64 = 1 << 63 | 2

    mutating func emit(_ opcode: UInt8, dst: UInt8 = 0, src: UInt8 = 0, offset: Int16 = 0, immediate: Int32 = 0) {
        instructions.append(
            Instruction(opcode: opcode, dst: dst, src: src, offset: offset, immediate: immediate))
    }

    /// The operation's argument `place`, into a register; the address of the arguments is in r1, or in r9 once saved.
    mutating func argument(_ place: Int16, into dst: UInt8, context: UInt8 = 1) {
        emit(0x79, dst: dst, src: context, offset: place * 8)
    }

    mutating func set(_ dst: UInt8, _ value: Int32) { emit(0xB7, dst: dst, immediate: value) }
    mutating func move(_ dst: UInt8, _ src: UInt8) { emit(0xBF, dst: dst, src: src) }
    mutating func add(_ dst: UInt8, _ value: Int32) { emit(0x07, dst: dst, immediate: value) }

    mutating func setWide(_ dst: UInt8, _ value: UInt64) {
        emit(0x18, dst: dst, immediate: Int32(truncatingIfNeeded: value))
        emit(0, immediate: Int32(truncatingIfNeeded: value >> 32))
    }

    mutating func call(_ name: String) {
        references[instructions.count] = .kernelFunction(name: name, typeID: nil, isAvailable: true)
        emit(0x85, src: 2, immediate: -1)
    }

    mutating func refer(_ slot: Int, _ reference: Reference) { references[slot] = reference }

    mutating func helper(_ number: Int32) { emit(0x85, immediate: number) }

    mutating func call(function: Int) {
        references[instructions.count] = .call(function: function)
        emit(0x85, src: 1, immediate: -1)
    }

    mutating func map(_ dst: UInt8, _ map: Int) {
        references[instructions.count] = .mapPointer(map: map)
        setWide(dst, 0)
    }

    mutating func function(_ dst: UInt8, _ function: Int) {
        references[instructions.count] = .functionPointer(function: function)
        setWide(dst, 0)
    }

    /// A jump over `over` slots, on a comparison with a constant. `opcode`: 0x15 ==, 0x55 !=, 0xA5 <, 0x25 >, 0xC5 s<.
    mutating func jump(_ opcode: UInt8, _ dst: UInt8, _ value: Int32, over: Int16) {
        emit(opcode, dst: dst, offset: over, immediate: value)
    }

    mutating func jump(over: Int16) { emit(0x05, offset: over) }

    mutating func leave(_ value: Int32? = nil) {
        if let value { set(0, value) }
        emit(0x95)
    }

    /// The task in `task` into a queue.
    mutating func insert(task: UInt8, queue: UInt64, slice: Int32 = 20_000_000, flags: Int32 = 0) {
        move(1, task)
        setWide(2, queue)
        set(3, slice)
        set(4, flags)
        call("scx_bpf_dsq_insert")
    }

    func function(_ name: String, operation: String? = nil) -> Function {
        Function(
            name: name, section: operation == nil ? ".text" : "struct_ops/" + name, instructions: instructions,
            references: references,
            lines: instructions.indices.map {
                Function.LineStart(slot: $0, location: SourceLocation(file: "small.bpf.c", line: 100 + $0))
            }, isProgram: operation != nil, isSleepable: operation == "init", operations: operation.map { [$0] } ?? [])
    }

    /// Operations by name, then subprograms, which are numbered on from the last operation.
    static func object(
        _ operations: [(String, Assembler)], subprograms: [Assembler] = [], maps: [MapDefinition] = []
    ) -> ResolvedObject {
        var functions: [Function] = []
        var table = OperationsTable(name: "small_ops", type: "sched_ext_ops", isLinked: true, map: 0)
        for (name, code) in operations {
            table.functions[name] = functions.count
            functions.append(code.function("small_" + name, operation: name))
        }
        for (number, code) in subprograms.enumerated() { functions.append(code.function("part\(number)")) }
        return ResolvedObject(
            license: "GPL", functions: functions, maps: maps, tables: [table], btf: .empty, kernel: .empty)
    }

    static func make(_ build: (inout Assembler) -> Void) -> Assembler {
        var assembler = Assembler()
        build(&assembler)
        return assembler
    }

    /// dispatch: serves one queue. init: creates it.
    static func serving(_ queue: Int32) -> [(String, Assembler)] {
        [
            (
                "dispatch",
                make {
                    $0.set(1, queue)
                    $0.call("scx_bpf_dsq_move_to_local")
                    $0.leave(0)
                }
            ),
            (
                "init",
                make {
                    $0.set(1, queue)
                    $0.set(2, -1)
                    $0.call("scx_bpf_create_dsq")
                    $0.emit(0x95)
                }
            ),
        ]
    }
}

extension AnalysisResult {
    func verdict(_ check: String) -> CheckOutcome.Verdict? { outcomes.first { $0.check == check }?.verdict }
    func findings(_ check: String) -> [Finding] { findings.filter { $0.check == check } }
}
