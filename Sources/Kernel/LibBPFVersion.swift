import CLibBPF

/// The library that loads schedulers, here and in the guest of a trial.
package enum LibBPFVersion {
    /// As "1.4".
    package static var text: String { "\(libbpf_major_version()).\(libbpf_minor_version())" }
}
