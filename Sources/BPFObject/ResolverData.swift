/// What a loader writes into the constants of an object before it loads it.
extension Resolver {
    private func map(_ role: MapDefinition.Role) -> [Int] {
        object.maps.indices.filter { object.maps[$0].role == role }
    }

    /// The scx convention: `__SCX_…` in `.rodata` is the kernel's enumerator of that name, and 0 where there is none.
    mutating func fillConstants() {
        for index in map(.readOnlyData) where object.maps[index].section == ".rodata" {
            for variable in object.maps[index].variables where variable.name.hasPrefix("__SCX_") {
                guard let value = kernel.enumerator(named: String(variable.name.dropFirst(2))) else { continue }
                guard variable.size == 8 else {
                    object.problems.append(
                        ObjectError(.unresolved, "\(variable.name) is \(variable.size) bytes in the object, not 8"))
                    continue
                }
                object.maps[index].contents.store(value, at: variable.offset, size: 8)
            }
        }
    }

    /// What SchedCP's own headers ask of the machine.
    mutating func fillMachine(_ settings: LoadSettings) {
        guard let count = settings.cpuCount else { return }
        let caches = Set(settings.cacheOfCPU).count
        for index in map(.readOnlyData) where object.maps[index].section == ".rodata" {
            for variable in object.maps[index].variables {
                switch variable.name {
                case "schedcp_nr_cpus" where variable.size == 4:
                    object.maps[index].contents.store(UInt64(clamping: count), at: variable.offset, size: 4)
                case "schedcp_nr_llcs" where variable.size == 4:
                    object.maps[index].contents.store(UInt64(caches), at: variable.offset, size: 4)
                case "schedcp_cpu_llc":
                    for (cpu, cache) in settings.cacheOfCPU.prefix(variable.size / 4).enumerated() {
                        object.maps[index].contents.store(
                            UInt64(clamping: cache), at: variable.offset + cpu * 4, size: 4)
                    }
                default: break
                }
            }
        }
    }

    /// Constants, and the tunables, which may have another value as soon as the scheduler runs.
    private func parameterMaps() -> [Int] {
        map(.readOnlyData) + map(.data).filter { object.maps[$0].section == ".data.tunables" }
    }

    mutating func fillParameters(_ settings: LoadSettings) {
        for (name, bytes) in settings.parameters.sorted(by: { $0.key < $1.key }) {
            guard let index = parameterMaps().first(where: { object.maps[$0].variable(named: name) != nil }),
                let variable = object.maps[index].variable(named: name), bytes.count <= variable.size
            else {
                object.problems.append(
                    ObjectError(.unresolved, "the object has no parameter '\(name)' of \(bytes.count) bytes"))
                continue
            }
            for (place, byte) in bytes.enumerated() { object.maps[index].contents[variable.offset + place] = byte }
        }
    }

    mutating func fillConfiguration(_ settings: LoadSettings) {
        guard let index = map(.configuration).first else { return }
        let isKnown = !settings.configuration.isEmpty
        for extern in compiled.externs where extern.kind == .configuration {
            guard let variable = object.maps[index].variable(named: extern.name) else { continue }
            if extern.name == "LINUX_KERNEL_VERSION" {
                object.maps[index].contents.store(
                    UInt64(settings.kernelVersion), at: variable.offset, size: min(variable.size, 8))
                if settings.kernelVersion == 0 { object.maps[index].isKnown = false }
            } else if extern.name.hasPrefix("LINUX_") {
                // Features of the loader's own: both hold on every kernel with sched_ext.
                object.maps[index].contents.store(1, at: variable.offset, size: min(variable.size, 8))
            } else if !isKnown {
                object.maps[index].isKnown = false
            } else if let text = settings.configuration[extern.name] {
                write(text, to: variable, of: index)
            } else if !extern.isWeak {
                object.problems.append(ObjectError(.unresolved, "the kernel's configuration has no \(extern.name)"))
            }
        }
    }

    private mutating func write(_ text: String, to variable: MapDefinition.Variable, of index: Int) {
        let type = compiled.btf.resolve(variable.type)
        if compiled.btf.array(type) != nil {
            let characters = text.utf8.filter { $0 != UInt8(ascii: "\"") }.prefix(max(variable.size - 1, 0))
            for (place, byte) in characters.enumerated() {
                object.maps[index].contents[variable.offset + place] = byte
            }
            return
        }
        let isCharacter = variable.size == 1 && compiled.btf.integer(type)?.isBool == false
        let isTristate = compiled.btf.kind(type) == .enumeration
        let value: UInt64?
        switch text {
        case "y": value = isCharacter ? UInt64(UInt8(ascii: "y")) : 1
        case "m": value = isCharacter ? UInt64(UInt8(ascii: "m")) : isTristate ? 2 : 1
        case "n": value = isCharacter ? UInt64(UInt8(ascii: "n")) : 0
        default:
            value =
                text.hasPrefix("0x")
                ? UInt64(text.dropFirst(2), radix: 16)
                : UInt64(text) ?? Int64(text).map { UInt64(bitPattern: $0) }
        }
        guard let value else {
            object.maps[index].isKnown = false
            return
        }
        object.maps[index].contents.store(value, at: variable.offset, size: min(variable.size, 8))
    }
}
