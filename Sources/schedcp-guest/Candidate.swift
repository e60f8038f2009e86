import Kernel
import Linux
import Model

/// The scheduler on trial, as the command line names it.
struct Candidate {
    var object = ""
    var settings: [Setting] = []
    /// What its description promises, for the dynamic stage to hold it to.
    var promises: [String: String] = [:]
    var hintsFile: String?
    var everything = false
    /// Options that are not of every trial, by name without the dashes.
    var options: [String: String] = [:]

    /// nil where the words make no sense. Words for one kind of trial only, such as `--shape`, are kept in ``options``.
    init?(_ arguments: [String]) {
        var words = arguments[...]
        while let word = words.popFirst() {
            switch word {
            case "--everything": everything = true
            case "--param", "--promise":
                guard let pair = words.popFirst(), let equals = pair.firstIndex(of: "=") else { return nil }
                let (name, value) = (String(pair[..<equals]), String(pair[pair.index(after: equals)...]))
                if word == "--param" {
                    settings.append(Setting(name: name, value: value))
                } else {
                    promises[name] = value
                }
            case "--hints":
                guard let file = words.popFirst() else { return nil }
                hintsFile = file
            default:
                if word.hasPrefix("--") {
                    guard let value = words.popFirst() else { return nil }
                    options[String(word.dropFirst(2))] = value
                } else {
                    guard object.isEmpty else { return nil }
                    object = word
                }
            }
        }
        if object.isEmpty { return nil }
    }

    /// Opens the object, fills in what this kernel and this machine give, sets the parameters, loads and fills the hints:
    /// the same steps as a deployment's.
    func load(abi: KernelABI, topology: CPUTopology, detail: VerifierDetail = .nothing) throws(Failure)
        -> LoadedScheduler
    {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try TextFile.readBytes(object, limit: OpenedScheduler.maxObjectBytes)
        } catch { throw Failure(.internal, "the object cannot be read: \(error)") }
        var opened = try OpenedScheduler.open(bytes, label: "schedcp")
        try opened.fillConstants(from: abi)
        try opened.fillTopology(topology)
        for value in try opened.values(of: settings) { try opened.set(value) }
        let loaded = try opened.load(detail: detail)
        for (map, entries) in try hints() { try loaded.fill(map: map, with: entries) }
        return loaded
    }

    private func hints() throws(Failure) -> [String: [(key: [UInt8], nanoseconds: UInt64)]] {
        guard let hintsFile else { return [:] }
        guard let text = try? TextFile.read(hintsFile, limit: 4 << 20) else {
            throw Failure(.internal, "the hints in \(hintsFile) cannot be read")
        }
        var result: [String: [(key: [UInt8], nanoseconds: UInt64)]] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, let key = Self.bytes(words[1]), let nanoseconds = UInt64(words[2]) else {
                throw Failure(.internal, "\(String(line).quotedForDisplay()) is no hint")
            }
            result[String(words[0]), default: []].append((key, nanoseconds))
        }
        return result
    }

    private static func bytes(_ hexadecimal: Substring) -> [UInt8]? {
        let digits = Array(hexadecimal.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }
}
