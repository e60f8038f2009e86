import Foundation
import Linux

/// A folder of one test, removed with the last reference to it. Other users may enter it.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        path = try HostFile.privateFolder("schedcp-test")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    package func path(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    package func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = path(name)
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    @discardableResult
    package func write(_ text: String, to name: String) throws -> String { try write(Array(text.utf8), to: name) }

    /// Into the same file, for a reader that has it open.
    package func overwrite(_ name: String, _ text: String) throws {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path(name)))
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    package func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path(name)) ?? Data(), as: UTF8.self)
    }

    package func bytes(_ name: String) -> [UInt8] {
        [UInt8](FileManager.default.contents(atPath: path(name)) ?? Data())
    }

    package func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    }

    package func makeLink(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
    }

    package func names(_ folder: String = "") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path + "/" + folder)) ?? []).sorted()
    }

    package func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    package func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    package func setMode(_ mode: Int, of name: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name))
    }

    /// Copies a file of this computer into the folder.
    package func copy(_ source: String, to name: String) throws {
        try FileManager.default.copyItem(atPath: source, toPath: path(name))
    }

    /// Makes a user the owner of something in it and of all that is below. Only root may.
    package func give(_ name: String, to uid: UInt32, _ gid: UInt32) throws {
        let owner: [FileAttributeKey: Any] = [
            .ownerAccountID: NSNumber(value: uid), .groupOwnerAccountID: NSNumber(value: gid),
        ]
        try FileManager.default.setAttributes(owner, ofItemAtPath: path(name))
        for below in try FileManager.default.subpathsOfDirectory(atPath: path(name)) {
            try FileManager.default.setAttributes(owner, ofItemAtPath: path(name) + "/" + below)
        }
    }
}
