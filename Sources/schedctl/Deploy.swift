import ArgumentParser
import Attestation
import Client
import Foundation
import Model
import Wire

struct Deploy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a scheduler the machine's.",
        discussion: """
            NAME is an entry of the repository (schedctl list); FILE is C source (ending in .c), which the verifier compiles, or
            an object file (a path with a slash or ending in .o).
            Nothing is deployed without an attestation that this artifact, with these arguments, was verified for this
            kernel; one is asked for where none is given. A scheduler that SchedCP deployed before is replaced; if the new
            one fails to attach, it is put back.

            EXAMPLES:
              schedctl deploy vtime
              schedctl deploy fifo --param slice_us=3000
              schedctl deploy ./mine.bpf.c --effort full
              schedctl deploy ljf --hint process:encoder=40s --hint process:lint=500ms
              schedctl deploy ljf --hint cgroup:system.slice/batch.service=10m
              schedctl deploy ./mine.bpf.o --attestation mine.intoto.json
              sudo schedctl deploy ./mine.bpf.o --unverified --reason 'trying a fix on a test machine'
            """)

    @OptionGroup var what: SchedulerArguments
    @Flag(help: "Replace a scheduler that another program loaded.")
    var takeover = false
    @Option(
        help: ArgumentHelp(
            "Use this attestation (schedctl attest issue); without it, one is asked for.", valueName: "file"),
        completion: .file())
    var attestation: String?
    @Option(help: "How much the verifier tries: quick or full (default: what your role needs).")
    var effort: String?
    @Flag(help: "Do without an attestation, where the access rules permit it to you. Needs --reason.")
    var unverified = false
    @Option(help: "Why it is not verified, for the audit.")
    var reason: String?
    @OptionGroup var options: CommonOptions

    func run() async throws {
        var request: WireDeployRequest
        var verification: DaemonVerification?
        do throws(Failure) {
            request = try what.isSource ? source() : what.read()
            request.takeover = takeover
            try authorise(&request)
            if !unverified && attestation == nil {
                verification = try DaemonVerification(what, effort: effort, options: options)
            }
        } catch {
            options.report(error)
            throw ExitCode(64)
        }
        try await options.run { [request, verification] client throws(Failure) in
            var request = request
            if case .object(let bytes) = request.source {
                try Self.checkSize(object: bytes.count, client.greeting.limits)
            }
            if let verification {
                // Nobody waits minutes for a verdict on what this machine cannot run anyway.
                if client.greeting.you.mayChange { try await Self.checkKernel(client) }
                let reply = try await verification.run(with: client)
                request.attestation = reply.envelope
                // The object that was compiled is there already.
                if what.isSource { request.artifactSha256 = reply.artifactSha256 }
            }
            let result = try await Terminal.withProgress { progress throws(Failure) in
                try await client.call(.deploy(request), progress: progress)
            }
            guard case .deployment(let deployment) = result else { throw SchedClient.unexpected(result) }
            if options.json { return options.printJSON(deployment) }
            print(
                "\(Terminal.styled(Terminal.safe(deployment.ops), .bold)) is the machine's scheduler (deployment \(deployment.id))"
            )
        }
    }

    private static func checkKernel(_ client: SchedClient) async throws(Failure) {
        let result = try await client.call(.status(WireStatusRequest()))
        guard case .status(let status) = result else { throw SchedClient.unexpected(result) }
        guard status.kernel.supported else {
            throw Failure(
                .kernelUnsupported, "this kernel cannot run a sched_ext scheduler",
                hint: "schedctl doctor says what to do", detail: status.kernel.missing.joined(separator: "\n"))
        }
    }

    /// Of source, the object that the daemon keeps is deployed: with an attestation, the one that it is about.
    private func source() throws(Failure) -> WireDeployRequest {
        guard !unverified else {
            throw Failure(
                .invalidArgument, "source is compiled by the verifier, so it cannot be deployed unverified",
                hint: "compile it and give the object file")
        }
        var request = WireDeployRequest()
        for text in what.param { request.parameters.append(WireSetting(try SchedulerArguments.setting(text))) }
        for text in what.hint { request.hints.append(WireHint(try SchedulerArguments.hint(text))) }
        if let attestation { request.artifactSha256 = try Offline.claims(attestation).artifact }
        return request
    }

    private func authorise(_ request: inout WireDeployRequest) throws(Failure) {
        request.unverified = unverified
        request.reason = reason ?? ""
        if unverified && (reason ?? "").isEmpty {
            throw Failure(
                .invalidArgument, "--unverified needs a --reason",
                hint: "it stands in the audit: --reason 'trying a fix'")
        }
        if unverified && attestation != nil {
            throw Failure(.invalidArgument, "--unverified and --attestation exclude each other")
        }
        if !unverified && reason != nil {
            throw Failure(.invalidArgument, "--reason is for --unverified")
        }
        if let attestation {
            request.attestation = Data(try SmallFile.read(attestation, limit: 1 << 20, what: "an attestation"))
        }
    }

    static func checkSize(object bytes: Int, _ limits: WireLimits) throws(Failure) {
        guard limits.maxObjectBytes > 0 else {
            throw Failure(
                .denied, "the access rules do not let you send an object file",
                hint: "deploy a scheduler of the repository by name; see `schedctl whoami`")
        }
        guard bytes <= Int(limits.maxObjectBytes) else {
            throw Failure(
                .malformedObject, "the object is larger than schedcpd takes from you (\(limits.maxObjectBytes) bytes)")
        }
    }
}
