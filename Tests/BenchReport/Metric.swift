/// What a load measures: its unit and which direction is better.
package struct Metric: Hashable, Sendable {
    package var name: String
    package var unit: String
    package var higherIsBetter: Bool

    package init(name: String, unit: String, higherIsBetter: Bool) {
        self.name = name
        self.unit = unit
        self.higherIsBetter = higherIsBetter
    }

    package static let all: [Metric] = [
        Metric(name: "throughput", unit: "/s", higherIsBetter: true),
        Metric(name: "requests", unit: "/s", higherIsBetter: true),
        Metric(name: "service", unit: "/s", higherIsBetter: true),
        Metric(name: "wakeup_p50", unit: "ns", higherIsBetter: false),
        Metric(name: "wakeup_p99", unit: "ns", higherIsBetter: false),
        Metric(name: "response_p50", unit: "ns", higherIsBetter: false),
        Metric(name: "response_p99", unit: "ns", higherIsBetter: false),
        Metric(name: "makespan", unit: "ns", higherIsBetter: false),
        Metric(name: "turnaround", unit: "ns", higherIsBetter: false),
        Metric(name: "fairness", unit: "of its due", higherIsBetter: true),
        Metric(name: "deadlines_met", unit: "of all", higherIsBetter: true),
        Metric(name: "sleep", unit: "ns", higherIsBetter: true),
        Metric(name: "idle_emptiest", unit: "of the time", higherIsBetter: true),
        Metric(name: "interrupts", unit: "/s", higherIsBetter: false),
    ]

    package static func named(_ name: String) -> Metric {
        all.first { $0.name == name } ?? Metric(name: name, unit: "", higherIsBetter: true)
    }

    /// A value with its unit, three digits of it.
    package func text(_ value: Double) -> String {
        guard unit == "ns" else { return digits(value) + (unit == "/s" ? "/s" : "") }
        switch value {
        case 1e9...: return digits(value / 1e9) + " s"
        case 1e6...: return digits(value / 1e6) + " ms"
        case 1e3...: return digits(value / 1e3) + " us"
        default: return digits(value) + " ns"
        }
    }

    private func digits(_ value: Double) -> String {
        switch value {
        case 100...: String(Int(value.rounded()))
        case 10...: Row.fixed(value, 1)
        default: Row.fixed(value, 2)
        }
    }
}
