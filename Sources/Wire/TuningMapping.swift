package import Model

extension WireTuneRequest {
    package func asTuneRequest() throws(Failure) -> TuneRequest {
        var request = TuneRequest()
        try TuneRequest.check(settings: settings.count, hints: hints.count + forgetHints.count)
        request.deployment = Int64(clamping: deployment)
        request.settings = settings.map(\.asSetting)
        guard request.settings.allSatisfy({ (1...128).contains($0.name.utf8.count) && $0.value.utf8.count <= 64 })
        else { throw Failure(.invalidArgument, "a name or value is longer than any that exists") }
        for hint in hints { request.hints.append(try hint.asHint()) }
        for hint in forgetHints { request.forgotten.append(try hint.asHint()) }
        if hasLayers { request.layers = try layers.asLayerTable() }
        request.undo = undo
        request.reset = reset
        try request.check()
        return request
    }
}

extension WireLayerTable {
    package init(_ table: LayerTable) {
        self.init()
        layers = table.layers.map { layer in
            var wire = WireLayer()
            (wire.weight, wire.guarantee, wire.cap) = (layer.weight, layer.guarantee, layer.cap)
            return wire
        }
        rules = table.rules.map { rule in
            var wire = WireLayerRule()
            (wire.layer, wire.name, wire.cgroup, wire.threads) = (rule.layer, rule.name, rule.cgroup, rule.threads)
            if let nice = rule.nice { (wire.niceLeast, wire.niceMost) = (nice.lowerBound, nice.upperBound) }
            return wire
        }
    }

    func asLayerTable() throws(Failure) -> LayerTable {
        guard layers.count <= LayerTable.mostLayers, rules.count <= LayerTable.mostRules else {
            throw Failure(
                .invalidArgument, "more than \(LayerTable.mostLayers) layers or \(LayerTable.mostRules) rules")
        }
        var table = LayerTable(
            layers: layers.map { LayerTable.Layer(weight: $0.weight, guarantee: $0.guarantee, cap: $0.cap) }, rules: [])
        for (index, rule) in rules.enumerated() {
            var nice: ClosedRange<Int32>?
            if rule.hasNiceLeast || rule.hasNiceMost {
                let least = rule.hasNiceLeast ? rule.niceLeast : LayerTable.nice.lowerBound
                let most = rule.hasNiceMost ? rule.niceMost : LayerTable.nice.upperBound
                guard least <= most else {
                    throw Failure(.invalidArgument, "rule \(index) asks for nice from \(least) to \(most)")
                }
                nice = least...most
            }
            table.rules.append(
                LayerTable.Rule(
                    layer: rule.layer, name: rule.name, cgroup: rule.cgroup, nice: nice, threads: rule.threads))
        }
        return table
    }
}

extension WireHint {
    package init(_ hint: HintValue) {
        self.init()
        kind = hint.kind
        key = hint.key
        nanoseconds = hint.nanoseconds ?? 0
    }
}

extension WireTuning {
    package init(_ view: TuningView) {
        self.init()
        deployment = UInt64(clamping: view.deployment)
        scheduler = view.scheduler
        tunables = view.tunables.map { value in
            var wire = WireTunableValue()
            wire.spec = WireParameterSpec(value.spec)
            wire.value = value.value.text
            wire.deployed = value.deployed.text
            return wire
        }
        hints = view.hints.map(WireHint.init)
        if let table = view.layers { layers = WireLayerTable(table) }
        // An answer has room for so many lines, each of a kilobyte at the most; the oldest changes go without.
        var room = 2048
        changes = view.changes.map { change in
            var wire = WireTuneRecord()
            wire.number = UInt64(clamping: change.id)
            wire.actorUser = change.user
            wire.at = change.at
            wire.changes = Array(change.lines.prefix(room))
            room -= wire.changes.count
            return wire
        }
    }
}
