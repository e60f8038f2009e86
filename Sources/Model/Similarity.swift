extension WorkloadProfile {
    /// From 0 to 1, 1 for the same: one minus the mean Canberra distance |a − b| / (a + b) of the features, halved where
    /// the class is another. It needs no scale of the features; one that only one of the two has counts as far away.
    ///
    /// Lance and Williams, *Computer programs for hierarchical polythetic classification*, 1966.
    package func similarity(to other: WorkloadProfile) -> Double {
        let same = workloadClass == other.workloadClass ? 1 : 0.5
        let names = Set(features.keys).union(other.features.keys)
        guard !names.isEmpty else { return same }
        // In one order, so that a sum of floating-point numbers is the same each time and both ways.
        let distance = names.sorted().reduce(0.0) { sum, name in
            guard let a = features[name], let b = other.features[name] else { return sum + 1 }
            return a + b > 0 ? sum + abs(a - b) / (a + b) : sum
        }
        return max(0, same * (1 - distance / Double(names.count)))
    }
}

extension MachineShape {
    /// From 0 to 1, 1 for the same: the mean of the ratios, smaller by larger, of CPUs, threads of a core, LLCs and nodes;
    /// less for another architecture, and a little less where one is virtual and the other is not.
    package func similarity(to other: MachineShape) -> Double {
        func part(_ a: Int, _ b: Int) -> Double { Double(min(a, b)) / Double(max(1, max(a, b))) }
        let parts = [
            part(cpus, other.cpus), part(threadsPerCore, other.threadsPerCore), part(llcs, other.llcs),
            part(nodes, other.nodes),
        ]
        let shape = parts.reduce(0, +) / Double(parts.count)
        return shape * (architecture == other.architecture ? 1 : 0.7) * (isVirtual == other.isVirtual ? 1 : 0.9)
    }
}
