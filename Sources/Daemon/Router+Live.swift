import Audit
import Deployment
import Kernel
import Linux
import Model
import Wire

/// What runs, changed while it runs.
extension Router {
    func tuning() async throws(Failure) -> WireTuning { WireTuning(try await service.tuning()) }

    func tune(_ request: WireTuneRequest, _ session: Session) async throws(Failure) -> WireTuning {
        WireTuning(try await service.tune(try request.asTuneRequest(), by: session.actor))
    }

    /// The view of what runs: loads its probes from the installed folder when somebody looks.
    static func station(_ service: DeploymentService, schedExt: SchedExt, probes: String) -> LiveStation {
        LiveStation(
            LiveStation.Sources(
                schedExt: schedExt, board: service.board, scheduler: { await service.live() },
                waits: { () throws(Failure) in try WaitProbe(try probe(WaitProbe.file, in: probes)) },
                queues: { () throws(Failure) in try QueueProbe(try probe(QueueProbe.file, in: probes)) }))
    }

    private static func probe(_ file: String, in folder: String) throws(Failure) -> [UInt8] {
        do { return try TextFile.readBytes("\(folder)/\(file)", limit: 4 << 20) } catch {
            throw error.asFailure(.notFound, hint: "is SchedCP installed completely?")
        }
    }
}

extension WireTuneRequest {
    /// What the audit keeps of it: every value that is asked for, within bounds.
    var auditDetail: [String: String] {
        var detail: [String: String] = [:]
        if deployment != 0 { detail["deployment"] = "\(deployment)" }
        detail["settings"] = settings.prefix(64).asWords
        detail["hints"] = hints.prefix(64).map { "\($0.kind):\($0.key)=\($0.nanoseconds)" }.joined(separator: " ")
        detail["forget-hints"] = forgetHints.prefix(64).map { "\($0.kind):\($0.key)" }.joined(separator: " ")
        if hasLayers { detail["layers"] = "\(layers.layers.count) layers, \(layers.rules.count) rules" }
        if undo { detail["undo"] = "true" }
        if reset { detail["reset"] = "true" }
        return detail.filter { !$0.value.isEmpty }
    }
}

extension WireTuning {
    /// What is in force afterwards.
    var auditDetail: [String: String] {
        [
            "deployment": "\(deployment)",
            "in-force": tunables.prefix(64).map { "\($0.spec.name)=\($0.value)" }.joined(separator: " "),
            "change": changes.first.map { "\($0.number)" } ?? "",
        ].filter { !$0.value.isEmpty }
    }
}
