import Model
import Testing

@testable import Kernel

extension KernelTests {
    @Suite struct VerifierLogTests {
        static let refused = """
            --- program enqueue
            0: R1=ctx() R10=fp0
            ; dsq_insert(p, "a @ b", *slice, flags); @ refused.bpf.c:19
            11: (79) r2 = *(u64 *)(r1 +0)
            12: (79) r3 = *(u64 *)(r0 +0)
            R0 invalid mem access 'map_value_or_null'
            """

        static let statistics = """
            verification time 13053 usec
            stack depth 8+16
            processed 11 insns (limit 1000000) max_states_per_insn 0 total_states 3 peak_states 2 mark_read 0

            """

        static let explanation = """

            Verification failed: Register Type Safety: Invalid dereference

            Reason:
              R0 may be NULL here.

            At:
              enqueue @ refused.bpf.c:19:32

            verification time 13053 usec
            stack depth max 24
            subprog 0 (enqueue) main insns_self 11 insns_total 11 stack 8
            processed 11 insns (limit 1000000) max_states_per_insn 0 total_states 3 peak_states 2 mark_read 0

            """

        @Test(arguments: [statistics, explanation]) func aRefusalIsReadOnOldKernelsAndNew(_ end: String) throws {
            let failure = Failure(.verifierRefused, "refused", detail: Self.refused + "\n" + end)
            let complaint = try #require(VerifierComplaint(failure))
            #expect(complaint.program == "enqueue")
            #expect(complaint.reason == "R0 invalid mem access 'map_value_or_null'")
            #expect(complaint.file == "refused.bpf.c")
            #expect(complaint.line == 19)
            #expect(complaint.text == #"dsq_insert(p, "a @ b", *slice, flags);"#)
            #expect(complaint.log.hasPrefix("0: R1=ctx()"))
        }

        @Test func theExplanationIsKeptWhole() throws {
            let failure = Failure(.verifierRefused, "refused", detail: Self.refused + "\n" + Self.explanation)
            let complaint = try #require(VerifierComplaint(failure))
            #expect(complaint.tail.hasPrefix("Verification failed: Register Type Safety"))
            #expect(complaint.tail.contains("R0 may be NULL here."))
        }

        @Test func aFailureWithoutALogIsNoComplaint() {
            #expect(VerifierComplaint(Failure(.verifierRefused, "x", detail: "libbpf: no")) == nil)
            #expect(VerifierComplaint(Failure(.malformedObject, "x")) == nil)
        }

        @Test func withoutLineInformationThereIsNoPlace() throws {
            let failure = Failure(.verifierRefused, "x", detail: "--- program p\n; no place\n; a @ b\n; c @ d:x\nlast")
            let complaint = try #require(VerifierComplaint(failure))
            #expect(complaint.file.isEmpty)
            #expect(complaint.line == 0)
            #expect(complaint.reason == "last")
        }

        @Test(arguments: [statistics, explanation]) func theFiguresAreRead(_ log: String) {
            let figures = VerifierFigures(log: log)
            #expect(figures.processed == 11)
            #expect(figures.totalStates == 3)
            #expect(figures.peakStates == 2)
            #expect(figures.stack == 24)
            #expect(figures.nanoseconds == 13_053_000)
        }

        @Test func figuresOfFunctionsOnTheirOwnAreAdded() {
            let figures = VerifierFigures(log: Self.statistics + Self.statistics)
            #expect(figures.processed == 22)
            #expect(VerifierFigures(log: "processed x insns\nstack depth\n\n") == VerifierFigures(log: ""))
        }

        @Test func theRefusedProgramIsTheOneThatLibbpfNames() {
            let logs = [("init", "processed 3 insns"), ("enqueue", "R0 invalid"), ("exit", "x")]
            let said = "libbpf: prog 'enqueue': BPF program load failed: Permission denied"
            #expect(VerifierLog.refused(logs, libbpf: said)?.0 == "enqueue")
            #expect(VerifierLog.refused(logs, libbpf: "")?.0 == "exit")
            #expect(VerifierLog.refused([], libbpf: said) == nil)
        }
    }

    @Suite struct KernelNotesTests {
        static func note(_ name: String, _ type: UInt32, _ content: [UInt8]) -> [UInt8] {
            func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
            func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + [UInt8](repeating: 0, count: -bytes.count & 3) }
            let name = Array(name.utf8) + [0]
            return word(name.count) + word(content.count) + word(Int(type)) + padded(name) + padded(content)
        }

        @Test func theBuildIDIsFoundAmongOthers() {
            let notes =
                Self.note("Xen", 5, [1, 2, 3]) + Self.note("GNU", 3, [0x0F, 0xA0, 0xFF])
                + Self.note("Linux", 0x101, [9])
            #expect(KernelNotes.buildID(in: notes) == "0fa0ff")
            #expect(KernelNotes.buildID(in: Self.note("GNU", 1, [1])) == nil)
        }

        @Test func damagedNotesGiveNothing() {
            let notes = Self.note("GNU", 3, [1, 2, 3, 4])
            for length in 0..<notes.count { #expect(KernelNotes.buildID(in: Array(notes[..<length])) == nil) }
            #expect(KernelNotes.buildID(in: [UInt8](repeating: 0xFF, count: 64)) == nil)
        }
    }
}
