import Glibc

/// The options that the running kernel was built with, as far as the machine tells.
package struct KernelConfig: Sendable {
    /// Where the answer came from.
    package let source: String
    private let options: [Substring: Substring]

    package init(text: String, source: String) {
        self.source = source
        var options: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("CONFIG_") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            options[line[..<equals]] = line[line.index(after: equals)...]
        }
        self.options = options
    }

    package func isOn(_ option: String) -> Bool {
        options["CONFIG_\(option)"] == "y"
    }

    package static var release: String {
        var name = utsname()
        guard uname(&name) == 0 else { return "" }
        return withUnsafePointer(to: &name.release) {
            // SAFETY: uname fills `release` with a NUL-terminated string of at most 65 bytes.
            $0.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
    }

    /// The configuration in /boot or the modules' folder; nil where the distribution installs none. (/proc/config.gz
    /// would need a decompressor in the daemon for a question that the other probes answer as well.)
    package static func ofRunningKernel() -> KernelConfig? {
        for path in ["/boot/config-\(release)", "/usr/lib/modules/\(release)/config", "/lib/modules/\(release)/config"]
        {
            if let text = try? TextFile.read(path, limit: 1 << 20) { return KernelConfig(text: text, source: path) }
        }
        return nil
    }
}
