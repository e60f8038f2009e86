import BenchReport
import FoundationEssentials
import Linux

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

extension OutcomeFile {
    /// Writes a file for each row that makes an outcome; a scheduler's version is read from its description.
    static func write(
        _ rows: [Row], shape: Shape, kernel: String, descriptions: String, trial: String, to folder: String
    ) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        for row in rows {
            guard let version = version(in: "\(descriptions)/\(row.scheduler).toml"),
                let outcome = OutcomeFile(
                    row, version: version, trial: trial, cpus: shape.cpus, kernel: kernel, architecture: architecture)
            else { continue }
            try encoder.encode(outcome).write(to: URL(filePath: "\(folder)/\(outcome.id).json"))
        }
    }

    private static func version(in path: String) -> String? {
        let lines = ((try? TextFile.read(path)) ?? "").split(separator: "\n")
        return lines.first { $0.hasPrefix("version = ") }.map { $0.dropFirst(10).filter { $0 != "\"" } }
    }

    private static var architecture: String {
        #if arch(x86_64)
            "x86_64"
        #else
            "aarch64"
        #endif
    }
}
