import Kernel
import Linux
import Model

extension LiveAccess {
    /// Writes all of it. Where one cannot be written, those before it are.
    func apply(_ values: TuningValues) throws(Failure) {
        var checked: [ParameterValue] = []
        for (name, number) in values.tunables {
            guard let place = layout.tunables[name] else {
                throw Failure(.invalidArgument, "the object has no tunable variable \(name.quotedForDisplay())")
            }
            checked.append(ParameterValue(name: name, type: place.type, number: number))
        }
        try set(checked)
        for hint in values.hints { try set(hint) }
        if let layers = values.layers { try set(layers) }
    }

    /// What is in force now in the places of `values`.
    func current(like values: TuningValues) throws(Failure) -> TuningValues {
        var found = TuningValues()
        if !values.tunables.isEmpty {
            let all = try tunables()
            for name in values.tunables.keys { found.tunables[name] = all[name] }
        }
        if !values.hints.isEmpty {
            let all = try allHints()
            found.hints = values.hints.map { wanted in
                var hint = wanted
                hint.nanoseconds = all.first { $0.isPlace(of: wanted) }?.nanoseconds
                return hint
            }
        }
        if values.layers != nil { found.layers = try layers() }
        return found
    }

    func allHints() throws(Failure) -> [HintValue] {
        var all: [HintValue] = []
        for kind in Hint.Kind.allCases { all += try hints(kind) }
        return all
    }

    /// Does the kernel have these values?
    func holds(_ values: TuningValues) throws(Failure) -> Bool {
        try current(like: values).withoutPaths == values.withoutPaths
    }
}

extension TuningValues {
    /// As the kernel has it: of a cgroup it knows the number, not the path.
    var withoutPaths: TuningValues {
        var values = self
        values.layers = layers?.withoutPaths
        for index in values.hints.indices where values.hints[index].cgroupID != 0 { values.hints[index].key = "" }
        return values
    }

    /// The paths of the cgroups in it, by their numbers.
    var paths: [UInt64: String] {
        var paths: [UInt64: String] = [:]
        for hint in hints where hint.cgroupID != 0 && !hint.key.isEmpty { paths[hint.cgroupID] = hint.key }
        for rule in layers?.rules ?? [] where rule.cgroupID != 0 && !rule.cgroup.isEmpty {
            paths[rule.cgroupID] = rule.cgroup
        }
        return paths
    }

    /// Those of its values that have the places of `other`.
    func places(of other: TuningValues) -> TuningValues {
        var values = TuningValues()
        values.tunables = tunables.filter { other.tunables[$0.key] != nil }
        values.hints = other.hints.map { wanted in
            var hint = wanted
            hint.nanoseconds = hints.first { $0.isPlace(of: wanted) }?.nanoseconds
            return hint
        }
        if other.layers != nil { values.layers = layers }
        return values
    }

    /// What of it is not as it was deployed.
    func differing(from deployed: TuningValues) -> TuningValues {
        var values = self
        values.tunables = tunables.filter { deployed.tunables[$0.key] != $0.value }
        values.hints = hints.filter { hint in
            deployed.hints.first { $0.isPlace(of: hint) }?.nanoseconds != hint.nanoseconds
        }
        if layers?.withoutPaths == deployed.layers?.withoutPaths { values.layers = nil }
        return values
    }
}

extension LayerTable {
    var withoutPaths: LayerTable {
        var table = self
        for index in table.rules.indices { table.rules[index].cgroup = "" }
        return table
    }

    /// With the paths that are known; of another cgroup its number.
    func named(_ paths: [UInt64: String]) -> LayerTable {
        var table = self
        for index in table.rules.indices where table.rules[index].cgroupID != 0 {
            let id = table.rules[index].cgroupID
            table.rules[index].cgroup = paths[id] ?? "#\(id)"
        }
        return table
    }

    /// With the kernel's numbers of the cgroups.
    func resolved() throws(Failure) -> LayerTable {
        var table = self
        for index in table.rules.indices where !table.rules[index].cgroup.isEmpty {
            let path = table.rules[index].cgroup
            table.rules[index].cgroupID = try Cgroup.id(path: path)
            table.rules[index].cgroupDepth = UInt32(LayerTable.depth(of: path))
        }
        return table
    }
}
