import Deployment
import Linux
import Model
import NIOCore
import Wire

/// The live view: any number of clients, one that looks.
extension Router {
    /// Of events, so many are in each view.
    private static let events = 12

    /// Writes views to a client until it goes away. Each write is awaited: a slow reader gets fewer views, and holds up nobody else.
    /// - Returns: the last answer: the view where only one was asked for.
    func show(
        _ request: WireViewRequest, _ id: UInt64, on channel: any Channel
    ) async throws(Failure) -> WireResponse.OneOf_Result {
        let milliseconds = Int64(request.intervalMilliseconds)
        guard milliseconds == 0 || milliseconds * 1_000_000 >= LiveStation.intervals.lowerBound else {
            throw Failure(
                .invalidArgument,
                "a view every \(milliseconds) ms is more than there is: at least \(LiveStation.intervals.lowerBound / 1_000_000) ms"
            )
        }
        var before: LiveReading?
        for await reading in try await station.watch(every: milliseconds == 0 ? 500_000_000 : milliseconds * 1_000_000)
        {
            guard let earlier = before else {
                before = reading
                continue
            }
            // Another's look may have been the same.
            guard reading.monotonic > earlier.monotonic else { continue }
            before = reading
            let view = view(reading.view(since: earlier))
            guard milliseconds != 0 else { return .view(view) }
            var response = WireResponse()
            response.id = id
            response.view = view
            let frame = try Frame.encode(response)
            guard (try? await channel.writeAndFlush(frame).get()) != nil else { break }
        }
        return .done(WireDone())
    }

    private func view(_ view: MachineView) -> WireView {
        var wire = WireView(view, release: status.release, missingKernel: status.missing)
        wire.events = service.events.events(after: 0).suffix(Self.events).map { WireEvent($0, skipped: 0) }
        return wire
    }
}

extension WireEvent {
    init(_ event: SchedulerEvent, skipped: UInt64) {
        self.init()
        sequence = event.sequence
        at = event.at
        kind = event.kind.rawValue
        message = event.message
        if let record = event.record { deployment = WireDeployment(record, withDump: false) }
        self.skipped = skipped
    }
}
