import Linux
import Model

/// The running kernel's ELF notes, which hold the identity that its linker gave it.
package enum KernelNotes {
    /// The GNU build id of the running kernel in hexadecimal; nil where it has none.
    package static var buildID: String? {
        guard let notes = try? TextFile.readBytes("/sys/kernel/notes", limit: 64 * 1024) else { return nil }
        return buildID(in: notes)
    }

    /// NT_GNU_BUILD_ID in include/uapi/linux/elf.h.
    private static let buildIDType: UInt32 = 3

    /// Each note is three words (length of the name, length of the content, type), the name and the content, both padded
    /// to four bytes.
    static func buildID(in notes: [UInt8]) -> String? {
        func word(_ offset: Int) -> Int? {
            guard offset >= 0, offset + 4 <= notes.count else { return nil }
            return Int(notes[offset..<offset + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        }
        var offset = 0
        while let nameLength = word(offset), let length = word(offset + 4), let type = word(offset + 8) {
            let name = offset + 12
            let content = name + (nameLength + 3) & ~3
            guard content <= notes.count, length <= notes.count - content else { return nil }
            if type == buildIDType, nameLength == 4, notes[name..<name + 3].elementsEqual("GNU".utf8) {
                return Hex.text(notes[content..<content + length])
            }
            offset = content + (length + 3) & ~3
        }
        return nil
    }
}
