extension AccessRules {
    /// What is in force where no file is: everyone may look, root may do the rest.
    package static let builtInText = """
        version 1
        operation hello              needs none              in greeting
        operation cancel             needs look              in serving
        operation status             needs look              in serving
        operation list               needs look              in serving
        operation show               needs look              in serving
        operation history            needs look              in serving
        operation events             needs look              in serving
        operation doctor             needs look              in serving
        operation whoami             needs none              in serving
        operation explain            needs look              in serving
        operation attest             needs verify            in serving
        operation verify             needs verify            in serving
        operation deploy             needs deploy            in serving
        operation deploy-unverified  needs deploy-unverified in serving
        operation takeover           needs takeover          in serving
        operation rollback           needs rollback          in serving
        operation audit              needs audit             in serving
        operation quarantine         needs look              in serving
        operation quarantine-release needs release           in serving
        operation rules-reload       needs manage            in serving
        operation keys               needs look              in serving
        operation key-rotate         needs manage            in serving
        operation key-revoke         needs manage            in serving
        operation attest-revoke      needs manage            in serving
        operation search             needs look              in serving
        operation entries            needs look              in serving
        operation entry              needs look              in serving
        operation entry-export       needs look              in serving
        operation antipatterns       needs look              in serving
        operation entry-import       needs contribute        in serving
        operation outcome            needs contribute        in serving
        operation antipattern        needs contribute        in serving
        operation tuning             needs look              in serving
        operation view               needs look              in serving
        operation tune               needs deploy            in serving
        role observer
          grants look
        role admin
          includes observer
          grants verify deploy deploy-unverified takeover rollback audit release manage contribute
          requests-per-second unlimited
          connections 512
          streams 64
          verifications 4
          object-bytes 6291456
          source-bytes 1048576
          effort quick
          cpu-seconds-per-hour 36000
          cost-per-hour 1000
          changes-per-hour 20000
          kernel-functions any
          helpers any
          map-types any
          user-memory yes
        bind user 0 to admin
        bind everyone to observer
        attestation requires origin|compile static kernel dynamic
        unverified allowed
        verifier local socket /run/schedcp/verify.sock

        """

    package static let builtIn: AccessRules = {
        // A test reads the text above; were it wrong all the same, nobody would have a role.
        read(Array(builtInText.utf8)) { _ in nil }.rules ?? AccessRules(RulesParser { _ in nil })
    }()
}
