package import Model

/// Why an object, or a kernel's BTF, could not be used.
package struct ObjectError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, CaseIterable, Sendable {
        /// Not an ELF file for BPF at all.
        case notAnObject
        /// It says that more bytes follow than there are.
        case truncated
        /// It contradicts itself.
        case malformed
        /// It may be well-formed, but it is larger than any real one.
        case tooLarge
        /// Well-formed, but this reader does not know it.
        case unsupported
        /// It asks for something that the target kernel or the request does not have.
        case unresolved
    }

    package var kind: Kind
    /// What is wrong and where, one sentence.
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }

    /// As an error at the border of a service.
    package var failure: Failure {
        switch kind {
        case .notAnObject, .truncated, .malformed, .tooLarge, .unsupported:
            Failure(
                .malformedObject, "the object cannot be read: \(message)",
                hint: "compile it with clang -g -O2 -target bpfel")
        case .unresolved:
            Failure(
                .kernelUnsupported, "the object does not fit the target kernel: \(message)",
                hint: "compile it against the headers of SchedCP, which choose by what the kernel has")
        }
    }
}
