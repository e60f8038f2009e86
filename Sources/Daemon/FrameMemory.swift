import Model
import Wire

/// The memory that one connection's large frames take, from their announcement to the end of what they asked for.
final class FrameMemory {
    private let admission: Admission
    private let account: UserAccount
    /// Of frames that were announced and not handled yet, in their order.
    private var announced: [Int] = []
    private var ofRequests: [UInt64: Int] = [:]

    init(_ admission: Admission, _ account: UserAccount) {
        self.admission = admission
        self.account = account
    }

    func announce(_ bytes: Int) throws(Failure) {
        try admission.reserve(bytes, for: account)
        announced.append(bytes)
    }

    /// A frame was handled. Its memory stays as long as the request that it became, or is free now.
    func handled(_ bytes: Int, goingOnAs request: UInt64?) {
        guard bytes > Frame.ordinaryLimit, !announced.isEmpty else { return }
        let taken = announced.removeFirst()
        if let request { ofRequests[request] = taken } else { admission.free(taken, of: account) }
    }

    func free(_ request: UInt64) {
        if let bytes = ofRequests.removeValue(forKey: request) { admission.free(bytes, of: account) }
    }

    /// Nothing more is read on this connection.
    func freeUnhandled() {
        for bytes in announced { admission.free(bytes, of: account) }
        announced = []
    }
}
