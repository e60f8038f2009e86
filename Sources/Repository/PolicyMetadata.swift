import Model
import TOMLKit

/// The description of a scheduler beside its object: the TOML format of docs/schedulers.md.
struct PolicyMetadata {
    private let table: TOMLTable
    /// A plain file name in the same folder.
    let objectFile: String

    init(toml: String) throws(Failure) {
        do { table = try TOMLTable(string: toml) } catch {
            throw Failure(.invalidArgument, "it is not valid TOML: \(error)")
        }
        objectFile = try Self.string(table, "object_file")
        guard !objectFile.isEmpty, !objectFile.contains("/"), !objectFile.hasPrefix(".") else {
            throw Failure(.invalidArgument, "'object_file' must be the name of a file in the same folder")
        }
    }

    func policy(artifact: String) throws(Failure) -> SchedulerPolicy {
        var parameters: [ParameterSpec] = []
        for entry in try tables("parameters") {
            let new = try parameter(entry)
            guard !parameters.contains(where: { $0.name == new.name }) else {
                throw Failure(.invalidArgument, "parameter '\(new.name)' is described twice")
            }
            parameters.append(new)
        }
        var hints: [HintSpec] = []
        for entry in try tables("hints") { hints.append(try hint(entry)) }
        var promises: [String: String] = [:]
        if let value = table["promises"], value.table == nil {
            throw Failure(.invalidArgument, "'promises' must be a table")
        }
        for (name, value) in table["promises"]?.table ?? TOMLTable() {
            promises[name] = value.string ?? value.bool.map { "\($0)" } ?? value.int.map { "\($0)" } ?? ""
        }
        return SchedulerPolicy(
            name: try SchedulerName(try Self.string(table, "name")), version: try Self.string(table, "version"),
            summary: try Self.string(table, "summary"), description: try Self.string(table, "description"),
            algorithm: try Self.string(table, "algorithm"), license: try Self.string(table, "license"),
            parameters: parameters, hints: hints, targetWorkloads: try strings("target_workloads"),
            notFor: try strings("not_for"), kernelMinimum: try Self.string(table, "kernel_minimum"),
            promises: promises, artifact: artifact)
    }

    private func parameter(_ entry: TOMLTable) throws(Failure) -> ParameterSpec {
        let name = try Self.string(entry, "name")
        let typeName = try Self.string(entry, "type")
        guard let type = ParameterType(rawValue: typeName) else {
            let known = ParameterType.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(.invalidArgument, "parameter '\(name)' has the unknown type '\(typeName)' (known: \(known))")
        }
        let low = try Self.number(entry, "min") ?? type.representable.lowerBound
        let high = try Self.number(entry, "max") ?? type.representable.upperBound
        guard low <= high else { throw Failure(.invalidArgument, "parameter '\(name)' has min above max") }
        guard let defaultValue = try Self.number(entry, "default") else {
            throw Failure(.invalidArgument, "parameter '\(name)' has no default")
        }
        return try ParameterSpec(
            name: name, type: type, defaultValue: defaultValue, range: low...high,
            unit: entry["unit"]?.string ?? "", description: entry["description"]?.string ?? "")
    }

    private func hint(_ entry: TOMLTable) throws(Failure) -> HintSpec {
        let kindName = try Self.string(entry, "kind")
        guard let kind = Hint.Kind(rawValue: kindName) else {
            throw Failure(.invalidArgument, "there are no hints by '\(kindName)'")
        }
        return HintSpec(kind: kind, map: try Self.string(entry, "map"), description: entry["description"]?.string ?? "")
    }

    private func tables(_ key: String) throws(Failure) -> [TOMLTable] {
        guard let value = table[key] else { return [] }
        guard let array = value.array else { throw Failure(.invalidArgument, "'\(key)' must be an array of tables") }
        var result: [TOMLTable] = []
        for element in array {
            guard let entry = element.table else {
                throw Failure(.invalidArgument, "'\(key)' must be an array of tables")
            }
            result.append(entry)
        }
        return result
    }

    private func strings(_ key: String) throws(Failure) -> [String] {
        guard let value = table[key] else { return [] }
        guard let array = value.array else { throw Failure(.invalidArgument, "'\(key)' must be an array of strings") }
        var result: [String] = []
        for element in array {
            guard let text = element.string else {
                throw Failure(.invalidArgument, "'\(key)' must be an array of strings")
            }
            result.append(text)
        }
        return result
    }

    private static func string(_ table: TOMLTable, _ key: String) throws(Failure) -> String {
        guard let text = table[key]?.string else { throw Failure(.invalidArgument, "the string '\(key)' is missing") }
        guard text.utf8.count <= 8192 else { throw Failure(.invalidArgument, "'\(key)' is longer than 8192 bytes") }
        return text
    }

    /// A whole number or a boolean; nil where the key is missing.
    private static func number(_ table: TOMLTable, _ key: String) throws(Failure) -> Int128? {
        guard let value = table[key] else { return nil }
        if let number = value.int { return Int128(number) }
        if let flag = value.bool { return flag ? 1 : 0 }
        throw Failure(.invalidArgument, "'\(key)' must be a whole number")
    }
}
