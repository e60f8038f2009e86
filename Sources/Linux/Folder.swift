import Glibc

/// Folders, read in one go and sorted.
package enum Folder {
    /// Makes a folder unless it is there already. Its parent has to exist.
    package static func make(_ path: String, mode: UInt32) throws(SystemError) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        throw SystemError("make the folder \(path)")
    }

    /// The names in a folder without `.` and `..`, at most `limit` of them.
    package static func names(_ path: String, limit: Int = 65536) throws(SystemError) -> [String] {
        // SAFETY: the handle is closed on every way out; each entry is copied before the next readdir.
        guard let folder = opendir(path) else { throw SystemError("open \(path)") }
        defer { closedir(folder) }
        var names: [String] = []
        while names.count < limit, let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
