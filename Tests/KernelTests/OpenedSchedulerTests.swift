import Linux
import Model
import TestSupport
import Testing

@testable import Kernel

/// libbpf keeps what it says in one place, and is not used by two threads at once.
@Suite(.serialized, .timeLimit(.minutes(5))) struct KernelTests {
    @Suite struct OpenedSchedulerTests {
        @Test(arguments: Checkout.schedulers + Checkout.fixtures) func everyObjectOpens(_ name: String) async throws {
            let opened = try OpenedScheduler.open(try await Checkout.object(name), label: "test")
            #expect(opened.name == name)
            #expect((opened.exitLayout != nil) == (name != "convention"))
        }

        /// In the form with cids the members that are no operations are read as in the other.
        @Test func aTableOfCIDsIsAScheduler() async throws {
            let opened = try OpenedScheduler.open(try await Checkout.object("cids"), label: "test")
            #expect(opened.name == "cids")
            #expect(opened.fields?.dumpLength == 4096)
            #expect(opened.fields?.value("timeout_ms") == 10_000)
        }

        @Test func theParametersAreTheIntegersOfTheReadOnlyData() async throws {
            let opened = try OpenedScheduler.open(try await Checkout.object("convention"), label: "test")
            #expect(
                opened.parameterTypes() == [
                    "flag_bool": .bool, "small_u8": .u8, "signed_s32": .s32, "number_u32": .u32, "wide_u64": .u64,
                    "signed_s64": .s64,
                ])
        }

        @Test(arguments: Checkout.schedulers) func whatTheLoaderFillsIsNoParameter(_ name: String) async throws {
            let names = try OpenedScheduler.open(try await Checkout.object(name), label: "test").parameterTypes().keys
            #expect(!names.isEmpty)
            #expect(names.allSatisfy { !$0.hasPrefix("__") && !$0.hasPrefix("schedcp_") && !$0.hasSuffix("_dump_len") })
        }

        static let settings: [(String, ParameterType, Int128)] = [
            ("flag_bool", .bool, 0), ("flag_bool", .bool, 1), ("small_u8", .u8, 0), ("small_u8", .u8, 255),
            ("signed_s32", .s32, Int128(Int32.min)), ("signed_s32", .s32, Int128(Int32.max)), ("number_u32", .u32, 0),
            ("number_u32", .u32, Int128(UInt32.max)), ("wide_u64", .u64, Int128(UInt64.max)),
            ("signed_s64", .s64, Int128(Int64.min)), ("signed_s64", .s64, -1),
        ]

        @Test(arguments: settings) func aParameterIsSet(name: String, type: ParameterType, number: Int128) async throws
        {
            var opened = try OpenedScheduler.open(try await Checkout.object("convention"), label: "test")
            let value = ParameterValue(name: name, type: type, number: number)
            try opened.set(value)
            // Set again: the object stays what it is, and its parameters too.
            try opened.set(value)
            #expect(opened.parameterTypes()[name] == type)
            #expect(opened.name == "convention")
        }

        @Test(arguments: ParameterType.allCases) func onlyTheTypeOfTheObjectIsTaken(_ type: ParameterType) async throws
        {
            var opened = try OpenedScheduler.open(try await Checkout.object("convention"), label: "test")
            for (name, real) in opened.parameterTypes() {
                let value = ParameterValue(name: name, type: type, number: 1)
                if type == real {
                    try opened.set(value)
                } else {
                    let failure = #expect(throws: Failure.self) { try opened.set(value) }
                    #expect(failure?.code == .malformedObject)
                }
            }
        }

        static let notSettable = [
            "", "none", "text", "seen", "_license", "__SCX_SLICE_DFL", "__SCX_DSQ_GLOBAL", "convention_ops", ".rodata",
            "\u{1B}[2J",
        ]

        @Test(arguments: notSettable) func whatIsNoParameterIsRefused(_ name: String) async throws {
            var opened = try OpenedScheduler.open(try await Checkout.object("convention"), label: "test")
            let failure = #expect(throws: Failure.self) {
                try opened.set(ParameterValue(name: name, type: .u64, number: 1))
            }
            #expect(failure?.code == .invalidArgument)
            #expect(failure?.hint.contains("number_u32") == true)
            #expect(failure?.message.unicodeScalars.allSatisfy { $0.value >= 32 } == true)
        }

        @Test(arguments: ["schedcp_nr_cpus", "schedcp_nr_llcs", "schedcp_cpu_llc"])
        func theTopologyIsNotAClients(_ name: String) async throws {
            var opened = try OpenedScheduler.open(try await Checkout.object("fifo"), label: "test")
            #expect(throws: Failure.self) { try opened.set(ParameterValue(name: name, type: .u32, number: 1)) }
        }

        @Test(arguments: Checkout.schedulers + Checkout.fixtures) func constantsAndTopologyAreFilled(_ name: String)
            async throws
        {
            var opened = try OpenedScheduler.open(try await Checkout.object(name), label: "test")
            let abi = KernelABI(
                enumerators: ["SCX_SLICE_DFL": 20_000_000, "SCX_DSQ_GLOBAL": 1 << 63 | 1, "SCX_OTHER": 1], truncated: []
            )
            try opened.fillConstants(from: abi)
            try opened.fillTopology(CPUTopology(llcOfCPU: [0]))
            try opened.fillTopology(CPUTopology(llcOfCPU: (0..<70_000).map { UInt32($0 % 3) }))
        }

        @Test func aConstantThatTheBTFCutsIsRefused() async throws {
            var opened = try OpenedScheduler.open(try await Checkout.object("convention"), label: "test")
            let abi = KernelABI(enumerators: ["SCX_DSQ_GLOBAL": 1], truncated: ["SCX_DSQ_GLOBAL"])
            let failure = #expect(throws: Failure.self) { try opened.fillConstants(from: abi) }
            #expect(failure?.code == .kernelUnsupported)
            #expect(failure?.message.contains("SCX_DSQ_GLOBAL") == true)
            // One that the object does not use is none of its business.
            try opened.fillConstants(from: KernelABI(enumerators: ["SCX_NONE": 1], truncated: ["SCX_NONE"]))
        }

        @Test func aTunableIsSetLikeAParameter() async throws {
            var opened = try OpenedScheduler.open(try await Checkout.object("srpt"), label: "test")
            #expect(opened.parameterTypes() == ["slice_us": .u32, "max_wait_ms": .u32])
            try opened.set(ParameterValue(name: "max_wait_ms", type: .u32, number: 1))
            #expect(throws: Failure.self) {
                try opened.set(ParameterValue(name: "max_wait_ms", type: .u64, number: 1))
            }
        }

        @Test func openingManyTimesLeavesNothingOpen() async throws {
            let object = try await Checkout.object("ljf")
            for _ in 0..<50 { #expect(try OpenedScheduler.open(object, label: "test").name == "ljf") }
            #expect(ProcessFacts.ownDescriptors(on: "anon_inode:bpf-map") == 0)
        }
    }

    @Suite struct MalformedObjectTests {
        private static func refusal(_ bytes: [UInt8]) -> Failure.Code? {
            do throws(Failure) {
                _ = try OpenedScheduler.open(bytes, label: "test")
                return nil
            } catch { return error.code }
        }

        static let nonsense: [[UInt8]] = [
            [], [0], Array("\u{7F}ELF".utf8), Array("#!/bin/sh\n".utf8), [UInt8](repeating: 0, count: 4096),
            [UInt8](repeating: 0xFF, count: 4096),
            Array("\u{7F}ELF\u{2}\u{1}\u{1}".utf8) + [UInt8](repeating: 0, count: 100),
        ]

        @Test(arguments: nonsense) func whatIsNoObjectIsRefused(_ bytes: [UInt8]) {
            #expect(Self.refusal(bytes) == .malformedObject)
        }

        @Test func aProgramOfThisMachineIsNoScheduler() throws {
            let own = try TextFile.readBytes("/usr/bin/true", limit: 1 << 20)
            #expect(Self.refusal(own) == .malformedObject)
        }

        /// libbpf before 1.7 would write outside of its list of maps when it loads this one.
        @Test func anArenaThatLibbpfWouldLoseIsRefused() async throws {
            let object = try await Checkout.object("crowded")
            if LibBPF.keepsArenaByNumber {
                #expect(try OpenedScheduler.open(object, label: "test").name == "crowded")
            } else {
                #expect(Self.refusal(object) == .malformedObject)
            }
            let moves = [
                (1, 16, false), (1, 17, true), (16, 17, true), (17, 20, false), (17, 21, true), (20, 25, true),
            ]
            for (declared, all, isMoved) in moves {
                #expect(LibBPF.listMoves(declared: declared, all: all) == isMoved, "\(declared), \(all)")
            }
        }

        @Test func aLimitHolds() {
            #expect(Self.refusal([UInt8](repeating: 0, count: OpenedScheduler.maxObjectBytes + 1)) == .malformedObject)
        }

        @Test func theLogOfLibbpfIsTheDetail() async throws {
            let object = try await Checkout.object("fifo")
            let failure = #expect(throws: Failure.self) {
                _ = try OpenedScheduler.open(Array(object.prefix(1000)), label: "test")
            }
            #expect(failure?.detail.contains("libbpf") == true)
            #expect(failure?.hint.isEmpty == false)
        }

        @Test(arguments: ["fifo", "convention"]) func aCutObjectIsRefusedOrOpensAndNeverCrashes(_ name: String)
            async throws
        {
            let object = try await Checkout.object(name)
            var refused = 0
            for length in stride(from: 0, to: object.count, by: 61) {
                let code = Self.refusal(Array(object.prefix(length)))
                #expect(code == nil || code == .malformedObject)
                if code != nil { refused += 1 }
            }
            #expect(refused > 0)
        }

        @Test(arguments: Array(1...12) as [UInt64]) func aDamagedObjectIsRefusedOrOpensAndNeverCrashes(seed: UInt64)
            async throws
        {
            var random = Seeded(seed)
            let names = Checkout.schedulers + Checkout.fixtures
            for _ in 0..<50 {
                var object = try await Checkout.object(names[random.below(names.count)])
                for _ in 0...random.below(20) {
                    let place = random.below(object.count)
                    if random.chance(2) {
                        object[place] ^= 1 << UInt8(random.below(8))
                    } else {
                        object[place] = random.bytes(1)[0]
                    }
                }
                do throws(Failure) {
                    var opened = try OpenedScheduler.open(object, label: "test")
                    let known = opened.parameterTypes()
                    for (name, type) in known {
                        try opened.set(ParameterValue(name: name, type: type, number: 1))
                    }
                    try opened.fillConstants(from: KernelABI(enumerators: ["SCX_SLICE_DFL": 1], truncated: []))
                    try opened.fillTopology(CPUTopology(llcOfCPU: [0, 1]))
                } catch { #expect(error.code == .malformedObject, "\(error)") }
            }
        }

        /// Bytes of the types and of the headers decide most of what is read.
        @Test(arguments: Array(1...6) as [UInt64]) func damagedTypesNeverCrash(seed: UInt64) async throws {
            var random = Seeded(seed)
            let object = try await Checkout.object("convention")
            // The magic number of BTF and of BTF.ext.
            let starts = object.indices.dropLast(24).filter {
                object[$0] == 0x9F && object[$0 + 1] == 0xEB && object[$0 + 2] == 1
            }
            #expect(!starts.isEmpty)
            for _ in 0..<100 {
                var damaged = object
                let start = starts[random.below(starts.count)]
                for _ in 0...random.below(8) {
                    let place = min(start + random.below(3000), damaged.count - 1)
                    damaged[place] = random.chance(2) ? 0xFF : random.bytes(1)[0]
                }
                let code = Self.refusal(damaged)
                #expect(code == nil || code == .malformedObject)
            }
        }
    }
}
