extension CompiledObject {
    /// Settles what depends on the kernel and the settings.
    ///
    /// - Throws: `ObjectError` where no loader could go on. What the kernel's verifier would judge by reachability (a
    ///   failed relocation, a missing kernel function) is recorded in the functions instead.
    package func resolve(
        kernel: BTF, settings: LoadSettings = LoadSettings()
    ) throws(ObjectError) -> ResolvedObject {
        var resolver = Resolver(self, kernel)
        resolver.fillConfiguration(settings)
        resolver.fillConstants()
        resolver.fillMachine(settings)
        resolver.fillParameters(settings)
        try resolver.applyRelocations()
        try resolver.findExterns()
        resolver.checkTables()
        return resolver.object
    }
}

/// Makes a `ResolvedObject`, step by step; `CompiledObject.resolve` calls the steps in order.
struct Resolver {
    let compiled: CompiledObject
    let kernel: BTF
    var object: ResolvedObject
    var matcher: CoreMatcher

    init(_ compiled: CompiledObject, _ kernel: BTF) {
        self.compiled = compiled
        self.kernel = kernel
        object = ResolvedObject(
            license: compiled.license, functions: compiled.functions, maps: compiled.maps, tables: compiled.tables,
            btf: compiled.btf, kernel: kernel)
        matcher = CoreMatcher(local: compiled.btf, kernel: kernel)
    }

    // MARK: Types

    private struct Key: Hashable {
        var kind: RelocationKind
        var type: BTF.TypeID
        var accessor: [Int]
    }

    private struct Resolution {
        var answer: Function.Answer
        var access: FieldAccess?
    }

    mutating func applyRelocations() throws(ObjectError) {
        // The same question is asked many times.
        var known: [Key: Resolution] = [:]
        for relocation in compiled.relocations {
            let key = Key(kind: relocation.kind, type: relocation.type, accessor: relocation.accessor)
            let resolution: Resolution
            if let found = known[key] {
                resolution = found
            } else {
                resolution = try resolve(relocation)
                known[key] = resolution
            }
            try object.functions[relocation.function].patch(relocation.slot, resolution.answer)
            if let access = resolution.access {
                object.functions[relocation.function].accesses[relocation.slot] = access
            }
        }
    }

    private mutating func resolve(_ relocation: CoreRelocation) throws(ObjectError) -> Resolution {
        let local = compiled.btf
        let specification = try local.specification(of: relocation)
        let was = local.value(of: specification, relocation.kind)
        if relocation.kind == .typeIDLocal {
            return Resolution(answer: .value(CoreValue(value: UInt64(relocation.type)), was: was))
        }
        var found: [(CoreSpecification, CoreValue?)] = []
        for candidate in try matcher.candidates(for: relocation.type) {
            if let match = try matcher.match(specification, relocation.kind, in: candidate) {
                found.append((match, kernel.value(of: match, relocation.kind)))
            }
        }
        var access: FieldAccess?
        if !specification.steps.isEmpty, let root = specification.steps.first, root.name == nil {
            access = FieldAccess(
                structure: Flavour.essential(local.name(relocation.type)),
                path: specification.steps.dropFirst().map { $0.name ?? String($0.index) }, kind: relocation.kind)
            if access?.structure.isEmpty == true { access?.structure = Flavour.essential(local.name(root.type)) }
        }
        guard let (match, value) = found.first else {
            switch relocation.kind {
            case .fieldExists, .typeExists, .typeMatches, .typeSize, .typeIDTarget, .enumeratorExists:
                return Resolution(answer: .value(CoreValue(value: 0), was: was), access: access)
            default: return Resolution(answer: .absent, access: access)
            }
        }
        // Two types of one name may both fit, but only when the answer is the same.
        if found.contains(where: {
            $0.0.bitOffset != match.bitOffset || ($0.1?.value != value?.value && !isID(relocation))
        }) {
            let name = access?.description ?? local.describe(relocation.type)
            throw ObjectError(.unresolved, "the kernel has several different answers to what '\(name)' is")
        }
        access?.byteOffset = match.bitOffset / 8
        if let last = match.steps.last {
            let member = last.name == nil ? nil : kernel.member(of: kernel.record(last.type), at: last.index)
            access?.byteSize = kernel.size(of: member?.type ?? last.type)
        }
        guard let value else { return Resolution(answer: .absent, access: access) }
        return Resolution(answer: .value(value, was: was), access: access)
    }

    private func isID(_ relocation: CoreRelocation) -> Bool { relocation.kind == .typeIDTarget }
}
