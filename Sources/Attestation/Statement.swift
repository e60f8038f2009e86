import Model

/// Claims as an in-toto Statement v1, and back. See docs/attestations.md for the fields.
enum Statement {
    static let type = "https://in-toto.io/Statement/v1"
    static let predicateType = "https://schedcp.dev/attestation/verification/v1"

    static func encode(_ claims: AttestationClaims) -> [UInt8] {
        JSON.object([
            "_type": .string(type),
            "subject": .array([
                .object(["name": .string(claims.artifactName), "digest": .object(["sha256": .string(claims.artifact)])])
            ]),
            "predicateType": .string(predicateType),
            "predicate": predicate(claims),
        ]).encoded
    }

    private static func predicate(_ claims: AttestationClaims) -> JSON {
        var members: [String: JSON] = [
            "stages": .array(claims.stages.map(stage)),
            "arguments": arguments(claims.arguments),
            "kernel": .object([
                "release": .string(claims.kernel.release), "buildId": .string(claims.kernel.buildID),
                "btfDigest": .string(claims.kernel.btfDigest),
            ]),
            "rulesDigest": .string(claims.rulesDigest),
            "verifier": verifier(claims.verifier),
            "issuedAt": time(claims.issuedAt),
            "expiresAt": time(claims.expiresAt),
            "nonce": .string(claims.nonce),
        ]
        if let effort = claims.effort { members["effort"] = .string(effort.rawValue) }
        if let holder = claims.holder {
            members["holder"] = .object(["userId": .integer(Int64(holder.userID)), "name": .string(holder.name)])
        }
        return .object(members)
    }

    private static func verifier(_ verifier: VerifierIdentity) -> JSON {
        var members: [String: JSON] = ["id": .string(verifier.id), "version": .string(verifier.version)]
        if let keyID = verifier.keyID { members["keyId"] = .string(keyID) }
        return .object(members)
    }

    private static func stage(_ stage: AttestedStage) -> JSON {
        .object([
            "name": .string(stage.name), "verdict": .string(stage.verdict.rawValue),
            "evidence": .string(stage.evidence),
        ])
    }

    private static func arguments(_ arguments: AttestedArguments) -> JSON {
        .object([
            "parameters": .array(
                arguments.parameters.map { .object(["name": .string($0.name), "value": .string($0.value)]) }),
            // 64-bit numbers as text: many readers of JSON keep 53 bits of a number.
            "hints": .array(
                arguments.hints.map {
                    .object([
                        "kind": .string($0.kind.rawValue), "key": .string($0.key),
                        "nanoseconds": .string(String($0.nanoseconds)),
                    ])
                }),
        ])
    }

    /// A time that cannot be written becomes null, which no reader takes.
    private static func time(_ seconds: Int64) -> JSON { UTC.text(seconds).map { .string($0) } ?? .null }
}

extension Statement {
    /// Checks the form of every field; what the claims are worth is `AttestationCheck`'s question.
    static func decode(_ bytes: [UInt8]) throws(Refusal) -> AttestationClaims {
        var statement = try Fields(try JSONReader.parse(bytes), at: "")
        let type = try statement.text("_type", 0...1024)
        guard type.utf8.elementsEqual(Self.type.utf8) else { throw .wrongStatementType(type) }
        let predicateType = try statement.text("predicateType", 0...1024)
        guard predicateType.utf8.elementsEqual(Self.predicateType.utf8) else {
            throw .wrongPredicateType(predicateType)
        }
        let subject = try subject(try statement.array("subject"))
        var fields = try statement.object("predicate")
        try statement.finish()

        let claims = AttestationClaims(
            artifactName: subject.name, artifact: subject.digest, stages: try stages(try fields.array("stages")),
            arguments: try arguments(try fields.object("arguments")), kernel: try kernel(try fields.object("kernel")),
            rulesDigest: try fields.digest("rulesDigest"), verifier: try verifier(try fields.object("verifier")),
            effort: fields.has("effort") ? try effort(try fields.name("effort")) : nil,
            holder: fields.has("holder") ? try holder(try fields.object("holder")) : nil,
            issuedAt: try fields.time("issuedAt"), expiresAt: try fields.time("expiresAt"),
            nonce: try fields.hex("nonce", digits: AttestationClaims.nonceBytes * 2))
        try fields.finish()
        guard claims.issuedAt < claims.expiresAt else { throw .badField("predicate.expiresAt") }
        return claims
    }

    private static func subject(_ subjects: [JSON]) throws(Refusal) -> (name: String, digest: String) {
        guard let first = subjects.first else { throw .noSubject }
        guard subjects.count == 1 else { throw .manySubjects(subjects.count) }
        var subject = try Fields(first, at: "subject")
        var digests = try subject.object("digest")
        let digest = try digests.digest("sha256")
        let name = try subject.name("name")
        try digests.finish()
        try subject.finish()
        return (name, digest)
    }

    private static func stages(_ elements: [JSON]) throws(Refusal) -> [AttestedStage] {
        guard elements.count <= AttestationClaims.maxStages else { throw .badField("predicate.stages") }
        var stages: [AttestedStage] = []
        for element in elements {
            var fields = try Fields(element, at: "predicate.stages")
            let name = try fields.name("name")
            guard let verdict = AttestedStage.Verdict(rawValue: try fields.name("verdict")) else {
                throw .badField("predicate.stages.verdict")
            }
            // A second verdict on one stage would leave open which counts.
            guard !stages.contains(where: { $0.name == name }) else { throw .badField("predicate.stages.name") }
            stages.append(AttestedStage(name: name, verdict: verdict, evidence: try fields.digest("evidence")))
            try fields.finish()
        }
        return stages
    }

    private static func arguments(_ given: Fields) throws(Refusal) -> AttestedArguments {
        var given = given
        var parameters: [Setting] = []
        for element in try given.array("parameters") {
            var fields = try Fields(element, at: "predicate.arguments.parameters")
            parameters.append(
                Setting(
                    name: try fields.name("name"),
                    value: try fields.text("value", 0...AttestedArguments.maxValueBytes)))
            try fields.finish()
        }
        var hints: [Hint] = []
        for element in try given.array("hints") {
            hints.append(try hint(element))
        }
        try given.finish()
        do { return try AttestedArguments(parameters: parameters, hints: hints) } catch {
            throw .badField("predicate.arguments")
        }
    }

    private static func hint(_ element: JSON) throws(Refusal) -> Hint {
        let place = "predicate.arguments.hints"
        var fields = try Fields(element, at: place)
        guard let kind = Hint.Kind(rawValue: try fields.name("kind")) else { throw .badField("\(place).kind") }
        let key = try fields.text("key", 1...Hint.maxPathBytes)
        let text = try fields.text("nanoseconds", 1...20)
        guard let nanoseconds = UInt64(text), String(nanoseconds) == text else {
            throw .badField("\(place).nanoseconds")
        }
        try fields.finish()
        do { return try Hint(kind: kind, key: key, nanoseconds: nanoseconds) } catch { throw .badField("\(place).key") }
    }

    private static func kernel(_ given: Fields) throws(Refusal) -> KernelIdentity {
        var fields = given
        let buildID = try fields.name("buildId")
        let bytes = buildID.utf8.count / 2
        guard KernelIdentity.buildIDBytes.contains(bytes), Hex.isHex(buildID, digits: bytes * 2) else {
            throw .badField("predicate.kernel.buildId")
        }
        let kernel = KernelIdentity(
            release: try fields.name("release"), buildID: buildID, btfDigest: try fields.digest("btfDigest"))
        try fields.finish()
        return kernel
    }

    private static func verifier(_ given: Fields) throws(Refusal) -> VerifierIdentity {
        var fields = given
        let verifier = VerifierIdentity(
            id: try fields.name("id"), version: try fields.name("version"),
            keyID: fields.has("keyId") ? try fields.digest("keyId") : nil)
        try fields.finish()
        return verifier
    }

    private static func effort(_ word: String) throws(Refusal) -> Effort {
        guard let effort = Effort(rawValue: word) else { throw .badField("predicate.effort") }
        return effort
    }

    private static func holder(_ given: Fields) throws(Refusal) -> AttestationHolder {
        var fields = given
        guard let userID = UInt32(exactly: try fields.integer("userId")) else {
            throw .badField("predicate.holder.userId")
        }
        let holder = AttestationHolder(userID: userID, name: try fields.name("name"))
        try fields.finish()
        return holder
    }
}
