import Audit

// One line of the audit: what is read has one spelling, and that is the line.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    if let record = AuditRecord(line: bytes) { precondition(Array(record.line.utf8) == bytes) }
    return 0
}
