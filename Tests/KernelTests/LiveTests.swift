import Linux
import Model
import TestSupport
import Testing

@testable import Kernel

extension KernelTests {
    /// What of a scheduler can be read and changed: what its object says of it, and the bytes.
    @Suite struct LiveTests {
        @Test func theTunablesOfAnObjectAreFoundWithWhatTheyAreCompiledWith() async throws {
            let layout = try OpenedScheduler.open(try await Checkout.object("latency"), label: "test").liveLayout
            #expect(layout.tunables["slice_us"]?.type == .u32)
            #expect(layout.compiled["slice_us"] ?? 0 > 0)
            #expect(layout.layers == nil)
            let none = try OpenedScheduler.open(try await Checkout.object("convention"), label: "test").liveLayout
            #expect(none == .none)
        }

        /// The scheduler is compiled with the table of layers.bpf.h: what is read from it is what that says.
        @Test func theLayersOfTheObjectAreThoseOfItsSource() async throws {
            let layout = try OpenedScheduler.open(try await Checkout.object("layered"), label: "test").liveLayout
            #expect(
                layout.layers
                    == LayerTable(
                        layers: [.init(weight: 100), .init(weight: 20), .init(weight: 200, guarantee: 300)],
                        rules: [.init(layer: 1, nice: 5...19), .init(layer: 2, nice: -20 ... -5)]))
        }

        /// Where each member lies, as the compiler has laid it out.
        @Test func theBytesOfARuleAreWhereTheObjectHasThem() async throws {
            let opened = try OpenedScheduler.open(try await Checkout.object("layered"), label: "test")
            let types = try #require(TypeTable(object: opened.handle.raw))
            let table = try #require(types.structure("layer_table"))
            #expect(types.size(of: table) == LayerBytes.size)
            let places = types.members(of: table).reduce(into: [:]) { $0[$1.name] = $1.offset }
            let rules = try #require(places["rule"])
            let layers = try #require(places["layers"])
            let rule = try #require(types.structure("layer_rule"))
            let members = types.members(of: rule).reduce(into: [:]) { $0[$1.name] = $1.offset }
            let bytes = LayerBytes.encode(
                LayerTable(
                    layers: [.init(weight: 1), .init(weight: 0x0201, guarantee: 3, cap: 4)],
                    rules: [
                        .init(layer: 0, threads: 1),
                        .init(
                            layer: 1, name: "encoder", cgroup: "a/b", cgroupID: 0x1122_3344_5566_7788, cgroupDepth: 2,
                            nice: -3...7, threads: 9),
                    ]), version: 0x0A0B)
            func value(_ name: String, _ size: Int) -> UInt64 {
                let at = rules + types.size(of: rule) + (members[name] ?? 0)
                return bytes[at..<(at + size)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
            }
            #expect(bytes.count == LayerBytes.size && LayerBytes.version(bytes) == 0x0A0B)
            #expect(Array(bytes[(layers + 16)..<(layers + 28)]) == [1, 2, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0])
            #expect(value("conditions", 4) == 15 && value("layer", 4) == 1)
            #expect(value("cgroup", 8) == 0x1122_3344_5566_7788 && value("depth", 4) == 2)
            #expect(value("threads", 4) == 9 && value("length", 4) == 7)
            #expect(value("nice_least", 4) == 0xFFFF_FFFD && value("nice_most", 4) == 7)
            let name = rules + types.size(of: rule) + (members["name"] ?? 0)
            #expect(Array(bytes[name..<(name + 16)]) == Array("encoder".utf8) + [UInt8](repeating: 0, count: 9))
        }

        @Test func aTableComesBackFromItsBytes() throws {
            var table = LayerTable(
                layers: (0..<16).map { .init(weight: UInt32($0 + 1), guarantee: 10, cap: 500) }, rules: [])
            for index in 0..<32 {
                table.rules.append(
                    .init(
                        layer: UInt32(index % 16), name: index % 2 == 0 ? "n\(index)" : "",
                        cgroupID: index % 3 == 0 ? UInt64(index) << 40 | 1 : 0, cgroupDepth: index % 3 == 0 ? 4 : 0,
                        nice: index % 4 == 1 ? -20...19 : nil, threads: UInt32(index + 1)))
            }
            try table.check()
            #expect(LayerBytes.decode(LayerBytes.encode(table, version: 1)) == table)
            #expect(LayerBytes.decode([UInt8](repeating: 0, count: LayerBytes.size - 1)) == nil)
            // Nothing that lies there is beyond what can be told.
            for byte in [UInt8(0), 0x7F, 0xFF] {
                let wild = try #require(LayerBytes.decode([UInt8](repeating: byte, count: LayerBytes.size)))
                #expect((1...16).contains(wild.layers.count) && wild.rules.count <= 32)
            }
        }

        static let types: [(ParameterType, Int128)] = [
            (.bool, 1), (.u8, 255), (.u16, 65535), (.u32, 1 << 31), (.u64, Int128(UInt64.max)), (.s8, -128),
            (.s16, -2), (.s32, -70000), (.s64, Int128(Int64.min)),
        ]

        @Test(arguments: types) func aValueIsReadAsItWasWritten(type: ParameterType, number: Int128) throws {
            let layout = LiveLayout(
                tunables: ["before": .init(type: .u8, offset: 7), "it": .init(type: type, offset: 8)], compiled: [:],
                layers: nil)
            let value = ParameterValue(name: "it", type: type, number: number)
            let bytes = try layout.patch([UInt8](repeating: 0xA5, count: 24), with: [value])
            #expect(LiveLayout.read(layout.tunables, in: bytes) == ["before": 0xA5, "it": number])
            #expect(bytes[8 + type.size] == 0xA5)
            // Never outside, never as another type, never by another name.
            #expect(throws: Failure.self) { try layout.patch([UInt8](repeating: 0, count: 8), with: [value]) }
            for wrong in [("it", type == .u8 ? ParameterType.s8 : .u8), ("other", type)] {
                #expect(throws: Failure.self) {
                    try layout.patch(bytes, with: [ParameterValue(name: wrong.0, type: wrong.1, number: 0)])
                }
            }
        }

        @Test func theKeyOfAHintIsWhatTheSchedulerLooksFor() {
            #expect(
                HintKey.bytes(HintValue(.process, key: "encoder", nanoseconds: 1))
                    == Array("encoder".utf8) + [UInt8](repeating: 0, count: 9))
            #expect(
                HintKey.bytes(HintValue(.cgroup, key: "a", cgroupID: 0x0102, nanoseconds: 1))
                    == [2, 1, 0, 0, 0, 0, 0, 0])
            for hint in [
                HintValue(.process, key: "fifteen-bytes-x", nanoseconds: 5),
                HintValue(.cgroup, key: "", cgroupID: .max - 1, nanoseconds: 5),
            ] {
                let kind = Hint.Kind(rawValue: hint.kind) ?? .process
                #expect(HintKey.value(HintKey.bytes(hint), kind, nanoseconds: 5) == hint)
            }
        }

        /// A descriptor of something else is refused, not read.
        @Test func whatIsNoMapIsNotRead() throws {
            var descriptors = LiveDescriptors()
            descriptors.tunables = SharedDescriptor(try .open("/dev/null"))
            descriptors.stats = descriptors.tunables
            descriptors.hints[.process] = descriptors.tunables
            let maps = LiveMaps(
                layout: LiveLayout(tunables: ["it": .init(type: .u8, offset: 0)], compiled: [:], layers: nil),
                descriptors: descriptors)
            #expect(throws: Failure.self) { try maps.tunables() }
            #expect(try maps.counters() == nil && !maps.takesHints(.process) && maps.hints(.process).isEmpty)
            #expect(throws: Failure.self) { try maps.set(HintValue(.process, key: "a", nanoseconds: 1)) }
            #expect(throws: Failure.self) { try maps.set([ParameterValue(name: "it", type: .u8, number: 1)]) }
        }
    }
}
