import Model

/// The kernel that an artifact was verified on. The release alone is not enough: two builds of one release differ.
package struct KernelIdentity: Hashable, Sendable {
    package enum Part: String, CaseIterable, Sendable {
        case release, buildID, btf

        var words: String {
            switch self {
            case .release: "release"
            case .buildID: "build id"
            case .btf: "BTF"
            }
        }
    }

    /// As in `uname -r`.
    package var release: String
    /// The GNU build id of the running kernel, lower-case hex.
    package var buildID: String
    /// SHA-256 of /sys/kernel/btf/vmlinux, lower-case hex.
    package var btfDigest: String

    package init(release: String, buildID: String, btfDigest: String) {
        self.release = release
        self.buildID = buildID
        self.btfDigest = btfDigest
    }

    /// Compared byte by byte; Swift's `==` of texts takes different spellings of one letter as equal.
    package func differences(from other: KernelIdentity) -> [Part] {
        Part.allCases.filter { !value($0).utf8.elementsEqual(other.value($0).utf8) }
    }

    private func value(_ part: Part) -> String {
        switch part {
        case .release: release
        case .buildID: buildID
        case .btf: btfDigest
        }
    }
}

extension KernelIdentity {
    /// Bytes of notes that are looked at; the kernel's own are a few hundred.
    package static let maxNotesBytes = 65_536
    /// Bytes of a build id: 20 for SHA-1, 16 for MD5 and UUIDs, whatever the linker was told.
    static let buildIDBytes = 1...64

    /// The build id in the bytes of /sys/kernel/notes, or nil where there is none or the notes are damaged.
    ///
    /// A note is three 32-bit words (size of the name, size of the content, type), then name and content, each filled
    /// up to 4 bytes; see elf(5), "Notes". The words are little-endian, as on every machine that this is built for.
    package static func buildID(notes: [UInt8]) -> String? {
        guard notes.count <= maxNotesBytes else { return nil }
        var rest = notes[...]
        while let name = word(&rest), let content = word(&rest), let type = word(&rest) {
            guard let nameBytes = padded(name, &rest), let contentBytes = padded(content, &rest) else { return nil }
            let isBuildID = type == 3 && nameBytes.elementsEqual([0x47, 0x4E, 0x55, 0])  // "GNU\0"
            if isBuildID { return buildIDBytes.contains(content) ? Hex.text(contentBytes) : nil }
        }
        return nil
    }

    private static func word(_ rest: inout ArraySlice<UInt8>) -> Int? {
        guard rest.count >= 4 else { return nil }
        let word = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(4)
        return word
    }

    /// The filling after the last note may be left out.
    private static func padded(_ count: Int, _ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard count <= rest.count else { return nil }
        let bytes = rest.prefix(count)
        rest = rest.dropFirst((count + 3) & ~3)
        return bytes
    }
}
