import Model

/// The memory that one connection's large frames take, from their announcement to the end of what they asked for.
final class FrameMemory {
    private let admission: Admission
    private let account: UserAccount
    /// Of the frame that is being read.
    private var announced = 0
    private var ofRequests: [UInt64: Int] = [:]

    init(_ admission: Admission, _ account: UserAccount) {
        self.admission = admission
        self.account = account
    }

    func announce(_ bytes: Int) throws(Failure) {
        try admission.reserve(bytes, for: account)
        announced += bytes
    }

    /// The frame was read, and became a request that goes on; its memory is free when that ends.
    func move(to request: UInt64) {
        if announced > 0 { ofRequests[request] = announced }
        announced = 0
    }

    func free(_ request: UInt64) {
        if let bytes = ofRequests.removeValue(forKey: request) { admission.free(bytes, of: account) }
    }

    /// The frame was answered at once, or its connection has ended.
    func freeFrame() {
        if announced > 0 { admission.free(announced, of: account) }
        announced = 0
    }
}
