import BPFObject
import Liveness
import Model

// Small, so that one input takes milliseconds.
private let options = AnalysisOptions(
    budget: AnalysisBudget(steps: 4000, paths: 200, totalSteps: 20_000, pathSteps: 2000))

// The reader of objects and the checks behind it: total, whatever the bytes are. An object is resolved against its own
// types, which is as much work as against a kernel's and needs no kernel.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    do throws(ObjectError) {
        let compiled = try BPFObject.parse(bytes)
        let object = try compiled.resolve(
            kernel: compiled.btf, settings: LoadSettings(cpuCount: 2, cacheOfCPU: [0, 1]))
        for function in object.functions {
            for slot in function.references.keys { precondition(function.instructions.indices.contains(slot)) }
            for case .call(let callee) in function.references.values {
                precondition(object.functions.indices.contains(callee))
            }
            precondition(function.location(at: function.instructions.count).map { $0.line >= 0 } ?? true)
        }
        let result = Liveness.analyse(object, options: options)
        for outcome in result.outcomes { precondition(!outcome.check.isEmpty) }
        for map in object.maps {
            for variable in map.variables where !map.contents.isEmpty {
                precondition(variable.offset + variable.size <= map.contents.count)
            }
        }
    } catch {
        precondition(!error.message.isEmpty)
    }
    return 0
}
