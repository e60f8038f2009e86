import Kernel
import Linux
import Logging
import Model

/// What the kernel does on its own, and what is done about it.
extension DeploymentService {
    /// Compares the kernel with the record; called several times a second.
    package func observe() async {
        guard holder == nil else { return }
        let state = schedExt.read()
        sinceRetry += 1
        let isEnded = hasEnded(state)
        let isForeignNews = foreignNews(state) != foreignSequence
        let isRetryDue = sinceRetry >= 20 && (isUnwitnessed || !unwritten.isEmpty)
        // Most of the time there is nothing to do, and nobody is told to wait for it.
        guard isEnded || isForeignNews || isRetryDue || intent != nil, beginOwnWork() else { return }
        defer { endWork() }
        if isRetryDue {
            sinceRetry = 0
            await retry()
        }
        await noteForeign(state)
        if isEnded { await noticeEnd(state) } else { await restoreIfDue(state) }
    }

    /// What the kernel has ended already is recorded as that, before anything else is done with it: else who deploys or rolls
    /// back at that moment would keep it out of quarantine.
    func noticeEnd(_ state: KernelState) async {
        guard hasEnded(state), let running = record else { return }
        let exit = current?.exitInfo()
        current = nil
        record = nil
        board.publish { $0.active = nil }
        await thrownOut(running, exit, "the kernel ended it; the object keeps no exit information (no user_exit_info)")
    }

    private func hasEnded(_ state: KernelState) -> Bool {
        guard let record, current != nil else { return false }
        return state.enableSequence != record.enableSequence || state.state == "disabled"
    }

    /// The kernel has ended a scheduler of ours: whose fault that was, and what comes next.
    func thrownOut(_ running: DeploymentRecord, _ exit: ExitInfo?, _ otherwise: String) async {
        var ended = running
        // A scheduler that keeps no exit information does not get off by it.
        let blame = exit.map(Blame.judge) ?? .scheduler
        ended.blame = blame
        let reason = [exit?.summary ?? otherwise, blame == .scheduler ? "" : blame.summary].filter { !$0.isEmpty }
            .joined(separator: "; ")
        await end(&ended, .ejected, reason, exit: exit)
        await note(.ejected, "\(ended.spec.scheduler) was ejected by the kernel: \(reason)", ended)
        do throws(Failure) {
            if blame == .scheduler { try await quarantine(ended, reason) }
            // sysrq-S and other programs mean it: nothing is put back against them.
            if blame != .outside { try await planRestore(after: ended, blame) }
        } catch { logger.error("what follows from the ejection could not be recorded: \(error)") }
    }

    func quarantine(_ ended: DeploymentRecord, _ reason: String) async throws(Failure) {
        guard !ended.spec.artifact.isEmpty else { return }
        let now = Clock.realtime()
        try await journal.quarantine(
            Quarantined(artifact: ended.spec.artifact, deployment: ended.id, reason: reason, at: now))
        await note(
            .quarantined, "the artifact \(ended.spec.artifact.prefix(16))… (\(ended.spec.scheduler)) is in quarantine",
            ended)
    }

    // MARK: Last known good

    /// The scheduler itself where it was not to blame, else what ran before it and was not thrown out.
    private func planRestore(after ended: DeploymentRecord, _ blame: Blame) async throws(Failure) {
        let now = Clock.realtime()
        let attempt = try await journal.ejections(since: now - 3_600_000_000_000)
        var wanted = blame == .scheduler ? try await lastKnownGood(before: ended) : ended
        if attempt > RestoreIntent.attemptsPerHour, wanted != nil {
            await note(
                .gaveUp, "\(attempt) ejections within an hour: nothing is put back, the kernel's default stays", ended)
            wanted = nil
        }
        guard let wanted else { return try await setIntent(nil) }
        let delay = RestoreIntent.delay(attempt: attempt)
        try await setIntent(
            RestoreIntent(deployment: wanted.id, notBefore: now + delay, attempt: attempt))
        await note(
            .willRestore,
            "\(wanted.spec.scheduler) of deployment \(wanted.id) will be put back in \(delay / 1_000_000_000) s", ended)
    }

    private func lastKnownGood(before ended: DeploymentRecord) async throws(Failure) -> DeploymentRecord? {
        let bad = Set(try await journal.quarantined().map(\.artifact))
        var id = ended.previous
        // Each step goes to an older record; what was put back points to what it put back.
        for _ in 0..<64 where id > 0 {
            guard let candidate = try await journal.record(id) else { return nil }
            if candidate.state == .superseded && !bad.contains(candidate.spec.artifact) { return candidate }
            id = candidate.previous < candidate.id ? candidate.previous : 0
        }
        return nil
    }

    private func restoreIfDue(_ state: KernelState) async {
        guard let wish = intent, current == nil else { return }
        do throws(Failure) {
            let now = Clock.realtime()
            if now - wish.notBefore > Self.intentLifetime { return try await setIntent(nil) }
            guard !state.isOccupied else { return }
            // After a clock that was set back nobody waits longer than the longest delay.
            guard now >= wish.notBefore || wish.notBefore - now > RestoreIntent.delay(attempt: 64) else { return }
            try await setIntent(nil)
            guard let wanted = try await journal.record(wish.deployment) else { return }
            if let objection = await around.objection(wanted.spec) { throw objection }
            try makeWay()
            _ = try await deployNow(try await again(wanted)) { _ in }
        } catch {
            if error.code == .cancelled { return await keepIntent(wish) }
            await note(.gaveUp, "the last known good scheduler was not put back: \(error.message)", nil)
        }
    }

    /// Whoever waits decides: after a rollback or a deployment nothing is put back, after a deployment that fails it still is.
    private func keepIntent(_ wish: RestoreIntent) async {
        do throws(Failure) { try await setIntent(wish) } catch { logger.error("\(error)") }
    }

    /// On disk first: it outlives the daemon.
    func setIntent(_ new: RestoreIntent?) async throws(Failure) {
        guard new != intent else { return }
        try await journal.setIntent(new)
        intent = new
        board.publish { $0.intent = new }
    }

    private func foreignNews(_ state: KernelState) -> UInt64? {
        let isForeign = state.owner(ourSequence: record?.enableSequence) == .foreign && state.state == "enabled"
        return isForeign ? state.enableSequence : nil
    }

    private func noteForeign(_ state: KernelState) async {
        let sequence = foreignNews(state)
        guard sequence != foreignSequence else { return }
        foreignSequence = sequence
        let name = state.ops.escapedForDisplay(limit: 128)
        if sequence != nil {
            await note(.foreignAppeared, "somebody else loaded the scheduler '\(name)'", nil)
        } else {
            await note(.foreignGone, "the scheduler that somebody else had loaded is gone", nil)
        }
    }
}
