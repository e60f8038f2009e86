import Testing

@testable import BPFObject

@Test func flavours() {
    #expect(Flavour.essential("task_struct___old") == "task_struct")
    #expect(Flavour.essential("scx_bpf_dsq_insert___v2___v619") == "scx_bpf_dsq_insert___v2")
    #expect(Flavour.essential("a_____b") == "a_____b" || Flavour.essential("a_____b") == "a__")
    #expect(Flavour.essential("___x") == "___x")
}
