import Kernel
package import Linux
package import Model

/// What the kernel did on its own, and what an earlier process left: the records follow.
extension DeploymentService {
    /// Compares the kernel with the record; called several times a second.
    package func observe() async {
        guard !isBusy else { return }
        let state = schedExt.read()
        noteForeign(state)
        guard let running = record, current != nil else { return }
        if state.enableSequence == running.enableSequence && state.state != "disabled" { return }
        isBusy = true
        defer { isBusy = false }
        let exit = current?.exitInfo()
        current = nil
        record = nil
        board.publish { $0.active = nil }
        var ended = running
        let reason = exit?.summary ?? "the kernel ended it; the object keeps no exit information (no user_exit_info)"
        await end(&ended, .ejected, reason, exit: exit)
        note(.ejected, "\(ended.spec.scheduler) was ejected by the kernel: \(reason)", ended)
    }

    private func noteForeign(_ state: KernelState) {
        let isForeign = state.owner(ourSequence: record?.enableSequence) == .foreign && state.state == "enabled"
        let sequence = isForeign ? state.enableSequence : nil
        guard sequence != foreignSequence else { return }
        foreignSequence = sequence
        let name = state.ops.escapedForDisplay(limit: 128)
        if isForeign {
            note(.foreignAppeared, "somebody else loaded the scheduler '\(name)'", nil)
        } else {
            note(.foreignGone, "the scheduler that somebody else had loaded is gone", nil)
        }
    }

    /// At start: takes up what systemd kept, and brings every open record to the state that the kernel is in.
    package func recover(_ passed: [Systemd.Passed]) async throws(Failure) {
        isBusy = true
        defer { isBusy = false }
        var kept = DescriptorStore.group(passed)
        for var left in try await journal.open() {
            let descriptors = kept.removeValue(forKey: left.id)
            if left.state == .requested {
                close(descriptors, of: left.id)
                try left.move(to: .failed, reason: "schedcpd ended in the middle of it", at: Clock.realtime())
                try await journal.update(left)
                note(.failed, "deployment \(left.id) was cut off by the end of schedcpd", left)
            } else if let scheduler = adopt(descriptors, of: left) {
                await resume(scheduler, left)
            } else {
                close(descriptors, of: left.id)
                await end(
                    &left, .released, "the unit was stopped or gave up, and the kernel went back to its default",
                    exit: nil)
                note(.released, "\(left.spec.scheduler) had ended with the unit", left)
            }
        }
        for (id, descriptors) in kept { close(descriptors, of: id) }
        let last = try await journal.recent(limit: 20).first { $0.state.isEnded }
        board.publish { $0.lastEnded = last }
    }

    private func close(_ descriptors: DescriptorStore.Kept?, of id: Int64) {
        descriptors?.fds.values.forEach { _ = Descriptor(owning: $0) }
        DescriptorStore.forget(id)
    }

    /// The scheduler behind kept descriptors. Where its exit information lies is read from the artifact again.
    private func adopt(_ descriptors: DescriptorStore.Kept?, of record: DeploymentRecord) -> AttachedScheduler? {
        guard let fds = descriptors?.fds, let link = fds[.link], let structOps = fds[.structOps] else { return nil }
        // Without its artifact a scheduler is still ours; only the reason of its end will then be unknown.
        let layout = (try? artifacts.get(record.spec.artifact)).flatMap(Self.exitLayout)
        let data = fds[.data].map { SharedDescriptor(Descriptor(owning: $0)) }
        let dump = fds[.dump].map { SharedDescriptor(Descriptor(owning: $0)) }
        var exit: ExitSource?
        if let layout, let data { exit = ExitSource(data: data, dump: dump, layout: layout) }
        return AttachedScheduler(
            name: record.ops, link: Descriptor(owning: link),
            parts: AttachedScheduler.Parts(structOps: SharedDescriptor(Descriptor(owning: structOps)), exit: exit))
    }

    private static func exitLayout(_ object: [UInt8]) -> ExitLayout? {
        (try? OpenedScheduler.open(object, label: "schedcp"))?.exitLayout
    }

    /// Goes on with a scheduler that outlived a daemon, if it did.
    private func resume(_ scheduler: consuming AttachedScheduler, _ open: DeploymentRecord) async {
        let state = schedExt.read()
        if state.isOccupied && state.enableSequence == open.enableSequence {
            current = consume scheduler
            record = open
            board.publish { $0.active = open }
            note(.adopted, "\(open.spec.scheduler) kept running and was taken up again", open)
            return
        }
        let exit = scheduler.exitInfo()
        if exit?.kind.isError != true, !state.isOccupied, !scheduler.isLinkAlive(),
            let again = try? scheduler.detach().attachAgain()
        {
            // An earlier process detached it to make way and died before the next one was in.
            await hold(again, open, .restored, "was put back after a deployment that was cut off")
            return
        }
        let reason = exit?.summary ?? "the kernel ended it while schedcpd was not running"
        var ended = open
        await end(&ended, .ejected, reason, exit: exit)
        note(.ejected, "\(ended.spec.scheduler) was ejected by the kernel: \(reason)", ended)
    }
}
