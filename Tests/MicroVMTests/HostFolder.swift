import Linux

/// A private folder for one test.
struct HostFolder {
    let path: String
    init() throws { path = try HostFile.privateFolder("schedcp-test") }

    func write(_ text: String, to name: String) throws { try HostFile.write(text, to: "\(path)/\(name)") }

    func remove() {
        for name in (try? Folder.names(path)) ?? [] { HostFile.remove("\(path)/\(name)") }
        HostFile.removeFolder(path)
    }
}
