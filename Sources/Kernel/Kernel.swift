import CLibBPF
package func x() -> UInt32 { libbpf_major_version() }
