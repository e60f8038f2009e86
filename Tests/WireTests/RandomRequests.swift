import Foundation
import TestSupport
import Wire

/// Random messages, for what must hold of every one.
protocol RandomMessage {
    static func random(_ random: inout Seeded) -> Self
}

extension Seeded {
    /// Up to `limit` messages.
    mutating func some<M: RandomMessage>(_ type: M.Type, _ limit: Int = 4) -> [M] {
        (0..<below(limit + 1)).map { _ in M.random(&self) }
    }

    /// A number with any count of bits, so that small and large ones are equally common.
    mutating func number<T: FixedWidthInteger>(_ type: T.Type) -> T {
        T(truncatingIfNeeded: next() >> UInt64(below(64)))
    }
}

extension WireRequest: RandomMessage {
    static func random(_ random: inout Seeded) -> WireRequest {
        var request = WireRequest()
        request.id = random.number(UInt64.self)
        request.operation =
            switch random.below(11) {
            case 0: .hello(.random(&random))
            case 1: .cancel(.random(&random))
            case 2: .status(.init())
            case 3: .list(.init())
            case 4: .show(.random(&random))
            case 5: .history(.random(&random))
            case 6: .events(.random(&random))
            case 7: .deploy(.random(&random))
            case 8: .rollback(.init())
            case 9: .doctor(.init())
            default: nil
            }
        return request
    }
}

extension WireHello: RandomMessage {
    static func random(_ random: inout Seeded) -> WireHello {
        var it = WireHello()
        it.protocolMin = random.number(UInt32.self)
        it.protocolMax = random.number(UInt32.self)
        it.client = random.text()
        return it
    }
}

extension WireCancel: RandomMessage {
    static func random(_ random: inout Seeded) -> WireCancel {
        var it = WireCancel()
        it.requestID = random.number(UInt64.self)
        return it
    }
}

extension WireShowRequest: RandomMessage {
    static func random(_ random: inout Seeded) -> WireShowRequest {
        var it = WireShowRequest()
        it.name = random.text()
        return it
    }
}

extension WireHistoryRequest: RandomMessage {
    static func random(_ random: inout Seeded) -> WireHistoryRequest {
        var it = WireHistoryRequest()
        it.limit = random.number(UInt32.self)
        return it
    }
}

extension WireEventsRequest: RandomMessage {
    static func random(_ random: inout Seeded) -> WireEventsRequest {
        var it = WireEventsRequest()
        it.after = random.number(UInt64.self)
        it.follow = random.chance(2)
        return it
    }
}

extension WireDeployRequest: RandomMessage {
    static func random(_ random: inout Seeded) -> WireDeployRequest {
        var it = WireDeployRequest()
        it.source =
            switch random.below(3) {
            case 0: .name(random.text())
            case 1: .object(Data(random.bytes(random.below(200))))
            default: nil
            }
        it.parameters = random.some(WireSetting.self)
        it.hints = random.some(WireHint.self)
        it.takeover = random.chance(2)
        return it
    }
}

extension WireSetting: RandomMessage {
    static func random(_ random: inout Seeded) -> WireSetting {
        var it = WireSetting()
        it.name = random.text()
        it.value = random.text()
        return it
    }
}

extension WireHint: RandomMessage {
    static func random(_ random: inout Seeded) -> WireHint {
        var it = WireHint()
        it.kind = random.text(8)
        it.key = random.text()
        it.nanoseconds = random.number(UInt64.self)
        return it
    }
}
