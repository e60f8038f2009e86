import BPFObject
import FoundationEssentials
import Liveness
import Model
import Testing

/// The schedulers of the repository, against the types of a kernel that SCHEDCP_TEST_BTF names.
@Suite(.timeLimit(.minutes(2)))
struct ShippedTests {
    static let kernel = ProcessInfo.processInfo.environment["SCHEDCP_TEST_BTF"]

    private func object(_ name: String) throws -> ResolvedObject {
        var root = #filePath
        for _ in 0..<3 { root = String(root[..<(root.lastIndex(of: "/") ?? root.startIndex)]) }
        let bytes = try #require(FileManager.default.contents(atPath: "\(root)/.build/bpf/\(name).bpf.o"))
        let types = try #require(FileManager.default.contents(atPath: Self.kernel ?? ""))
        return try BPFObject.parse(Array(bytes)).resolve(kernel: BTF(parsing: Array(types)))
    }

    @Test(.enabled(if: kernel != nil), arguments: ["fifo", "ljf", "vtime"])
    func shippedSchedulersAreNotRefused(name: String) throws {
        let result = Liveness.analyse(try object(name))
        #expect(result.findings.filter { $0.severity == .error }.isEmpty)
        #expect(result.verdict("lost-task") == .proved)
        #expect(result.verdict("double-insert") == .proved)
    }

    @Test(.enabled(if: kernel != nil), arguments: ["fixtures/stall"])
    func theStallingFixtureIsRefused(name: String) throws {
        let result = Liveness.analyse(try object(name))
        #expect(result.findings.contains { $0.severity == .error })
    }
}
