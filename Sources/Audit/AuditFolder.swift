import Linux
import Model

/// The names of a log's files: `audit.jsonl`, and rotated away `audit.jsonl.000001` and so on, the oldest first.
struct AuditFolder: Sendable {
    static let name = "audit.jsonl"

    let path: String

    var current: String { path + "/" + Self.name }

    func rotated(_ number: Int) -> String { path + "/" + Self.fileName(number) }

    /// The numbers of the rotated files, rising.
    func numbers() throws(SystemError) -> [Int] {
        try Folder.names(path).compactMap(Self.number).sorted()
    }

    /// Moves every file of the chain aside and says under which number.
    func moveAside() throws(SystemError) -> Int {
        let names = try Folder.names(path)
        let used = Set(names.compactMap { $0.split(separator: ".").last.flatMap { Self.asideNumber($0) } })
        let number = (used.max() ?? 0) + 1
        // The current one last: a crash in between leaves a chain that is still broken, and this happens again.
        for name in names.filter({ Self.number($0) != nil }) + names.filter({ $0 == Self.name }) {
            try DurableFile.rename("\(path)/\(name)", to: "\(path)/\(name).broken-\(number)")
        }
        return number
    }

    private static func fileName(_ number: Int) -> String {
        let digits = String(number)
        return name + "." + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    private static func number(_ file: String) -> Int? {
        guard file.hasPrefix(name + "."), let number = Int(file.dropFirst(name.count + 1)), number > 0,
            fileName(number) == file
        else { return nil }
        return number
    }

    private static func asideNumber(_ part: Substring) -> Int? {
        part.hasPrefix("broken-") ? Int(part.dropFirst(7)) : nil
    }
}
