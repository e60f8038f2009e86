// Trials: the host's side of the kernel and dynamic stages. Makes a small initramfs with schedcp-guest as its first
// process, boots the target kernel with it in a virtual machine for each shape of machine, lets the guest try the
// candidate, and turns what the guest says into verdicts. Runs as whoever verifies, without privilege; reads kernel
// images and programs, writes to a cache folder and to the machines' private folders. The guest runs the candidate and is
// not believed beyond what its words are: every text, count and wait is bounded.

package import Model

/// A kernel to try candidates on.
package struct TrialKernel: Hashable, Sendable {
    /// The image that QEMU boots (bzImage).
    package var vmlinuz: String
    /// A folder with `modules.dep`, where the kernel has the port's drivers as modules; nil where they are built in.
    package var modules: String?

    package init(vmlinuz: String, modules: String? = nil) {
        self.vmlinuz = vmlinuz
        self.modules = modules
    }
}

/// What the guest said of a kernel that was booted.
package struct TrialKernelIdentity: Hashable, Sendable {
    /// `uname -r`.
    package var release: String
    /// Of the kernel's ELF notes, in hexadecimal; empty where it has none.
    package var buildID: String
    /// /sys/kernel/btf/vmlinux.
    package var btf: [UInt8]

    package init(release: String, buildID: String, btf: [UInt8]) {
        self.release = release
        self.buildID = buildID
        self.btf = btf
    }
}

/// A candidate with all that its load needs.
package struct TrialCandidate: Hashable, Sendable {
    package var object: [UInt8]
    package var parameters: [Setting] = []
    package var hints: [Hint] = []
    package var hintMaps: [Hint.Kind: String] = [:]
    /// What its description promises, by the names of the description's table, for the dynamic stage to hold it to.
    package var promises: [String: String] = [:]
    /// Checks of the dynamic stage that are no reason to refuse it, so that the trial goes on after them.
    package var tolerated: Set<String> = []

    package init(object: [UInt8]) { self.object = object }
}

/// How far trials go and where they find things.
package struct TrialOptions: Hashable, Sendable {
    /// schedcp-guest; nil: beside this program, else the installed one.
    package var guestProgram: String?
    /// The folder of the probes' objects; nil: of the source tree around this program, else the installed one.
    package var probes: String?
    /// Where initramfs images and the answers of identified kernels are kept.
    package var cache: String
    /// MiB of memory of each machine.
    package var memory = 768
    package var limits = TrialLimits()
    /// Where the console of the first machine is also written to.
    package var consoleFile: String?

    package init(cache: String) { self.cache = cache }
}

/// Wall clock limits. They are generous: an emulated machine on a busy computer is slow, and what a candidate does in
/// its own time is judged by the guest's clock.
package struct TrialLimits: Hashable, Sendable {
    /// Until the guest's first words.
    package var boot: Duration = .seconds(60)
    /// For the kernel's verifier.
    package var load: Duration = .seconds(90)
    /// For the loads of one machine.
    package var dynamicQuick: Duration = .seconds(120)
    package var dynamicFull: Duration = .seconds(300)
    /// For all machines together; nil for the sum.
    package var total: Duration?

    package init() {}

    func dynamic(_ effort: Effort) -> Duration { effort == .quick ? dynamicQuick : dynamicFull }
}

/// What happens in a trial, as it happens.
package enum TrialEvent: Hashable, Sendable {
    /// For a person who waits: "booting a machine with 2 CPUs", "fork-storm".
    case progress(String)
    /// A stage is over.
    case finished(StageReport)
}
