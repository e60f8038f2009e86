import Kernel
import Linux
import Logging
package import Model
package import Service

/// What an earlier process left: ledger, kernel and audit are brought to one state that all agree on.
extension DeploymentService {
    /// At start: takes up what systemd kept, and brings every open record to the state that the kernel is in.
    package func recover(_ passed: [Systemd.Passed]) async throws(Failure) {
        holder = .daemon
        defer { endWork() }
        await settle()
        intent = try await journal.intent()
        var kept = DescriptorStore.group(passed)
        let unfinished = try await journal.open()
        // What was never committed leaves the kernel first, so that what made way for it can come back.
        for left in unfinished where left.state == .requested {
            await undoCutOff(left, kept.removeValue(forKey: left.id))
        }
        for left in unfinished where left.state == .active {
            let descriptors = kept.removeValue(forKey: left.id)
            let successor = unfinished.first { $0.state == .active && $0.previous == left.id }
            await recover(left, descriptors, successor: successor)
        }
        for (id, descriptors) in kept { close(descriptors, of: id) }
        await dropOldIntent()
        isUnwitnessed = true
        await retry()
        let last = try await journal.recent(limit: 20).first { $0.state.isEnded }
        let wanted = intent
        board.publish {
            $0.lastEnded = last
            $0.intent = wanted
        }
    }

    /// Nanoseconds after which nobody expects it to come back any more.
    static let intentLifetime: Int64 = 600_000_000_000

    /// At the end of the daemon: what a stopped unit was about to put back stays away.
    package func forgetIntent() async {
        do throws(Failure) { try await setIntent(nil) } catch { logger.error("\(error)") }
    }

    /// What was to be put back is not put back long after.
    private func dropOldIntent() async {
        guard let wish = intent else { return }
        do throws(Failure) {
            let late = Clock.realtime() - wish.notBefore
            let last = try await journal.recent(limit: 1).first
            if late > Self.intentLifetime || last?.state == .released || current != nil { try await setIntent(nil) }
        } catch {
            // A full disk does not keep the daemon from its work. This process at least does not put it back.
            intent = nil
            logger.error("what was to be put back is forgotten, and the disk does not know it yet: \(error)")
        }
    }

    /// A process that was killed closes its link, and the kernel takes a moment to get its default back.
    private func settle() async {
        for _ in 0..<200 where ["disabling", "enabling"].contains(schedExt.read().state) {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    private func undoCutOff(_ left: DeploymentRecord, _ descriptors: DescriptorStore.Kept?) async {
        let entries = (try? await journal.ledger(of: left.id)) ?? []
        let last = entries.last { $0.mark == .begun }?.action.rawValue ?? "start"
        if let scheduler = adopt(descriptors, of: left) {
            _ = scheduler.detach()
        } else {
            close(descriptors, of: left.id)
        }
        var failed = left
        await end(&failed, .failed, "schedcpd ended in the middle of it, at '\(last)'; it was undone", exit: nil)
        await note(.failed, "deployment \(left.id) was cut off at '\(last)' by the end of schedcpd, and undone", failed)
    }

    private func recover(
        _ left: DeploymentRecord, _ descriptors: DescriptorStore.Kept?, successor: DeploymentRecord?
    ) async {
        var left = left
        let entries = (try? await journal.ledger(of: left.id)) ?? []
        if let successor {
            close(descriptors, of: left.id)
            await end(&left, .superseded, "deployment \(successor.id) took its place", exit: nil)
            await note(.superseded, "\(left.spec.scheduler) made way for deployment \(successor.id)", left)
        } else if entries.contains(where: { $0.action == .detach && $0.mark == .begun }) {
            var exit: ExitInfo?
            if let scheduler = adopt(descriptors, of: left) {
                exit = scheduler.detach().exitInfo()
            } else {
                close(descriptors, of: left.id)
            }
            await end(&left, .rolledBack, "a rollback that the end of schedcpd had cut off was finished", exit: exit)
            await note(.rolledBack, "the rollback of \(left.spec.scheduler) was finished", left)
        } else if let scheduler = adopt(descriptors, of: left) {
            await resume(scheduler, left)
        } else {
            close(descriptors, of: left.id)
            await end(
                &left, .released, "the unit was stopped or gave up, and the kernel went back to its default", exit: nil)
            await note(.released, "\(left.spec.scheduler) had ended with the unit", left)
        }
    }

    private func close(_ descriptors: DescriptorStore.Kept?, of id: Int64) {
        for fd in (descriptors.map { Array($0.fds.values) + $0.timers } ?? []) { _ = Descriptor(owning: fd) }
        DescriptorStore.forget(id)
    }

    /// The scheduler behind kept descriptors. Where its exit information lies is read from the artifact again.
    private func adopt(_ descriptors: DescriptorStore.Kept?, of record: DeploymentRecord) -> AttachedScheduler? {
        guard var kept = descriptors, case let fds = kept.fds, let link = fds[.link], let structOps = fds[.structOps]
        else { return nil }
        // Without its artifact a scheduler is still ours; only the reason of its end will then be unknown, and it cannot be changed.
        let layouts = (try? around.artifacts.get(record.spec.artifact)).flatMap(Self.layouts)
        let maps = kept.takeLive()
        let live = layouts.map { around.adoptLive($0.live, maps) }
        let data = fds[.data].map { SharedDescriptor(Descriptor(owning: $0)) }
        let dump = fds[.dump].map { SharedDescriptor(Descriptor(owning: $0)) }
        let timers = kept.timers.map { SharedDescriptor(Descriptor(owning: $0)) }
        var exit: ExitSource?
        if let layout = layouts?.exit, let data { exit = ExitSource(data: data, dump: dump, layout: layout) }
        return AttachedScheduler(
            name: record.ops, link: Descriptor(owning: link),
            parts: AttachedScheduler.Parts(
                structOps: SharedDescriptor(Descriptor(owning: structOps)), exit: exit, timers: timers, live: live))
    }

    private static func layouts(_ object: [UInt8]) -> (exit: ExitLayout?, live: LiveLayout)? {
        guard let opened = try? OpenedScheduler.open(object, label: "schedcp") else { return nil }
        return (opened.exitLayout, opened.liveLayout)
    }

    /// Goes on with a scheduler that outlived a daemon, if it did.
    private func resume(_ scheduler: consuming AttachedScheduler, _ open: DeploymentRecord) async {
        let state = schedExt.read()
        let exit = scheduler.exitInfo()
        let isAlive = scheduler.isLinkAlive()
        // It may have been attached again just before the end of the process, and that not be written yet.
        let isAgain = isAlive && exit?.kind.isError != true && state.state == "enabled" && state.ops == open.ops
        if state.isOccupied && (state.enableSequence == open.enableSequence || isAgain) {
            var running = open
            running.enableSequence = state.enableSequence
            current = consume scheduler
            record = running
            board.publish { [running] in $0.active = running }
            if running != open { await write(running) }
            await settleChanges()
            return await note(.adopted, "\(open.spec.scheduler) kept running and was taken up again", running)
        }
        if exit?.kind.isError != true, !state.isOccupied, !isAlive {
            // An earlier process detached it to make way and died before the next one was in.
            return await putBack(scheduler.detach(), open, "after a deployment that was cut off")
        }
        await thrownOut(open, exit, "the kernel ended it while schedcpd was not running")
    }
}
