import CLibBPF
import Glibc
package import Model

/// `vmlinux.h`: the types of a kernel as C, made from its BTF. The same BTF gives the same text, whatever the machine.
package enum TypesHeader {
    /// The forms of the text that differ for the same BTF have different numbers; part of the key of a cache.
    package static let version = 2

    /// Throws `.malformedObject` for bytes that are no BTF or that cannot be written as C.
    ///
    /// Every field access in code that includes it is relocated on load (`preserve_access_index`), so that an object
    /// made for one kernel finds its fields in the next.
    package static func make(btf bytes: [UInt8]) throws(Failure) -> [UInt8] {
        let (parsed, said) = LibBPFLog.collect {
            // SAFETY: libbpf copies the bytes within the call, and checks them.
            bytes.withUnsafeBytes { btf__new($0.baseAddress, UInt32($0.count)) }
        }
        guard let btf = parsed else {
            throw Failure(
                .malformedObject, "the kernel's types cannot be read: these \(bytes.count) bytes are no BTF",
                detail: said)
        }
        defer { btf__free(btf) }
        guard isReasonable(TypeTable(btf: btf)) else {
            throw Failure(
                .malformedObject, "the kernel's types cannot be written: one of them is larger than any kernel's")
        }
        let text = Text(capacity: 4 << 20)
        text.append(opening)
        // SAFETY: `text` outlives the dumper, which is freed below; the callback runs only within btf_dump__dump_type.
        let context = Unmanaged.passUnretained(text).toOpaque()
        guard
            let dumper = btf_dump__new(
                btf,
                { context, format, arguments in
                    guard let context, let format, let arguments else { return }
                    // SAFETY: the context is the `text` above.
                    Unmanaged<Text>.fromOpaque(context).takeUnretainedValue().print(format, arguments)
                }, context, nil)
        else {
            throw Failure(.malformedObject, "the kernel's types cannot be written: \(reason())")
        }
        defer { btf_dump__free(dumper) }
        for id in 1..<max(1, btf__type_cnt(btf)) {
            let error = btf_dump__dump_type(dumper, id)
            guard error == 0 else {
                throw Failure(
                    .malformedObject,
                    "type \(id) of the kernel cannot be written as C: \(String(cString: strerror(-error)))")
            }
        }
        text.append(closing)
        return withExtendedLifetime(text) { Self.withoutArguments(text.bytes) }
    }

    /// A function without parameters is `f(void)`; libbpf 1.4 writes `f()`, which in C says nothing of its parameters and
    /// would be another type in an object.
    private static func withoutArguments(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count + 16 * 1024)
        var start = 0
        for index in text.indices.dropLast() where text[index] == UInt8(ascii: "(") {
            guard text[index + 1] == UInt8(ascii: ")") else { continue }
            result += text[start...index]
            result += "void".utf8
            start = index + 1
        }
        return result + text[start...]
    }

    /// libbpf writes a line for each eight bytes of a hole: sizes and places that no kernel has would be gigabytes of text.
    private static func isReasonable(_ types: TypeTable) -> Bool {
        let largest: UInt32 = 4 << 20
        for id in 1..<max(1, btf__type_cnt(types.btf)) {
            guard let type = types.type(id) else { return false }
            let kind = Int(btf_kind(type))
            guard kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION else { continue }
            guard type.pointee.size <= largest else { return false }
            // SAFETY: libbpf has checked the number of members against the BTF's length.
            for index in 0..<UInt32(btf_vlen(type)) where btf_member_bit_offset(type, index) / 8 > type.pointee.size {
                return false
            }
        }
        return true
    }

    /// Whether a file with such a text was not cut short.
    package static func isWhole(_ text: [UInt8]) -> Bool { text.suffix(closing.utf8.count).elementsEqual(closing.utf8) }

    // SAFETY: strerror's text is copied at once.
    private static func reason() -> String { String(cString: strerror(errno)) }

    private static let opening = """
        #ifndef __VMLINUX_H__
        #define __VMLINUX_H__

        #ifndef BPF_NO_PRESERVE_ACCESS_INDEX
        #pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
        #endif


        """

    private static let closing = """

        #ifndef BPF_NO_PRESERVE_ACCESS_INDEX
        #pragma clang attribute pop
        #endif

        #endif /* __VMLINUX_H__ */

        """

    /// What libbpf prints piece by piece.
    private final class Text {
        private(set) var bytes: [UInt8] = []
        private var piece = [CChar](repeating: 0, count: 1024)

        init(capacity: Int) { bytes.reserveCapacity(capacity) }

        func append(_ text: String) { bytes += text.utf8 }

        func print(_ format: UnsafePointer<CChar>, _ arguments: CVaListPointer) {
            // SAFETY: vsnprintf writes at most as many bytes as the array has. Names in BTF are shorter than 512 bytes,
            // and libbpf prints one at a time.
            let length = Int(vsnprintf(&piece, piece.count, format, arguments))
            guard length > 0 else { return }
            piece.withUnsafeBytes { bytes += $0.prefix(min(length, $0.count - 1)) }
        }
    }
}
