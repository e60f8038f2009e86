import BenchReport
import FoundationEssentials

/// A row as it is written to a file, with all that it takes to tell what was measured.
struct JSONRecord: Encodable {
    var scheduler, load, metric, unit, verdict, kernel: String
    var cpus, pairs: Int
    var kernelArguments: [String]
    var higherIsBetter: Bool
    var standard, candidate, ratio: Double
    var low, high: Double?

    init(_ row: Row, shape: Shape, kernel: String) {
        scheduler = row.scheduler
        load = row.load
        metric = row.metric.name
        unit = row.metric.unit
        verdict = row.verdict.rawValue
        self.kernel = kernel
        cpus = shape.cpus
        kernelArguments = shape.kernelArguments
        pairs = row.pairs
        higherIsBetter = row.metric.higherIsBetter
        standard = row.standard
        candidate = row.candidate
        ratio = row.ratio
        low = row.low
        high = row.high
    }

    static func write(_ records: [JSONRecord], to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(["rows": records]).write(to: URL(filePath: path))
    }
}
