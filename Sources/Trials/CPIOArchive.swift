/// An archive in the "newc" form of cpio(5), as the kernel unpacks it into its first file system: a header of
/// hexadecimal numbers, the name and the content of each file, padded to four bytes. The same files give the same bytes.
struct CPIOArchive {
    private(set) var bytes: [UInt8] = []
    private var folders: Set<String> = []
    private var count = 0

    /// Types of `st_mode` in include/uapi/linux/stat.h.
    private enum Kind: UInt32 {
        case folder = 0o040000
        case file = 0o100000
        case link = 0o120000
        case device = 0o020000
    }

    /// A file, and the folders above it where they are not there yet.
    mutating func add(file path: String, mode: UInt32, content: [UInt8]) {
        addFolders(above: path)
        append(path, .file, mode: mode, content: content)
    }

    mutating func add(folder path: String) {
        addFolders(above: path + "/")
    }

    mutating func add(link path: String, to target: String) {
        addFolders(above: path)
        append(path, .link, mode: 0o777, content: Array(target.utf8))
    }

    mutating func add(device path: String, major: UInt32, minor: UInt32) {
        addFolders(above: path)
        append(path, .device, mode: 0o600, content: [], device: (major, minor))
    }

    /// The end mark. Nothing may follow.
    mutating func finish() { append("TRAILER!!!", nil, mode: 0, content: []) }

    private mutating func addFolders(above path: String) {
        var folder = ""
        for part in path.split(separator: "/", omittingEmptySubsequences: true).dropLast(path.hasSuffix("/") ? 0 : 1) {
            folder += (folder.isEmpty ? "" : "/") + part
            if folders.insert(folder).inserted { append(folder, .folder, mode: 0o755, content: []) }
        }
    }

    private mutating func append(
        _ path: String, _ kind: Kind?, mode: UInt32, content: [UInt8], device: (UInt32, UInt32) = (0, 0)
    ) {
        let name = Array(path.drop { $0 == "/" }.utf8)
        count += 1
        let links: UInt32 = kind == .folder ? 2 : 1
        // Number, mode, owner, group, links, time, size, device of the file, device that it is, length of the name, sum.
        let numbers: [UInt32] = [
            kind == nil ? 0 : UInt32(count), (kind?.rawValue ?? 0) | mode, 0, 0, links, 0, UInt32(content.count), 0, 0,
            device.0, device.1, UInt32(name.count + 1), 0,
        ]
        bytes += "070701".utf8
        for number in numbers { bytes += Self.hexadecimal(number) }
        bytes += name + [0]
        pad()
        bytes += content
        pad()
    }

    private mutating func pad() { bytes += [UInt8](repeating: 0, count: -bytes.count & 3) }

    private static func hexadecimal(_ number: UInt32) -> [UInt8] {
        (0..<8).map { Array("0123456789ABCDEF".utf8)[Int(number >> (28 - $0 * 4) & 15)] }
    }
}
