import ArgumentParser
import Client
import Diagnostics
import Foundation
import Linux
import Model
import Wire

/// Has the daemon verify what is to be deployed or attested. Findings go to standard error as a compiler's do; a candidate that is
/// refused ends the program with status 5.
struct DaemonVerification: Sendable {
    private static let maxSourceBytes = 16 << 20

    private let request: WireVerifyRequest
    private let options: CommonOptions
    private let sources: SourceTexts
    private let name: String

    init(
        _ what: SchedulerArguments, effort: String?, forAnybody: Bool = false, reason: String = "",
        options: CommonOptions
    ) throws(Failure) {
        self.options = options
        var request = WireVerifyRequest()
        var sources = SourceTexts()
        if what.isSource {
            let bytes = try SmallFile.read(what.scheduler, limit: Self.maxSourceBytes, what: "source")
            var file = WireSourceFile()
            file.name = what.scheduler.split(separator: "/").last.map(String.init) ?? what.scheduler
            file.code = Data(bytes)
            request.code = file
            for text in what.param { request.parameters.append(WireSetting(try SchedulerArguments.setting(text))) }
            for text in what.hint { request.hints.append(WireHint(try SchedulerArguments.hint(text))) }
            sources.add(file.name, text: String(decoding: bytes, as: UTF8.self), shownAs: what.scheduler)
            name = file.name
        } else {
            let given = try what.read()
            (request.parameters, request.hints) = (given.parameters, given.hints)
            switch given.source {
            case .name(let name): request.name = name
            case .object(let bytes): request.object = bytes
            case .artifactSha256, nil: break
            }
            name = what.scheduler
        }
        if let effort {
            guard Effort(rawValue: effort) != nil else {
                throw Failure(
                    .invalidArgument, "--effort \(effort.quotedForDisplay()) is unknown", hint: "quick or full")
            }
            request.effort = effort
        }
        request.forAnybody = forAnybody
        request.reason = reason
        self.request = request
        self.sources = sources
    }

    /// The answer, where it passed.
    func run(with client: SchedClient) async throws(Failure) -> WireVerifyReply {
        try checkSize(client.greeting.limits)
        let result = try await Terminal.withProgress { [name, request] progress throws(Failure) in
            try await client.call(.verify(request), progress: progress) { what in
                switch what.what {
                case .stage(let stage): progress("verifying \(name): \(Terminal.safe(stage))")
                case .queued(let ahead) where ahead > 0: progress("\(ahead) verifications are before \(name)")
                default: break
                }
            }
        }
        guard case .verified(let reply) = result else { throw SchedClient.unexpected(result) }
        if reply.passed {
            tellWarnings(reply)
            return reply
        }
        refuse(reply)
    }

    private func checkSize(_ limits: WireLimits) throws(Failure) {
        switch request.source {
        case .object(let bytes): try Deploy.checkSize(object: bytes.count, limits)
        case .code(let file):
            guard limits.maxSourceBytes > 0 else {
                throw Failure(
                    .denied, "the access rules do not let you send source", hint: "see `schedctl whoami`: source-bytes")
            }
            guard file.code.count <= Int(limits.maxSourceBytes) else {
                throw Failure(
                    .tooMany, "the source is larger than schedcpd takes from you (\(limits.maxSourceBytes) bytes)")
            }
        case .name, nil: break
        }
    }

    private var renderer: TextRenderer { TextRenderer(isColoured: Terminal.isColoured, sources: sources) }

    private func tellWarnings(_ reply: WireVerifyReply) {
        guard !options.json else { return }
        for finding in reply.stages.flatMap(\.findings).compactMap({ try? $0.asFinding() })
        where finding.severity == .warning {
            ThisProcess.complain(renderer.finding(finding, in: name))
        }
    }

    private func refuse(_ reply: WireVerifyReply) -> Never {
        if options.json {
            options.printJSON(reply)
        } else {
            // `origin` is none of the verifier's stages.
            let stages = reply.stages.compactMap { try? $0.asReport() }
            let isRefused = stages.contains { $0.verdict == .failed }
            var diagnosis = Diagnosis(name: name, verdict: isRefused ? .refused : .unable, stages: stages)
            diagnosis.artifact = reply.artifactSha256
            diagnosis.kernelRelease = Terminal.safe(reply.kernel.release)
            diagnosis.effort = Effort(rawValue: reply.effort) ?? .quick
            diagnosis.isFromEvidence = reply.fromEvidence
            ThisProcess.complain(renderer.text(diagnosis))
        }
        ThisProcess.exit(5)
    }
}

extension SchedulerArguments {
    /// C source, to be compiled by the verifier.
    var isSource: Bool { scheduler.hasSuffix(".c") }
}
