import Liveness
import Model
import TestSupport
import Testing

@testable import Verifier

/// Where a source declares what has no line in its object.
@Suite struct SourceDeclarationsTests {
    static func place(_ declaration: Declaration, _ source: String) -> Model.SourceLocation? {
        SourceDeclarations(file: "x.bpf.c", text: Array(source.utf8)).place(of: declaration)
    }

    static let timeout = Declaration.member("timeout_ms", table: "x_ops")

    @Test func aMemberIsFoundInATable() {
        let plain = """
            /* .timeout_ms = 1 */
            SEC(".struct_ops.link")
            struct sched_ext_ops x_ops = {
            \t.enqueue = (void *)x_enqueue, // .timeout_ms = 2
            \t.timeout_ms = 60000,
            \t.name = ".timeout_ms = 3",
            };
            """
        let location = SourceLocation(file: "x.bpf.c", line: 5, column: 2, text: ".timeout_ms = 60000,")
        #expect(Self.place(Self.timeout, plain) == location)
        #expect(Self.place(.member("enqueue", table: "x_ops"), plain)?.line == 4)
        #expect(Self.place(.member("flags", table: "x_ops"), plain) == nil)
        #expect(Self.place(.member("timeout_ms", table: "y_ops"), plain) == nil)
    }

    @Test func aMemberIsFoundBehindAMacroOrAnAttribute() {
        let macro = "SCHEDULER(x_ops, .enqueue = (void *)f,\n\t  .timeout_ms = 60 * 1000,\n\t  .name = \"x\");\n"
        #expect(Self.place(Self.timeout, macro)?.line == 2)
        let attribute = "struct sched_ext_ops x_ops SEC(\".struct_ops\") = { .timeout_ms = 1 };\n"
        #expect(Self.place(Self.timeout, attribute)?.column == 51)
    }

    /// What is not certain is not said.
    @Test(
        arguments: [
            // Of another table, of another variable, of a part of the table.
            "SCHEDULER(y_ops, .timeout_ms = 1);", "struct s x = { .timeout_ms = 1 };",
            "struct s x_ops = { .inner = { .timeout_ms = 1 } };", "SCHEDULER(x_ops, .inner = { .timeout_ms = 1 });",
            // No designator.
            "void f(void) { x_ops.timeout_ms = 1; }", "SCHEDULER(x_ops, y.timeout_ms = 1);",
            // Two of them; which one the compiler took is not known.
            "SCHEDULER(x_ops, .timeout_ms = 1, .timeout_ms = 2);",
            "SCHEDULER(x_ops,\n#ifdef SLOW\n.timeout_ms = 2,\n#else\n.timeout_ms = 1,\n#endif\n.name = 0);",
            "#if 0\nSCHEDULER(x_ops, .timeout_ms = 1);\n#endif\n",
            // Made by a macro.
            "#define OPS(x) struct s x_ops = \\\n\t{ .timeout_ms = 1, x }\nOPS(.name = 0);",
            // Brackets that only the preprocessor could match.
            "#ifdef A\nOPS(x_ops,\n#else\nSCHEDULER(x_ops,\n#endif\n\t.timeout_ms = 1);",
            "", "{", "}", "\"", "'", "/*", "//", "#", "\\", "x_ops = { .timeout_ms =", "#define /* \n",
        ])
    func whatIsNotCertainIsNotSaid(_ source: String) {
        #expect(Self.place(Self.timeout, source) == nil)
    }

    @Test func linesGoOnBehindEveryKindOfText() {
        let text = "char a[] = \"\\\\\\\"{\"; char b = '\"';\n#define F(x) \\\n\t{ x '\n/* {\n{ */ // {\\\n{\n"
        #expect(Self.place(Self.timeout, text + "SCHEDULER(x_ops, .timeout_ms = 1);\n")?.line == 7)
    }

    @Test func aMapIsFoundByItsAttributeOrItsName() {
        let maps = """
            struct {
            \t__uint(type, BPF_MAP_TYPE_ARRAY);
            \t__uint(pinning, LIBBPF_PIN_BY_NAME);
            } first SEC(".maps");
            struct {
            \t__uint(type, BPF_MAP_TYPE_ARRAY);
            \t__array(values, struct { __uint(type, 2); });
            } second SEC(".maps");
            struct shared third SEC(".maps");
            int f(void) { return lookup(&first); }
            """
        #expect(Self.place(.attribute("pinning", map: "first"), maps)?.line == 3)
        #expect(Self.place(.attribute("pinning", map: "second"), maps)?.line == 8)
        #expect(Self.place(.attribute("pinning", map: "third"), maps)?.line == 9)
        #expect(Self.place(.attribute("type", map: "second"), maps) == nil)
        let first = SourceLocation(file: "x.bpf.c", line: 4, column: 3, text: "} first SEC(\".maps\");")
        #expect(Self.place(.map("first"), maps) == first)
        #expect(Self.place(.map("fourth"), maps) == nil)
        #expect(Self.place(.map("first"), maps + "\nextern struct s first SEC(\"x\");") == nil)
    }

    /// The whole way: a source that only its table makes wrong.
    @Test func aFindingOfTheStaticStageHasALine() async throws {
        let source = Array(
            """
            #include <schedcp/scheduler.bpf.h>
            char _license[] SEC("license") = "GPL";
            void BPF_STRUCT_OPS(x_enqueue, struct task_struct *p, u64 enq_flags)
            {
            \tdsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
            }
            SCHEDULER(x_ops,
            \t  .enqueue = (void *)x_enqueue,
            \t  .timeout_ms = 60000,
            \t  .name = "x");
            """.utf8)
        let compiled = try await Compiling.stage().run(
            source: source, name: "x.bpf.c", typesHeader: try await Compiling.kernelTypes())
        let object = try #require(compiled.object, "\(compiled.report.log)")
        let kernel = TargetKernel(
            image: nil, release: "7.1.2-test", buildID: "", btf: SmallTypes.withSchedExt, btfDigest: "x",
            imageDigest: "", typesHeader: [])
        let stage = StaticStage(limits: VerificationLimits(), kernels: KernelTypes())
        let report = await stage.run(object, VerificationRequest(.source(name: "x.bpf.c", bytes: source)), kernel)
        let finding = try #require(report.findings.first { $0.check == "timeout" })
        #expect(finding.location == SourceLocation(file: "x.bpf.c", line: 9, column: 4, text: ".timeout_ms = 60000,"))
        // Of an object alone nobody knows.
        let bare = await stage.run(object, VerificationRequest(.object(name: "x.bpf.o", bytes: object)), kernel)
        #expect(bare.findings.first { $0.check == "timeout" }?.location == nil)
    }
}
