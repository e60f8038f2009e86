/// Layers of a scheduler, and the rules that sort tasks into them: what bpf/include/schedcp/layers.bpf.h has in the section
/// `.data.layers`.
package struct LayerTable: Hashable, Sendable, Codable {
    package struct Layer: Hashable, Sendable, Codable {
        /// Against other layers; 100 is usual.
        package var weight: UInt32
        /// Parts of each CPU in thousandths; 0: none.
        package var guarantee: UInt32
        package var cap: UInt32

        package init(weight: UInt32, guarantee: UInt32 = 0, cap: UInt32 = 0) {
            self.weight = weight
            self.guarantee = guarantee
            self.cap = cap
        }
    }

    /// All conditions that are there have to hold.
    package struct Rule: Hashable, Sendable, Codable {
        package var layer: UInt32
        /// The beginning of the task's name; empty: any.
        package var name: String
        /// A path below the root of the hierarchy; empty: any.
        package var cgroup: String
        /// The kernel's number of that cgroup, and how many levels below the root it is. They are found when it is set.
        package var cgroupID: UInt64
        package var cgroupDepth: UInt32
        package var nice: ClosedRange<Int32>?
        /// The process has at least so many threads; 0: any.
        package var threads: UInt32

        package init(
            layer: UInt32, name: String = "", cgroup: String = "", cgroupID: UInt64 = 0, cgroupDepth: UInt32 = 0,
            nice: ClosedRange<Int32>? = nil, threads: UInt32 = 0
        ) {
            self.layer = layer
            self.name = name
            self.cgroup = cgroup
            self.cgroupID = cgroupID
            self.cgroupDepth = cgroupDepth
            self.nice = nice
            self.threads = threads
        }
    }

    package static let mostLayers = 16
    package static let mostRules = 32
    /// A cgroup deeper than this is not told apart by the scheduler.
    package static let mostDepth = 31
    /// Of `niceness`.
    package static let nice: ClosedRange<Int32> = -20...19

    package var layers: [Layer]
    package var rules: [Rule]

    package init(layers: [Layer], rules: [Rule]) {
        self.layers = layers
        self.rules = rules
    }

    /// Refuses what cannot be meant. Whether a cgroup exists is for the kernel to say.
    package func check() throws(Failure) {
        guard (1...Self.mostLayers).contains(layers.count) else {
            throw Failure(.invalidArgument, "\(layers.count) layers, and there are 1 to \(Self.mostLayers)")
        }
        guard rules.count <= Self.mostRules else {
            throw Failure(.invalidArgument, "\(rules.count) rules, more than \(Self.mostRules)")
        }
        for (index, layer) in layers.enumerated() { try Self.check(layer, "layer \(index)") }
        let promised = layers.reduce(0) { $0 + $1.guarantee }
        guard promised <= 1000 else {
            throw Failure(
                .invalidArgument,
                "all layers together are guaranteed \(promised) thousandths of each CPU, more than all")
        }
        for (index, rule) in rules.enumerated() { try check(rule, "rule \(index)") }
    }

    private static func check(_ layer: Layer, _ what: String) throws(Failure) {
        guard (1...1000).contains(layer.weight) else {
            throw Failure(.invalidArgument, "the weight of \(what) must be between 1 and 1000, not \(layer.weight)")
        }
        guard layer.guarantee <= 1000, layer.cap <= 1000 else {
            throw Failure(
                .invalidArgument, "the guarantee and cap of \(what) are thousandths of a CPU, 1000 at the most")
        }
        guard layer.cap == 0 || layer.guarantee <= layer.cap else {
            throw Failure(
                .invalidArgument, "\(what) is guaranteed \(layer.guarantee) thousandths and capped at \(layer.cap)")
        }
    }

    private func check(_ rule: Rule, _ what: String) throws(Failure) {
        guard rule.layer < layers.count else {
            throw Failure(
                .invalidArgument, "\(what) leads to layer \(rule.layer), and there are 0 to \(layers.count - 1)")
        }
        guard !rule.name.isEmpty || !rule.cgroup.isEmpty || rule.nice != nil || rule.threads > 0 else {
            throw Failure(
                .invalidArgument, "\(what) has no condition", hint: "what no rule describes is in layer 0 anyway")
        }
        if !rule.name.isEmpty { _ = try Hint(kind: .process, key: rule.name, nanoseconds: 0) }
        if !rule.cgroup.isEmpty { _ = try Hint(kind: .cgroup, key: rule.cgroup, nanoseconds: 0) }
        guard Self.depth(of: rule.cgroup) <= Self.mostDepth else {
            throw Failure(.invalidArgument, "the cgroup of \(what) is more than \(Self.mostDepth) levels deep")
        }
        if let nice = rule.nice, !Self.nice.contains(nice.lowerBound) || !Self.nice.contains(nice.upperBound) {
            throw Failure(.invalidArgument, "nice values are -20 to 19, and \(what) has others")
        }
    }

    /// Levels below the root of the hierarchy.
    package static func depth(of path: String) -> Int { path.split(separator: "/").count }
}
