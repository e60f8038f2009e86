import Testing

@testable import BPFObject

/// Damaged objects parse or throw; that this process goes on is what is tested. The fuzzer does the same at length.
@Suite(.timeLimit(.minutes(5))) struct CorruptionTests {
    private struct Random {
        var state: UInt64
        mutating func below(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: state >> 33) % limit
        }
    }

    /// How many of the damaged copies were read all the same.
    private func survivors(_ copies: [[UInt8]]) -> Int {
        copies.count { bytes in
            do throws(ObjectError) {
                let object = try BPFObject.parse(bytes)
                _ = try object.resolve(kernel: object.btf)
                return true
            } catch {
                #expect(!error.message.isEmpty)
                return false
            }
        }
    }

    @Test(arguments: ["fixtures/stall", "fixtures/initfails"])
    func oneByteIsChanged(name: String) throws {
        let bytes = try Shipped.object(name)
        var random = Random(state: 42)
        let copies = (0..<200).map { _ in
            var copy = bytes
            copy[random.below(bytes.count)] ^= UInt8(1 + random.below(255))
            return copy
        }
        #expect(survivors(copies) > 0)
    }

    /// The headers decide most: of sections, of BTF and of BTF.ext.
    @Test func headersAreChanged() throws {
        let bytes = try Shipped.object("fixtures/initfails")
        let elf = try ELF(bytes)
        var random = Random(state: 7)
        var places = (0..<20).map { _ in random.below(64) }
        for name in [".BTF", ".BTF.ext", ".maps", ".symtab"] {
            guard let section = elf.section(named: name), !elf.sections[section].range.isEmpty else { continue }
            let start = elf.sections[section].range.lowerBound
            places += (0..<8).map { _ in start + random.below(min(64, elf.sections[section].range.count)) }
        }
        places += (0..<30).map { _ in bytes.count - 1 - random.below(min(64 * elf.sections.count, bytes.count)) }
        let copies = places.map { place in
            var copy = bytes
            copy[place] = UInt8(random.below(256))
            return copy
        }
        #expect(survivors(copies) < copies.count)
    }

    @Test func theEndIsMissing() throws {
        let bytes = try Shipped.object("fixtures/stall")
        var random = Random(state: 3)
        let copies = (0..<200).map { _ in Array(bytes[..<random.below(bytes.count)]) }
        #expect(survivors(copies) == 0)
    }
}
