import Crypto
import Linux
package import Model

/// The headers that every candidate may include: SchedCP's, the primitives to compose schedulers of, libbpf's for BPF
/// programs, and the error numbers. They are read once and copied into each compilation's own folder, so that no path of this machine gets into an object.
package struct CompileHeaders: Hashable, Sendable {
    /// Where an installed SchedCP keeps its own.
    package static let installed = "/usr/share/schedcp/include"
    static let libbpf = "/usr/include/bpf"
    private static let errors = ["errno.h", "errno-base.h"].map { ("/usr/include/asm-generic", $0) }

    /// By their path below the include folder, such as `schedcp/scheduler.bpf.h`.
    let files: [String: [UInt8]]
    /// SHA-256 of all of them, lower-case hex.
    package let digest: String

    /// Those of the source tree that this program was built in, else the installed ones. Throws `.notFound`.
    package static func locate() throws(Failure) -> CompileHeaders {
        var folder = HostFile.target(ofLink: "/proc/self/exe") ?? ""
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            if HostFile.exists("\(folder)/bpf/include/schedcp/scheduler.bpf.h") {
                return try CompileHeaders(schedcp: "\(folder)/bpf/include", primitives: "\(folder)/bpf/primitives")
            }
        }
        guard HostFile.exists("\(installed)/schedcp") else {
            throw Failure(
                .notFound, "SchedCP's headers are neither in a source tree around this program nor in \(installed)",
                hint: "Run from a source tree, or install SchedCP with scripts/install.")
        }
        return try CompileHeaders(schedcp: installed, primitives: "\(installed)/primitives")
    }

    /// - Parameter folder: holds `schedcp/scheduler.bpf.h`.
    /// - Parameter primitives: holds `idle-cpu.bpf.h` and the others, which are included as `<primitives/idle-cpu.bpf.h>`.
    package init(schedcp folder: String, primitives: String) throws(Failure) {
        var files: [String: [UInt8]] = [:]
        func read(_ source: String, _ name: String) throws(Failure) {
            do throws(SystemError) { files[name] = try TextFile.readBytes(source, limit: 4 << 20) } catch {
                throw error.asFailure(.notFound)
            }
        }
        for (place, name) in [("\(folder)/schedcp", "schedcp"), (primitives, "primitives"), (Self.libbpf, "bpf")] {
            let headers = ((try? Folder.names(place)) ?? []).filter { $0.hasSuffix(".h") }
            for header in headers { try read("\(place)/\(header)", "\(name)/\(header)") }
        }
        for (place, name) in Self.errors where HostFile.exists("\(place)/\(name)") {
            try read("\(place)/\(name)", "asm-generic/\(name)")
        }
        let helpers = files["bpf/bpf_helpers.h"].map { String(decoding: $0, as: UTF8.self) } ?? ""
        guard helpers.contains("define bpf_for(") else {
            throw Failure(
                .notFound, "\(Self.libbpf)/bpf_helpers.h is missing or older than libbpf 1.2",
                hint: "apt-get install libbpf-dev (on Debian 12 from bookworm-backports).")
        }
        self.files = files
        var hash = SHA256()
        for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
            hash.update(data: Array("\(name) \(bytes.count)\n".utf8))
            hash.update(data: bytes)
        }
        digest = hash.finalize().hexadecimal
    }
}

extension Sequence<UInt8> {
    /// Lower-case, two digits a byte.
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
