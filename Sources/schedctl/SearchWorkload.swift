import ArgumentParser
import Foundation
import Linux
import Model
import SwiftProtobuf
import Wire

/// A workload in figures, and the machine that it runs on.
struct WorkloadOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A workload's profile, JSON; - for standard input.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var profile: String?
    @Option(
        name: .customLong("class"),
        help: ArgumentHelp("The workload's class: batch, latency, mixed or another word.", valueName: "class"),
        completion: .list(["batch", "throughput", "latency", "interactive", "pipeline", "server", "mixed"]))
    var workloadClass: String?
    @Option(
        help: ArgumentHelp("A measured feature of it; may be repeated.", valueName: "name=number"))
    var featureValue: [String] = []
    @Option(
        help: ArgumentHelp(
            "Where it is to run, as cpus=64,llcs=8,nodes=2,threads-per-core=2,architecture=x86_64,virtual=yes; this machine where it is left out.",
            valueName: "name=value,…"))
    var machine: String?

    private static let maxProfileBytes = 64 << 10

    /// Nil where none is given.
    func read() throws(Failure) -> WireProfile? {
        if let profile {
            guard workloadClass == nil, featureValue.isEmpty else {
                throw Failure(.invalidArgument, "--profile has the class and the features: give it alone")
            }
            let given = try Self.file(profile)
            _ = try given.asProfile()
            return given
        }
        guard let workloadClass else {
            guard featureValue.isEmpty else {
                throw Failure(.invalidArgument, "--feature-value needs a --class", hint: "as --class batch")
            }
            return nil
        }
        var given = WireProfile()
        given.workloadClass = workloadClass
        for text in featureValue { given.features.append(try Self.feature(text)) }
        _ = try given.asProfile()
        return given
    }

    private static func file(_ path: String) throws(Failure) -> WireProfile {
        let bytes = try SmallFile.read(
            path == "-" ? "/dev/stdin" : path, limit: maxProfileBytes, what: "a workload's profile")
        do { return try WireProfile(jsonUTF8Bytes: bytes) } catch {
            throw Failure(
                .invalidArgument, "\(path.quotedForDisplay()) is no profile of a workload: \(error)",
                hint: "as {\"workload_class\": \"batch\", \"features\": [{\"name\": \"threads\", \"value\": 40}]}")
        }
    }

    private static func feature(_ text: String) throws(Failure) -> WireFeature {
        let setting = try SchedulerArguments.setting(text, of: "--feature-value")
        guard let value = Double(setting.value) else {
            throw Failure(.invalidArgument, "--feature-value \(text.quotedForDisplay()) has no number")
        }
        var feature = WireFeature()
        (feature.name, feature.value) = (setting.name, value)
        return feature
    }
}

extension WorkloadOptions {
    /// Nil where no machine is named: the daemon then takes its own.
    func machineShape() throws(Failure) -> WireMachine? {
        guard let machine else { return nil }
        var shape = WireMachine()
        (shape.threadsPerCore, shape.llcs, shape.nodes) = (1, 1, 1)
        shape.architecture = MachineShape.architecture
        for part in machine.split(separator: ",", omittingEmptySubsequences: false) {
            try Self.set(String(part), in: &shape)
        }
        try MachineShape(
            architecture: shape.architecture, cpus: Int(shape.cpus), threadsPerCore: Int(shape.threadsPerCore),
            llcs: Int(shape.llcs), nodes: Int(shape.nodes), isVirtual: shape.virtual
        ).check()
        return shape
    }

    private static func set(_ text: String, in shape: inout WireMachine) throws(Failure) {
        let wrong = Failure(
            .invalidArgument, "--machine \(text.quotedForDisplay()) is not understood",
            hint: "as cpus=64,llcs=8,nodes=2,threads-per-core=2,architecture=x86_64,virtual=yes")
        guard let equals = text.firstIndex(of: "=") else { throw wrong }
        let value = String(text[text.index(after: equals)...])
        switch (text[..<equals], UInt32(value), value) {
        case ("cpus", let count?, _): shape.cpus = count
        case ("llcs", let count?, _): shape.llcs = count
        case ("nodes", let count?, _): shape.nodes = count
        case ("threads-per-core", let count?, _): shape.threadsPerCore = count
        case ("architecture", _, _): shape.architecture = value
        case ("virtual", _, "yes"), ("virtual", _, "true"): shape.virtual = true
        case ("virtual", _, "no"), ("virtual", _, "false"): shape.virtual = false
        default: throw wrong
        }
    }
}
