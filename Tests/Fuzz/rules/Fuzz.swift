import Access

// The parser of the access rules: total, whatever the bytes are.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    let report = AccessRules.read(bytes) { _ in 7 }
    precondition((report.rules == nil) != report.errors.isEmpty)
    for problem in report.errors + report.warnings { precondition(problem.line >= 1 && !problem.description.isEmpty) }
    return 0
}
