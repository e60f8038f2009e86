import Kernel
import Linux
package import Model

extension DeploymentService {
    /// Everything that a deployment does before the machine's scheduling changes: parses the object, sets its parameters,
    /// passes the kernel's verifier and the rules. Nothing is attached.
    /// - Returns: what was seen, one line for each program: the evidence of the stage.
    package func rehearse(
        _ request: DeploymentRequest, progress: @Sendable (String) -> Void
    ) async throws(Failure) -> String {
        let missing = HostProbe.missingForDeployment()
        guard missing.isEmpty else {
            throw Failure(
                .kernelUnsupported, "this kernel cannot verify a sched_ext scheduler",
                hint: "schedctl doctor says what to do", detail: missing.joined(separator: "\n"))
        }
        progress("verifying")
        let abi = try KernelABI.read()
        let use = try request.load(abi: abi, topology: CPUTopology.read()).use(abi: abi)
        let programs = use.programs.map {
            "program \($0.name.escapedForDisplay(limit: 64)): \($0.instructions) instructions"
        }
        let calls = (use.helpers.sorted() + use.kernelFunctions.sorted()).map {
            "calls \($0.escapedForDisplay(limit: 128))"
        }
        let maps = use.mapTypes.sorted().map { "map of type \($0)" }
        return (["loaded by the verifier of Linux \(KernelConfig.release)"] + programs + calls + maps).joined(
            separator: "\n")
    }
}
