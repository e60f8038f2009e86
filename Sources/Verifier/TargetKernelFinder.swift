import Kernel
import Linux
package import Model
import Trials

/// Finds the kernel to verify for: the one that is named, else the running one where it has sched_ext, else the lab's.
package struct KernelFinder: Sendable {
    /// The folder that scripts/lab and the trials use too. What is learnt of a kernel is kept in it.
    package let cache: String
    /// Where the running kernel says what it is; others only in tests.
    var host = HostKernel()

    package init(cache: String = VerifierConfiguration.standardCache) { self.cache = cache }

    /// A kernel of which nothing is known yet is booted once in a micro-VM to ask it.
    ///
    /// Throws `.notFound` for an image that cannot be read, `.kernelUnsupported` where no kernel with sched_ext is there
    /// or where it cannot be asked; both say what to do.
    package func find(_ choice: VerificationRequest.KernelChoice) async throws(Failure) -> TargetKernel {
        let store = TargetKernelStore(cache: cache)
        if case .image(let path) = choice {
            guard let resolved = SandboxFiles.resolved(path), HostFile.isReadable(resolved) else {
                throw Failure(
                    .notFound, "the kernel image \(path) cannot be read",
                    hint: "Name a bzImage that this user can read, such as a copy of /boot/vmlinuz-….")
            }
            return try await ask(resolved, store)
        }
        let hasSchedExt = host.hasSchedExt
        if hasSchedExt, let image = host.image { return try ofHost(image: image, store) }
        let lab = labImage()
        if let lab {
            do throws(Failure) { return try await ask(lab, store) } catch {
                // Without an emulator the running kernel's types still serve the stages that boot nothing.
                guard hasSchedExt else { throw error }
            }
        }
        if hasSchedExt { return try ofHost(image: nil, store) }
        throw Failure(
            .kernelUnsupported,
            "there is no kernel to verify for: the running one, \(host.release), has no sched_ext, and \(cache) holds no "
                + "image of the lab",
            hint: "Make one with: schedctl lab build. Or name a kernel image with --kernel VMLINUZ.")
    }

    /// The running kernel, from its own mouth.
    private func ofHost(image: String?, _ store: TargetKernelStore) throws(Failure) -> TargetKernel {
        let types: [UInt8]
        do throws(SystemError) { types = try TextFile.readBytes(host.btf, limit: TargetKernelStore.maxTypes) } catch {
            throw error.asFailure(
                .kernelUnsupported,
                hint: "The running kernel needs CONFIG_DEBUG_INFO_BTF=y; or name another with --kernel.")
        }
        let known = try store.remember(types, release: host.release, buildID: host.buildID)
        return try store.target(known, image: image, types: types)
    }

    /// What a kernel image is: remembered by its content, else asked of it in a micro-VM.
    private func ask(_ image: String, _ store: TargetKernelStore) async throws(Failure) -> TargetKernel {
        let digest = try store.digest(ofImage: image)
        if let known = store.known(digest), let target = try? store.target(known, image: image, digest: digest) {
            return target
        }
        // The running kernel's own image need not be booted.
        if image == host.image, host.hasSchedExt {
            let target = try ofHost(image: image, store)
            store.keep(
                .init(release: target.release, buildID: target.buildID, types: target.btfDigest), ofImage: digest)
            return target
        }
        let trials = Trials(kernel: TrialKernel(vmlinuz: image), options: TrialOptions(cache: cache))
        let identity = try await trials.identify()
        guard TargetKernelStore.hasSchedExt(identity.btf) else {
            throw Failure(
                .kernelUnsupported, "the kernel \(identity.release) in \(image) has no sched_ext",
                hint: "Name one of 6.12 or later with CONFIG_SCHED_CLASS_EXT=y.")
        }
        let known = try store.remember(identity.btf, release: identity.release, buildID: identity.buildID)
        store.keep(known, ofImage: digest)
        return try store.target(known, image: image, types: identity.btf, digest: digest)
    }

    /// The image of the newest kernel among those of the lab.
    func labImage() -> String? {
        let images = ((try? Folder.names("\(cache)/lab")) ?? []).filter { $0.hasPrefix("image-") }
        let found = images.compactMap { name -> (version: [Int], file: String)? in
            let file = "\(cache)/lab/\(name)/vmlinuz"
            // A build that was not finished has no manifest.
            guard let manifest = try? TextFile.read("\(cache)/lab/\(name)/manifest"), HostFile.isReadable(file),
                let release = manifest.split(separator: "\n").first(where: { $0.hasPrefix("release=") })
            else { return nil }
            let numbers = release.split(whereSeparator: { !$0.isNumber }).prefix(4).map { Int($0) ?? 0 }
            return (numbers, file)
        }
        return found.max { $0.version.lexicographicallyPrecedes($1.version) }?.file
    }
}

/// The kernel that runs here.
struct HostKernel: Sendable {
    var release = KernelConfig.release
    var btf = HostProbe.btf
    var schedExt = HostProbe.schedExtFolder
    var boot = "/boot"
    var modules = "/lib/modules"
    /// As in /proc/version, which the image must say too.
    var versionFile = "/proc/version"

    var hasSchedExt: Bool { HostFile.exists("\(schedExt)/state") && HostFile.isReadable(btf) }
    var buildID: String { KernelNotes.buildID ?? "" }

    /// Its own image, where this user can read it and it was not replaced by another of the same release.
    var image: String? {
        ["\(boot)/vmlinuz-\(release)", "\(modules)/\(release)/vmlinuz"].first { path in
            guard let head = try? SandboxFiles.head(path, limit: 64 << 10), let version = KernelImage.version(in: head)
            else { return false }
            return isRunning(version)
        }.flatMap(SandboxFiles.resolved)
    }

    /// The image says "6.12.5-amd64 (who@where) #1 SMP … (date)", /proc/version the same words around the compiler's.
    func isRunning(_ version: String) -> Bool {
        guard let running = TextFile.firstLine(versionFile), let mark = version.firstIndex(of: "#") else {
            return false
        }
        return version.hasPrefix("\(release) ") && running.hasSuffix(version[mark...])
    }
}

/// The head of a bzImage (Documentation/arch/x86/boot.rst).
enum KernelImage {
    /// What it says of its version; nil where these are not the first bytes of a bzImage.
    static func version(in head: [UInt8]) -> String? {
        guard head.count > 0x210, head[0x202..<0x206].elementsEqual("HdrS".utf8) else { return nil }
        let start = (Int(head[0x20e]) | Int(head[0x20f]) << 8) + 0x200
        guard start < head.count else { return nil }
        let text = head[start...].prefix(512).prefix { $0 != 0 }
        return String(validating: text, as: UTF8.self)
    }
}
