import Model
import TestSupport

/// Descriptions of schedulers, right and wrong in one place each.
enum Samples {
    static let good: [String: String] = [
        "name": "\"good\"", "version": "\"1.2\"", "summary": "\"a summary\"", "description": "\"text\"",
        "algorithm": "\"fifo\"", "license": "\"GPL-2.0-only\"", "object_file": "\"good.bpf.o\"",
        "kernel_minimum": "\"6.12\"", "target_workloads": "[\"a\", \"b\"]", "not_for": "[\"c\"]",
    ]

    /// The good description with some keys changed, or left out where the value is nil, and text after it.
    static func toml(_ changes: [String: String?] = [:], then tail: String = "") -> String {
        var fields = good
        for (key, value) in changes { fields[key] = value }
        return fields.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)\n" }.joined() + tail
    }

    static func parameter(_ changes: [String: String?] = [:]) -> String {
        var fields = ["name": "\"p\"", "type": "\"u32\"", "default": "10", "min": "1", "max": "100"]
        for (key, value) in changes { fields[key] = value }
        return "\n[[parameters]]\n" + fields.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)\n" }.joined()
    }

    static let object: [UInt8] = Array("not really an object".utf8)

    /// A folder with one description and its object.
    static func folder(_ toml: String, named name: String = "good") throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write(toml, to: "\(name).toml")
        try folder.write(object, to: "good.bpf.o")
        return folder
    }

    static let actor = Actor(uid: 1000, gid: 100, pid: 4242, groups: [27], user: "alice")

    static func spec(_ scheduler: String = "fifo") -> DeploymentSpec {
        DeploymentSpec(
            scheduler: scheduler, artifact: String(repeating: "ab", count: 32),
            parameters: [Setting(name: "slice_us", value: "5000"), Setting(name: "odd \"name\n", value: "\u{202E}x")],
            hints: [], actor: actor, authority: .unverified(reason: "a test"))
    }
}
