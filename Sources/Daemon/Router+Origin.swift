import Access
import Attestation
import Model
import Repository
import Wire

/// Where a candidate's object comes from, as its attestation states it.
extension Router {
    /// Where an object comes from: what root has installed, or what somebody vouches for who may deploy it unverified. Source has
    /// the compiler's stage instead.
    func origin(
        _ wish: VerificationWish, _ session: Session
    ) async throws(Failure) -> AttestationDesk.Finding? {
        switch wish.source {
        case .name(let name):
            let policy = try entry(name).policy
            return .init(
                stage: "origin", verdict: .passed,
                evidence: "installed on this machine as \(policy.name) \(policy.version), artifact \(policy.artifact)")
        case .code, nil: return nil
        case .artifact:
            throw Failure(.invalidArgument, "an artifact that is stored here was verified already")
        case .entry(_, _, let attestations):
            if let finding = try await vouched(attestations, session) { return finding }
            return try vouching(wish, session)
        case .object: return try vouching(wish, session)
        }
    }

    /// What a machine whose key is trusted here has compiled, or vouched for, is as good as installed; it is verified all the same.
    private func vouched(
        _ attestations: [EntryAttestation], _ session: Session
    ) async throws(Failure) -> AttestationDesk.Finding? {
        let check = try await statementCheck(session.rules.rules)
        for attestation in attestations {
            guard let statement = try? check.read(attestation.envelope), let signer = statement.timely.first,
                AttestationCheck.missingStage(["origin|compile"], in: statement.claims.stages) == nil
            else { continue }
            return .init(
                stage: "origin", verdict: .passed,
                evidence:
                    "attested by \(signer.name.escapedForDisplay(limit: 64)) (\(attestation.digest.prefix(16))…)"
            )
        }
        return nil
    }

    /// A raw object, for which somebody has to answer.
    private func vouching(_ wish: VerificationWish, _ session: Session) throws(Failure) -> AttestationDesk.Finding {
        let rules = session.rules.rules
        guard rules.decide(session.assignment, .deployUnverified, in: .serving).isAllowed, rules.unverifiedAllowed
        else {
            throw Failure(
                .denied, "a raw object file is verified only for those who may deploy one unverified",
                hint: "send its source, have it installed, or ask an administrator")
        }
        let reason = wish.reason.trimmed
        guard !reason.isEmpty, reason.utf8.count <= 500 else {
            throw Failure(.invalidArgument, "vouching for a raw object needs a reason, of at most 500 bytes")
        }
        let who = session.actor.user.escapedForDisplay(limit: 64)
        return .init(
            stage: "origin", verdict: .passed,
            evidence: "vouched for by \(who) (uid \(session.actor.uid)): \(reason.escapedForDisplay())")
    }
}
