import GuestProtocol
import Testing

@testable import MicroVM

@Suite struct QEMUCommandTests {
    private static func words(_ change: (inout MachineSpec) -> Void = { _ in }) throws -> [String] {
        var spec = MachineSpec(kernel: "/k")
        change(&spec)
        return try QEMUCommand(spec, accelerator: .tcg, folder: "/f").arguments
    }

    private static func value(_ option: String, in words: [String]) -> [String] {
        zip(words, words.dropFirst()).filter { $0.0 == option }.map(\.1)
    }

    @Test func theTopologyIsSpelledOut() throws {
        let words = try Self.words {
            $0.topology = Topology(sockets: 4, cores: 3, threads: 2, numaNodes: 2)
            $0.memory = 1025
        }
        #expect(Self.value("-smp", in: words) == ["24,sockets=4,cores=3,threads=2"])
        #expect(
            Self.value("-numa", in: words) == [
                "node,nodeid=0,memdev=memory0", "node,nodeid=1,memdev=memory1", "cpu,node-id=0,socket-id=0",
                "cpu,node-id=0,socket-id=1", "cpu,node-id=1,socket-id=2", "cpu,node-id=1,socket-id=3",
            ])
        #expect(words.contains("memory-backend-ram,id=memory0,size=513M"))
        #expect(words.contains("memory-backend-ram,id=memory1,size=512M"))
        #expect(Self.value("-cpu", in: words) == ["max,vendor=GenuineIntel"])
        #expect(try !Self.words().contains("-numa"))
        #expect(Self.value("-cpu", in: try Self.words()) == ["max"])
    }

    @Test func aCommaInAPathEndsNothing() throws {
        let words = try Self.words {
            $0.disks = [.init(file: "/a,readonly=off", serial: "system", access: .snapshot)]
        }
        #expect(
            Self.value("-drive", in: words) == [
                "if=none,id=disk0,format=raw,file=/a,,readonly=off,snapshot=on"
            ])
    }

    @Test func theBaseOfAReadOnlyDiskStaysSo() throws {
        let words = try Self.words { $0.disks = [.init(file: "/a", serial: "s", access: .readOnly)] }
        #expect(Self.value("-drive", in: words) == ["if=none,id=disk0,format=raw,file=/a,read-only=on"])
    }

    @Test func portsGetSockets() throws {
        let words = try Self.words { $0.ports = ["extra"] }
        #expect(words.contains("virtserialport,chardev=port0,name=\(GuestProtocol.portName)"))
        #expect(words.contains("socket,id=port1,path=/f/extra.sock,server=on,wait=off"))
    }

    @Test func nonsenseIsRefused() {
        let nonsense: [@Sendable (inout MachineSpec) -> Void] = [
            { $0.topology = Topology(cpus: 0) }, { $0.topology = Topology(cpus: 256) },
            { $0.topology = Topology(sockets: 16, cores: 16) },
            { $0.topology = Topology(sockets: 3, cores: 1, numaNodes: 2) }, { $0.memory = 1 },
            { $0.ports = ["a,b"] }, { $0.disks = [.init(file: "/a", serial: "", access: .snapshot)] },
        ]
        for change in nonsense { #expect(throws: MachineError.self) { try Self.words(change) } }
    }
}
