import Kernel
import Linux
import Logging
import Model

/// A scheduler that was detached to make way for a deployment comes back.
extension DeploymentService {
    /// Puts it back as it was, else loaded anew. Where neither can be done the kernel's default runs, and its record says why.
    /// - Parameter why: as in "because deployment 7 failed".
    func putBack(_ old: consuming DetachedScheduler, _ oldRecord: DeploymentRecord, _ why: String) async {
        do throws(Failure) {
            do throws(Failure) {
                try await attachAgain(old, oldRecord, why)
            } catch {
                logger.notice("\(oldRecord.spec.scheduler) has to be loaded anew: \(error)")
                try await attachAnew(oldRecord, why, because: error)
            }
        } catch {
            record = nil
            board.publish { $0.active = nil }
            var ended = oldRecord
            let reason = "it had made way and could not be put back \(why): \(error.message)"
            await end(&ended, .superseded, reason, exit: nil)
            await note(.superseded, "\(ended.spec.scheduler) is gone: \(reason)", ended)
        }
    }

    /// The same programs, parameters and maps.
    private func attachAgain(
        _ old: consuming DetachedScheduler, _ oldRecord: DeploymentRecord, _ why: String
    ) async throws(Failure) {
        let attached = try old.attachAgain()
        var held = oldRecord
        do throws(Failure) { try confirm(attached.name, attached.exitInfo(), in: &held) } catch {
            _ = attached.detach()
            throw error
        }
        await hold(attached, held, "was put back \(why)")
    }

    /// The same artifact, parameters and hints. What a load fixes is that of today then: above all `hotplug_seq`, by which the kernel
    /// refuses a scheduler that was loaded before a CPU came or went.
    private func attachAnew(
        _ oldRecord: DeploymentRecord, _ why: String, because refusal: Failure
    ) async throws(Failure) {
        do throws(Failure) {
            let request = try await again(oldRecord)
            let attached = try around.attachAnew(request)
            var held = oldRecord
            do throws(Failure) { try confirm(attached.name, attached.exitInfo(), in: &held) } catch {
                _ = attached.detach()
                throw error
            }
            await hold(attached, held, "was loaded anew and put back \(why)")
            if request.lost.isSet { await lose(held) }
        } catch {
            throw Failure(
                error.code, "\(refusal.message); nor loaded anew: \(error.message)", hint: error.hint,
                detail: error.detail)
        }
    }

    /// A request for what ran before, as its record has it, and as it was changed while it ran.
    func again(_ record: DeploymentRecord) async throws(Failure) -> DeploymentRequest {
        var request = DeploymentRequest(
            scheduler: record.spec.scheduler, object: try around.artifacts.get(record.spec.artifact),
            settings: record.spec.parameters, values: nil, hints: record.spec.hints, hintMaps: record.spec.hintMaps,
            actor: record.spec.actor, authority: .restored(of: record.id), takeover: false,
            judge: { _ throws(Failure) in })
        request.live = record.spec.live
        // A disk that cannot be read is no reason to do without the scheduler.
        request.tuned = (try? await journal.tuned(record.id)) ?? TuningValues()
        return request
    }

    /// The kernel is asked what it runs; the attach's own word is not enough: it succeeds also where the kernel has ended the
    /// scheduler in the middle of it, and only the exit information says why.
    func confirm(_ name: String, _ exit: ExitInfo?, in record: inout DeploymentRecord) throws(Failure) {
        let state = schedExt.read()
        guard state.state == "enabled", state.ops.hasPrefix(name) else {
            let why = exit.map { ": \($0.summary)" } ?? ""
            throw Failure(
                .attachFailed,
                "the kernel says '\(state.state)' with '\(state.ops.escapedForDisplay())' after the attach of '\(name)'\(why)",
                hint: "see the kernel's log: journalctl -k", detail: exit?.dump ?? "")
        }
        record.ops = state.ops
        record.enableSequence = state.enableSequence
    }

    /// Takes a scheduler that was attached again as the current one; its record has its new place in the kernel's sequence.
    private func hold(_ attached: consuming AttachedScheduler, _ held: DeploymentRecord, _ what: String) async {
        // What systemd has under these names is what was detached.
        DescriptorStore.forget(held.id)
        do throws(Failure) { _ = try DescriptorStore.keep(held.id, attached) } catch {
            logger.error("\(held.spec.scheduler) will not outlive this process: \(error)")
        }
        current = consume attached
        record = held
        board.publish { $0.active = held }
        await write(held)
        await settleChanges()
        await note(.restored, "\(held.spec.scheduler) \(what)", held)
    }
}
