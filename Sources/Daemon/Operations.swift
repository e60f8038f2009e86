import Access
import Model
import Repository
import Wire

extension Operation {
    /// Changes something, or makes others able to: each is in the audit on its own.
    var isPrivileged: Bool {
        switch self {
        case .hello, .cancel, .status, .list, .show, .history, .events, .doctor, .whoami, .explain, .audit, .quarantine,
            .keys, .search, .entries, .entry, .entryExport, .antipatterns, .tuning, .view:
            false
        case .attest, .verify, .deploy, .deployUnverified, .takeover, .rollback, .quarantineRelease, .rulesReload,
            .keyRotate,
            .keyRevoke, .attestRevoke, .entryImport, .outcome, .antipattern, .tune:
            true
        }
    }
}

extension WireRequest {
    /// The operation of the rules that this request is; nil for one that this daemon does not know.
    var asOperation: Operation? {
        switch operation {
        case .hello: .hello
        case .cancel: .cancel
        case .status: .status
        case .list: .list
        case .show: .show
        case .history: .history
        case .events: .events
        case .doctor: .doctor
        case .deploy(let deploy): deploy.unverified ? .deployUnverified : .deploy
        case .rollback: .rollback
        case .whoami: .whoami
        case .explain: .explain
        case .attest: .attest
        case .verify: .verify
        case .audit: .audit
        case .quarantine: .quarantine
        case .quarantineRelease: .quarantineRelease
        case .rulesReload: .rulesReload
        case .keys: .keys
        case .keyRotate: .keyRotate
        case .keyRevoke: .keyRevoke
        case .attestRevoke: .attestRevoke
        case .search: .search
        case .entries: .entries
        case .entry: .entry
        case .entryExport: .entryExport
        case .entryImport: .entryImport
        case .outcome: .outcome
        case .antipattern: .antipattern
        case .antipatterns: .antipatterns
        case .tuning: .tuning
        case .tune: .tune
        case .view: .view
        case nil: nil
        }
    }

    /// A second operation that a request is at the same time.
    var alsoNeeds: Operation? {
        if case .deploy(let deploy) = operation, deploy.takeover { return .takeover }
        return nil
    }

    /// What it is about, in few words from the client: a name, a digest, a number.
    var subject: String {
        switch operation {
        case .show(let show): show.name
        case .history(let history): history.id == 0 ? "" : "\(history.id)"
        case .deploy(let deploy):
            switch deploy.source {
            case .name(let name): name
            case .artifactSha256(let digest): digest
            default: "object"
            }
        case .verify(let verify):
            switch verify.source {
            case .name(let name): name
            case .code(let file): file.name
            default: "object"
            }
        case .attest(let attest): if case .name(let name) = attest.source { name } else { "object" }
        case .quarantineRelease(let release): release.artifactSha256
        case .keyRevoke(let revoke): revoke.keyID
        case .attestRevoke(let revoke): revoke.nonce
        case .explain(let explain): explain.operation
        case .entry(let entry): entry.key
        case .entryExport(let export): export.key
        case .entryImport(let request): request.source
        case .outcome(let request): request.outcome.entry
        case .antipattern(let report): if case .entry(let key) = report.what { key } else { report.source.name }
        default: ""
        }
    }

    /// What else the audit keeps of a privileged request.
    var auditDetail: [String: String] {
        switch operation {
        case .deploy(let deploy):
            [
                "parameters": deploy.parameters.prefix(64).asWords,
                "hints": "\(deploy.hints.count)", "takeover": "\(deploy.takeover)", "reason": deploy.reason,
            ].filter { !$0.value.isEmpty }
        case .attest(let attest):
            [
                "parameters": attest.parameters.prefix(64).asWords,
                "hints": "\(attest.hints.count)", "reason": attest.reason,
            ].filter { !$0.value.isEmpty }
        case .verify(let verify):
            [
                "parameters": verify.parameters.prefix(64).asWords,
                "hints": "\(verify.hints.count)", "reason": verify.reason, "effort": verify.effort,
                "source": verify.code.code.isEmpty ? "" : ArtifactStore.digest([UInt8](verify.code.code)),
            ].filter { !$0.value.isEmpty }
        case .keyRevoke(let revoke): ["reason": revoke.reason]
        case .attestRevoke(let revoke): ["reason": revoke.reason]
        case .tune(let tune): tune.auditDetail
        case .entryImport(let request):
            [
                "policy": ArtifactStore.digest([UInt8](request.bundle.policy)),
                "object": request.bundle.object.isEmpty ? "" : ArtifactStore.digest([UInt8](request.bundle.object)),
            ].filter { !$0.value.isEmpty }
        case .outcome(let request):
            [
                "id": request.outcome.id, "metric": request.outcome.metric, "ratio": "\(request.outcome.ratio)",
                "interval": "\(request.outcome.low) \(request.outcome.high)", "trial": request.outcome.trial,
            ].mapValues { String($0.prefix(100)) }
        case .antipattern(let report):
            ["stage": report.stage, "base": report.base, "why": report.reason]
                .mapValues { String($0.prefix(500)) }.filter { !$0.value.isEmpty }
        default: [:]
        }
    }
}

extension WireResponse.OneOf_Result {
    var auditDetail: [String: String] {
        switch self {
        case .deployment(let deployment):
            [
                "deployment": "\(deployment.id)", "state": deployment.state, "artifact": deployment.artifactSha256,
                "authority": deployment.authority, "authority-detail": deployment.authorityDetail,
            ]
        case .verified(let reply):
            [
                "artifact": reply.artifactSha256, "verdict": reply.passed ? "passed" : "refused",
                "stages": reply.stages.map { "\($0.stage)=\($0.verdict)" }.joined(separator: " "),
                "effort": reply.effort, "verifier": reply.verifier,
                "evidence": "\(reply.fromEvidence ? "earlier" : "new")",
                "findings": Set(reply.stages.flatMap(\.findings).filter { $0.severity == "error" }.map(\.check))
                    .sorted()
                    .prefix(20).joined(separator: " "),
            ].filter { !$0.value.isEmpty }
        case .rules(let rules): ["rules": rules.rulesSha256]
        case .tuning(let tuning): tuning.auditDetail
        case .changed(let change):
            ["entry": change.hasEntry ? "\(change.entry.name)@\(change.entry.version)" : "", "new": "\(change.new)"]
                .filter { !$0.value.isEmpty }
        case .quarantine(let list): ["released": list.artifacts.map(\.artifactSha256).joined(separator: " ")]
        default: [:]
        }
    }
}

extension Collection<WireSetting> {
    /// As `slice_us=5000 max_lag_us=100`.
    var asWords: String { map { "\($0.name)=\($0.value)" }.joined(separator: " ") }
}
