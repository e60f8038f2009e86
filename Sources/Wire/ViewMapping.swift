package import Model

extension WireView {
    /// Without the events, which are not in the view's interval alone.
    package init(_ view: MachineView, release: String, missingKernel: [String]) {
        self.init()
        at = view.at
        intervalNanoseconds = view.nanoseconds
        kernel = WireKernelState(view.kernel, owner: view.owner, release: release, missing: missingKernel)
        if let record = view.record { deployment = WireDeployment(record, withDump: false) }
        cpus = view.cpus.map { cpu in
            var wire = WireCPULoad()
            wire.cpu = UInt32(clamping: cpu.cpu)
            (wire.busy, wire.llc, wire.queued) = (cpu.busy, cpu.llc, cpu.queued)
            return wire
        }
        queues = view.queues.map { queue in
            var wire = WireQueueDepth()
            (wire.name, wire.id, wire.tasks) = (queue.name, queue.id, queue.tasks)
            return wire
        }
        if let histogram = view.waits { waits = WireLatencyHistogram(histogram) }
        counters = view.counters.map { counter in
            var wire = WireCounterValue()
            (wire.name, wire.total, wire.perSecond) = (counter.name, counter.total, counter.perSecond)
            (wire.unit, wire.description_p) = (counter.unit, counter.description)
            return wire
        }
        if let table = view.layers { layers = WireLayerTable(table) }
        missing = view.missing
    }
}

extension WireLatencyHistogram {
    init(_ histogram: WaitHistogram) {
        self.init()
        counts = histogram.counts
        p50Nanoseconds = histogram.quantile(0.5)
        p99Nanoseconds = histogram.quantile(0.99)
    }
}
