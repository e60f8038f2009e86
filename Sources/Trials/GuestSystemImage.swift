import Crypto
import Linux
import MicroVM
import Model
import Subprocess

/// The initramfs of a trial's machine: schedcp-guest as the first process, the libraries it needs, the probes and, for
/// kernels that have the port's drivers as modules, those.
struct GuestSystemImage: Sendable {
    /// Where the probes are in the guest, and where an installed SchedCP has them.
    static let probeFolder = "/usr/lib/schedcp/probes"
    static let installedGuest = "/usr/lib/schedcp/schedcp-guest"
    /// The dynamic linker of the only processor that the machines have.
    static let linker = "/lib64/ld-linux-x86-64.so.2"
    /// Bytes of one file that goes into the image.
    static let longestFile = 256 << 20

    let guest: String
    let probes: [String]
    let modules: [String]

    init(options: TrialOptions, kernel: TrialKernel) throws(Failure) {
        if let given = options.guestProgram { guest = given } else { guest = try Self.findGuest() }
        guard HostFile.isReadable(guest) else {
            throw Failure(.internal, "\(guest) cannot be read", hint: "it is the first process of a trial's machine")
        }
        let folder = options.probes ?? Self.findProbes()
        probes = ((try? Folder.names(folder)) ?? []).filter { $0.hasSuffix(".bpf.o") }.map { "\(folder)/\($0)" }
        if let folder = kernel.modules { modules = try PortModules.files(in: folder) } else { modules = [] }
    }

    /// A file with the image, made when the cache has none with the same content.
    func file(in cache: CacheFolder) async throws(Failure) -> String {
        let archive = try await self.archive()
        let digest = Self.digest(archive)
        do {
            let folder = try cache.folder("trials")
            let name = "initramfs-\(digest).cpio"
            if !HostFile.isReadable("\(folder)/\(name)") {
                try Self.store(archive, at: "\(folder)/\(name)")
                Self.removeOthers(in: folder, than: name)
            }
            return "\(folder)/\(name)"
        } catch { throw Failure(.storage, "the machine's initramfs is not written: \(error)") }
    }

    func digest() async throws(Failure) -> String { Self.digest(try await archive()) }

    private static func digest(_ archive: [UInt8]) -> String { Hex.text(SHA256.hash(data: archive)) }

    /// Images of earlier builds are of no use for long.
    private static func removeOthers(in folder: String, than name: String) {
        let others = ((try? Folder.names(folder)) ?? []).filter { $0.hasPrefix("initramfs-") && $0 != name }
        if others.count > 8 { for other in others { HostFile.remove("\(folder)/\(other)") } }
    }

    /// The bytes of the image; the same for the same files.
    func archive() async throws(Failure) -> [UInt8] {
        var archive = CPIOArchive()
        for folder in ["proc", "sys", "dev", "tmp", "run"] { archive.add(folder: folder) }
        // The first process's messages go there before it has mounted anything.
        archive.add(device: "dev/console", major: 5, minor: 1)
        archive.add(file: "init", mode: 0o755, content: try Self.read(guest))
        for library in try await libraries() {
            archive.add(file: library, mode: 0o755, content: try Self.read(library))
        }
        for probe in probes {
            archive.add(file: "\(Self.probeFolder)/\(Self.name(probe))", mode: 0o644, content: try Self.read(probe))
        }
        for (index, module) in modules.enumerated() {
            let order = (index < 10 ? "0" : "") + "\(index)"
            archive.add(file: "modules/\(order)-\(Self.name(module))", mode: 0o644, content: try Self.read(module))
        }
        archive.finish()
        return archive.bytes
    }

    /// The dynamic linker and what it would load, by the names by which it looks for them.
    private func libraries() async throws(Failure) -> [String] {
        let said: String
        do {
            let result = try await Subprocess.run(
                .name("sh"), arguments: ["-c", "exec \"$0\" --list \"$1\"", Self.linker, guest],
                environment: .inherit.updating(["LC_ALL": "C"]),
                output: .string(limit: 256 * 1024), error: .string(limit: 4096))
            guard case .exited(0) = result.terminationStatus else {
                throw Failure(.internal, "the libraries of \(guest) are not found: \(result.standardError)")
            }
            said = result.standardOutput
        } catch let error as Failure {
            throw error
        } catch { throw Failure(.internal, "the libraries of \(guest) are not found: \(error)") }
        return [Self.linker] + Self.libraries(in: said)
    }

    /// Lines are "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)"; those without a path are the kernel's own.
    static func libraries(in text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count >= 3, words[1] == "=>", words[2].hasPrefix("/") else { return nil }
            return String(words[2])
        }
    }

    private static func findGuest() throws(Failure) -> String {
        let own = HostFile.target(ofLink: "/proc/self/exe") ?? ""
        let beside = own.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/schedcp-guest"
        if let found = [beside, installedGuest].first(where: HostFile.isReadable) { return found }
        throw Failure(
            .notFound,
            "schedcp-guest, the first process of a trial's machine, is neither \(beside) nor \(installedGuest)",
            hint: "install SchedCP with scripts/install, or build the product schedcp-guest")
    }

    /// Of the source tree around this program, else of an installed SchedCP.
    private static func findProbes() -> String {
        var folder = HostFile.target(ofLink: "/proc/self/exe") ?? ""
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            let probes = folder + "/.build/bpf/probes"
            if HostFile.exists(probes) { return probes }
        }
        return probeFolder
    }

    private static func name(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }

    private static func read(_ path: String) throws(Failure) -> [UInt8] {
        do throws(SystemError) { return try TextFile.readBytes(path, limit: longestFile) } catch {
            throw Failure(.storage, "\(error)")
        }
    }

    static func store(_ bytes: [UInt8], at path: String) throws {
        let part = "\(path).\(HostFile.process).part"
        do {
            let file = SharedDescriptor(try HostFile.create(part))
            try HostFile.write(bytes[...], to: file.raw)
            withExtendedLifetime(file) {}
            try HostFile.rename(part, to: path)
        } catch {
            HostFile.remove(part)
            throw error
        }
    }
}
