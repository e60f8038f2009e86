extension Envelope {
    /// The claims of a payload, without an envelope around it and hence unverified.
    package static func claims(inPayload bytes: [UInt8]) throws(Refusal) -> AttestationClaims {
        try Statement.decode(bytes)
    }
}
