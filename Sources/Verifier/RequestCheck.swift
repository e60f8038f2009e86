import FoundationEssentials
import Linux
import Model

extension VerificationRequest {
    /// Throws `.invalidArgument` for what is too much or contradicts itself.
    func check(_ limits: VerificationLimits) throws(Failure) {
        if case .source(_, let bytes) = candidate, bytes.count > limits.maxSourceBytes {
            throw Failure(
                .invalidArgument, "the source has \(bytes.count) bytes, more than \(limits.maxSourceBytes)",
                hint: "a scheduler is far smaller; leave out what it does not need")
        }
        guard !candidate.bytes.isEmpty else { throw Failure(.invalidArgument, "\(candidate.name) is empty") }
        guard parameters.count <= limits.maxParameters else {
            throw Failure(.invalidArgument, "more than \(limits.maxParameters) parameters are given")
        }
        guard hints.count <= limits.maxHints else {
            throw Failure(.invalidArgument, "more than \(limits.maxHints) hints are given")
        }
        if let twice = Dictionary(grouping: parameters, by: \.name).first(where: { $0.value.count > 1 }) {
            throw Failure(
                .invalidArgument, "parameter \(twice.key.quotedForDisplay()) is given twice", hint: "give it once")
        }
        guard lastStage != .simulate else {
            throw Failure(
                .invalidArgument, "there is no simulation yet",
                hint: "the stages are compile, static, kernel and dynamic")
        }
        if case .object = candidate, lastStage == .compile {
            throw Failure(.invalidArgument, "\(candidate.name) is compiled already", hint: "ask for a later stage")
        }
    }

    /// Throws `.kernelUnsupported` where another kernel is required.
    func requireKernel(_ found: VerifiedKernel) throws(Failure) {
        guard let wanted = requiredKernel else { return }
        guard wanted.release == found.release, wanted.buildID == found.buildID, wanted.btfDigest == found.btfDigest
        else {
            throw Failure(
                .kernelUnsupported,
                "it has to be verified on the kernel \(wanted.release) (build \(wanted.buildID.prefix(12))…), "
                    + "and this verifier has \(found.release) (build \(found.buildID.prefix(12))…)",
                hint: "make the image of that very kernel readable to the verifier")
        }
    }
}

/// What lies in the folders that a source may include from.
enum IncludeDigest {
    static let maxFiles = 4096
    static let maxBytes = 64 << 20

    /// SHA-256 over names and contents; empty where there are no folders, nil where there is too much in them.
    static func of(_ folders: [String]) -> String? {
        if folders.isEmpty { return "" }
        var lines = ""
        var files = 0
        var total = 0
        for (index, folder) in folders.enumerated() {
            guard let names = try? FileManager.default.subpathsOfDirectory(atPath: folder) else { continue }
            for name in names.sorted() where name.hasSuffix(".h") || name.hasSuffix(".c") || name.hasSuffix(".inc") {
                guard let bytes = try? TextFile.readBytes("\(folder)/\(name)", limit: maxBytes) else { continue }
                files += 1
                total += bytes.count
                guard files <= maxFiles, total <= maxBytes else { return nil }
                lines += "\(index) \(name) \(EvidenceFolder.digest(bytes))\n"
            }
        }
        return EvidenceFolder.digest(Array(lines.utf8))
    }
}
