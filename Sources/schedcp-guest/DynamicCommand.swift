import GuestProtocol
import Kernel
import Linux
import Model
import Torture

/// `trial dynamic`: the candidate runs this machine under load.
struct DynamicCommand {
    let candidate: Candidate
    let emit: (TrialRecord) -> Void

    /// nil where the options make no sense.
    static func options(_ given: [String: String]) -> TortureOptions? {
        var options = TortureOptions()
        for (name, value) in given {
            switch name {
            case "effort":
                guard let effort = Effort(rawValue: value) else { return nil }
                options.effort = effort
            case "shape": options.shape = value
            case "promise":
                guard let equals = value.firstIndex(of: "=") else { return nil }
                options.promises[String(value[..<equals])] = String(value[value.index(after: equals)...])
            case "loads": options.loads = value.split(separator: ",").map(String.init)
            case "tolerate": options.toleratedByRules = Set(value.split(separator: ",").map(String.init))
            case "performance": options.measuresPerformance = value != "no"
            case "probe": break
            default: return nil
            }
        }
        let unknown = options.loads.filter { !LoadCatalogue.names.contains($0) }
        return unknown.isEmpty ? options : nil
    }

    func run(_ options: TortureOptions) -> TrialRecord.Verdict {
        do throws(Failure) {
            let path = candidate.options["probe"] ?? RunqueueProbe.path
            let bytes: [UInt8]
            do { bytes = try TextFile.readBytes(path, limit: 1 << 20) } catch { throw error.asFailure(.internal) }
            let abi = try KernelABI.read()
            let trial = try Trial(options: options, probe: try RunqueueProbe.start(bytes), emit: emit) {
                () throws(Failure) in try candidate.load(abi: abi, topology: .read())
            }
            return trial.run()
        } catch {
            emit(.violation(Violation(check: "guest", message: error.description, detail: error.detail)))
            return .unable
        }
    }
}
