/// What a load is done with, beside the object.
package struct LoadSettings: Sendable {
    /// Little-endian bytes by the name of a `const volatile` global.
    package var parameters: [String: [UInt8]]
    /// The machine's; nil leaves `schedcp_nr_cpus` and the rest as compiled (0: not filled).
    package var cpuCount: Int?
    /// CPU to last-level cache index, as many as `cpuCount`.
    package var cacheOfCPU: [Int]
    /// Values of `CONFIG_…` as in a kernel's `.config`: `y`, `m`, `n`, a number or a string in quotes.
    package var configuration: [String: String]
    /// The kernel's version as LINUX_KERNEL_VERSION has it; 0 where unknown.
    package var kernelVersion: UInt32

    package init(
        parameters: [String: [UInt8]] = [:], cpuCount: Int? = nil, cacheOfCPU: [Int] = [],
        configuration: [String: String] = [:], kernelVersion: UInt32 = 0
    ) {
        self.parameters = parameters
        self.cpuCount = cpuCount
        self.cacheOfCPU = cacheOfCPU
        self.configuration = configuration
        self.kernelVersion = kernelVersion
    }
}

/// An object as a given kernel would get it, with given parameters.
package struct ResolvedObject: Sendable {
    package var license: String
    package var functions: [Function]
    package var maps: [MapDefinition]
    /// The operations tables; a scheduler has one.
    package var tables: [OperationsTable]
    /// The object's own types.
    package var btf: BTF
    /// The target kernel's types.
    package var kernel: BTF
    /// What the object asks for in vain, as sentences: strong externs that the kernel lacks, parameters of no variable.
    package var problems: [ObjectError]

    package init(
        license: String, functions: [Function], maps: [MapDefinition], tables: [OperationsTable], btf: BTF, kernel: BTF,
        problems: [ObjectError] = []
    ) {
        self.license = license
        self.functions = functions
        self.maps = maps
        self.tables = tables
        self.btf = btf
        self.kernel = kernel
        self.problems = problems
    }

    /// The scheduler's table: the first in either of the kernel's forms; nil where the object is no scheduler.
    package var scheduler: OperationsTable? { tables.first(where: \.isScheduler) }

    /// Operation to function, such as `enqueue` to 3.
    package var operations: [String: Int] { scheduler?.functions ?? [:] }

    /// The values of enumerators in the target kernel, such as `SCX_DSQ_LOCAL`.
    package func kernelConstant(_ name: String) -> UInt64? { kernel.enumerator(named: name) }
}
