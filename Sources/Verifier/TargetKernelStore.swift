import Crypto
import Kernel
import Linux
import Model

/// What is known of kernels, in the cache: types by their digest, identities by the image's. Every file gets its name
/// when it is whole, and any of them may be removed at any time. A cache that cannot be written only costs time.
struct TargetKernelStore {
    static let maxTypes = 64 << 20
    private static let maxImage = 256 << 20

    let folder: String

    init(cache: String) {
        folder = "\(cache)/kernels"
        try? HostFile.makeFolders(folder)
    }

    struct Known: Hashable {
        var release: String
        var buildID: String
        /// SHA-256 of its BTF.
        var types: String
    }

    /// SHA-256 of an image. The file's facts stand for its content as long as they do not change.
    func digest(ofImage path: String) throws(Failure) -> String {
        let facts = SandboxFiles.facts(path)
        let seen = facts.map {
            "\(folder)/seen-\(SHA256.hash(data: Array("\(path)\n\($0)".utf8)).hexadecimal.prefix(32))"
        }
        if let seen, let digest = TextFile.firstLine(seen), digest.utf8.count == 64 { return digest }
        let image: [UInt8]
        do throws(SystemError) { image = try TextFile.readBytes(path, limit: Self.maxImage) } catch {
            throw error.asFailure(.notFound)
        }
        let digest = SHA256.hash(data: image).hexadecimal
        if let seen { try? HostFile.write("\(digest)\n", to: seen) }
        return digest
    }

    func known(_ image: String) -> Known? {
        guard let text = try? TextFile.read("\(folder)/\(image).identity") else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 4, !lines[0].isEmpty, lines[2].utf8.count == 64 else { return nil }
        return Known(release: String(lines[0]), buildID: String(lines[1]), types: String(lines[2]))
    }

    func keep(_ known: Known, ofImage digest: String) {
        let text = "\(known.release)\n\(known.buildID)\n\(known.types)\n"
        try? HostFile.write(text, to: "\(folder)/\(digest).identity")
    }

    /// Keeps the types and the header that is made from them. Throws `.malformedObject` for types that are none.
    func remember(_ types: [UInt8], release: String, buildID: String) throws(Failure) -> Known {
        let digest = SHA256.hash(data: types).hexadecimal
        if !HostFile.exists(typesFile(digest)) { try? Self.write(types, to: typesFile(digest)) }
        _ = try header(digest, types)
        return Known(release: release, buildID: buildID, types: digest)
    }

    /// - Parameters:
    ///   - types: where they are at hand; else they are read from the cache, and `.notFound` is thrown without.
    ///   - digest: the image's, where it is at hand.
    func target(
        _ known: Known, image: String?, types given: [UInt8]? = nil, digest: String? = nil
    ) throws(Failure) -> TargetKernel {
        var types = given ?? []
        if given == nil {
            do throws(SystemError) {
                types = try TextFile.readBytes(typesFile(known.types), limit: Self.maxTypes)
            } catch { throw error.asFailure(.notFound) }
            guard Self.isWhole(types) else { throw Failure(.malformedObject, "a file of the cache is damaged") }
        }
        var imageDigest = digest ?? ""
        if digest == nil, let image { imageDigest = try self.digest(ofImage: image) }
        return TargetKernel(
            image: image, release: known.release, buildID: known.buildID, btf: types, btfDigest: known.types,
            imageDigest: imageDigest, typesHeader: try header(known.types, types))
    }

    private func header(_ digest: String, _ types: [UInt8]) throws(Failure) -> [UInt8] {
        let file = "\(folder)/\(digest)-\(TypesHeader.version).h"
        if let kept = try? TextFile.readBytes(file, limit: Self.maxTypes), TypesHeader.isWhole(kept) { return kept }
        let made = try TypesHeader.make(btf: types)
        try? Self.write(made, to: file)
        return made
    }

    private func typesFile(_ digest: String) -> String { "\(folder)/\(digest).btf" }

    /// Not synced: what a crash cuts short is seen when it is read, and made again.
    private static func write(_ bytes: [UInt8], to path: String) throws(SystemError) {
        let part = "\(path).\(HostFile.process).\(UInt64.random(in: .min ... .max))"
        try SandboxFiles.create(part, bytes)
        try HostFile.rename(part, to: path)
    }

    /// The lengths in `struct btf_header` say where the strings, which come last, end.
    private static func isWhole(_ types: [UInt8]) -> Bool {
        types.count > 24 && word(types, 4) + word(types, 16) + word(types, 20) == types.count
    }

    private static func word(_ bytes: [UInt8], _ at: Int) -> Int {
        bytes[at..<at + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// Whether types have `struct sched_ext_ops`: its name is among their strings.
    static func hasSchedExt(_ types: [UInt8]) -> Bool {
        let name = Array("\0sched_ext_ops\0".utf8)
        // The strings come last (struct btf_header: str_off at 16, after the header of hdr_len at 4).
        guard types.count > 24 else { return false }
        let start = word(types, 4) + word(types, 16)
        guard start < types.count else { return false }
        var rest = types[start...]
        while let zero = rest.firstIndex(of: 0) {
            if rest[zero...].starts(with: name) { return true }
            rest = rest[(zero + 1)...]
        }
        return false
    }
}
