import Model

/// An attestation for a person: labels and values, with all text from outside escaped.
package struct AttestationDescription: Hashable, Sendable {
    package struct Line: Hashable, Sendable {
        package let label: String
        package let value: String
    }

    package let lines: [Line]

    /// `keys` tell the names of those who signed; nothing is verified here.
    package init(_ claims: AttestationClaims, signatures: [Envelope.Signature] = [], keys: [VerifierKey] = []) {
        var lines: [Line] = []
        func add(_ label: String, _ value: String) { lines.append(Line(label: label, value: value)) }

        add("artifact", claims.artifactName.escapedForDisplay())
        add("sha256", claims.artifact.escapedForDisplay())
        for stage in claims.stages {
            add(
                "stage \(stage.name.escapedForDisplay())",
                "\(stage.verdict.rawValue), log \(Self.short(stage.evidence))")
        }
        for setting in claims.arguments.parameters {
            add("parameter \(setting.name.escapedForDisplay())", setting.value.escapedForDisplay())
        }
        for hint in claims.arguments.hints {
            add("hint \(hint.kind.rawValue) \(hint.key.escapedForDisplay())", "\(hint.nanoseconds) ns")
        }
        add("arguments", Self.short(claims.arguments.digest))
        add("kernel", claims.kernel.release.escapedForDisplay())
        add("build id", claims.kernel.buildID.escapedForDisplay())
        add("BTF", Self.short(claims.kernel.btfDigest))
        add("rules", Self.short(claims.rulesDigest))
        add("verifier", "\(claims.verifier.id.escapedForDisplay()) \(claims.verifier.version.escapedForDisplay())")
        if let keyID = claims.verifier.keyID { add("verifier's key", Self.short(keyID)) }
        if let effort = claims.effort { add("effort", effort.rawValue) }
        add(
            "holder",
            claims.holder.map { "\($0.name.escapedForDisplay()) (uid \($0.userID))" } ?? "anyone who may deploy")
        add("issued", Self.time(claims.issuedAt))
        add("expires", Self.time(claims.expiresAt))
        add("nonce", claims.nonce.escapedForDisplay())
        for signature in signatures { add("signed by", Self.signer(signature.keyID, keys)) }
        self.lines = lines
    }

    private static func short(_ digest: String) -> String { digest.escapedForDisplay(limit: 16) }

    private static func time(_ seconds: Int64) -> String { UTC.text(seconds) ?? "\(seconds) s after 1970" }

    private static func signer(_ keyID: String, _ keys: [VerifierKey]) -> String {
        let id = keyID.isEmpty ? "a key without an id" : short(keyID)
        return keys.first { $0.keyID == keyID }.map { "\(id) (\($0.name.escapedForDisplay()))" } ?? id
    }

    /// One line each, the values below each other.
    package var text: String {
        let width = lines.map(\.label.count).max() ?? 0
        return lines.map { line in
            line.label + String(repeating: " ", count: width - line.label.count) + "  " + line.value + "\n"
        }.joined()
    }
}
