import Foundation
import Linux
import Model
import Verifier

/// What the user named, found on disk.
struct CandidateFile {
    static let maxBytes = 64 << 20

    let path: String
    /// What the compiler is told and diagnostics call it by default.
    var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    var isSource: Bool { path.hasSuffix(".c") }

    /// A file, or an installed scheduler: the source of the tree that this program was built in, else the installed object.
    static func locate(_ candidate: String) throws(Failure) -> CandidateFile {
        if candidate.contains("/") || candidate.hasSuffix(".c") || candidate.hasSuffix(".o") {
            return CandidateFile(path: candidate)
        }
        let name = try SchedulerName(candidate)
        if let tree = sourceTree(), HostFile.exists("\(tree)/bpf/\(name).bpf.c") {
            return CandidateFile(path: "\(tree)/bpf/\(name).bpf.c")
        }
        let installed = "\(InstalledNames.folder)/\(name).bpf.o"
        if HostFile.exists(installed) { return CandidateFile(path: installed) }
        let known = InstalledNames.read()
        throw Failure(
            .notFound, "there is no scheduler '\(name)' in \(InstalledNames.folder)",
            hint: known.isEmpty
                ? "give a file's path" : "give a file's path, or one of: \(known.joined(separator: ", "))")
    }

    func read() throws(Failure) -> VerificationRequest.Candidate {
        guard isSource || path.hasSuffix(".o") else {
            throw Failure(
                .invalidArgument, "\(path.quotedForDisplay(limit: 200)) is neither C source nor an object",
                hint: "the name of source ends in .c and that of an object in .o")
        }
        let bytes = try SmallFile.read(path, limit: Self.maxBytes, what: "a scheduler")
        return isSource ? .source(name: name, bytes: bytes) : .object(name: name, bytes: bytes)
    }

    /// What the description beside it (`fifo.toml` for `fifo.bpf.c`) promises.
    func promises() -> [String: String] { DescriptionPromises.beside(path) }

    private static func sourceTree() -> String? {
        var folder = HostFile.target(ofLink: "/proc/self/exe") ?? ""
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            if HostFile.exists("\(folder)/bpf/include/schedcp") { return folder }
        }
        return nil
    }
}
