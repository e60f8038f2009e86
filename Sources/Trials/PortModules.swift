import Linux
import Model

/// The drivers of the virtio port, for a kernel that does not have them built in.
enum PortModules {
    private static let wanted = ["virtio_pci", "virtio_console"]

    /// The modules' files, each after those that it needs; empty where all are built in. `folder` is a kernel's folder of
    /// modules with depmod(8)'s `modules.dep` ("kernel/a.ko: kernel/b.ko kernel/c.ko", the needed ones in the reverse order).
    static func files(in folder: String) throws(Failure) -> [String] {
        guard let text = try? TextFile.read("\(folder)/modules.dep", limit: 16 << 20) else {
            throw Failure(
                .notFound, "\(folder)/modules.dep cannot be read", hint: "it names the drivers that the kernel needs")
        }
        return files(in: folder, dependencies: text)
    }

    static func files(in folder: String, dependencies text: String) -> [String] {
        var files: [String] = []
        for module in wanted {
            let line = text.split(separator: "\n").first { line in
                let path = line.prefix { $0 != ":" }
                let name = path.split(separator: "/").last?.prefix { $0 != "." } ?? ""
                return String(name.map { $0 == "-" ? "_" : $0 }) == module
            }
            guard let line, let colon = line.firstIndex(of: ":") else { continue }
            let needed = line[line.index(after: colon)...].split(separator: " ").reversed() + [line[..<colon]]
            for path in needed.map({ "\(folder)/\($0)" }) where !files.contains(path) { files.append(path) }
        }
        return files
    }
}
