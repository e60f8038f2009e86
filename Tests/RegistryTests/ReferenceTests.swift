import Exchange
import Foundation
import Model
import RegistrySupport
import TestSupport
import Testing
import Web

@testable import Registry

/// Names of places, accounts in files, addresses.
@Suite(.timeLimit(.minutes(10))) struct ReferenceTests {
    private static let digest = "sha256:" + String(repeating: "ab", count: 32)

    @Test func goodReferencesAreRead() throws {
        let cases: [(text: String, registry: String, repository: String, tag: String?)] = [
            ("registry.example/fifo", "registry.example", "fifo", nil),
            ("registry.example:5000/team/fifo:1.0.0", "registry.example:5000", "team/fifo", "1.0.0"),
            ("localhost/fifo:latest", "localhost", "fifo", "latest"),
            ("127.0.0.1:5000/a/b/c__d-e.f", "127.0.0.1:5000", "a/b/c__d-e.f", nil),
            ("[::1]:5000/x:_y", "[::1]:5000", "x", "_y"),
        ]
        for one in cases {
            let read = try RegistryReference(one.text)
            #expect(read.registry == one.registry && read.repository == one.repository && read.tag == one.tag)
            #expect(read.description == one.text && read.digest == nil)
            let pinned = try RegistryReference(one.text + "@" + Self.digest)
            #expect(pinned.digest?.description == Self.digest && pinned.tag == one.tag)
        }
        #expect(
            try RegistryReference("registry.example/x").address(plain: false).description
                == "https://registry.example/v2/")
        #expect(
            try RegistryReference("registry.example/x").address(plain: true).description
                == "http://registry.example/v2/")
        for local in ["localhost:5000", "127.0.0.1", "127.3.2.1:80", "[::1]:5000"] {
            #expect(try RegistryReference(local + "/x").address(plain: false).isEncrypted == false)
        }
        for far in ["localhost.example", "128.0.0.1", "127.0.0.1.example", "127.0.0"] {
            #expect(try RegistryReference(far + "/x").address(plain: false).isEncrypted)
        }
    }

    @Test(arguments: [
        "", "fifo", "team/fifo", "registry.example", "registry.example/", "registry.example/Fifo",
        "registry.example/../x",
        "registry.example/x:", "registry.example/x:a b", "registry.example/x@sha256:1", "registry.example/x@",
        "registry.example//x", "registry.example/x/", "https://registry.example/x", "user@registry.example/x",
        "registry.example:port/x", "registry.example/x?y", "registry.example/x#y", "regis try.example/x",
        "-x.example/y",
        "registry.example/x:" + String(repeating: "a", count: 129), "registry.example/x%2e", "\u{0}.example/x",
        "registry.example/" + String(repeating: "a", count: 600),
    ])
    func badReferencesAreRefused(_ text: String) {
        #expect(throws: Failure.self) { try RegistryReference(text) }
    }

    @Test func accountsAreFoundInFiles() throws {
        let folder = try TemporaryFolder()
        let home = ["HOME": folder.path("home"), "XDG_RUNTIME_DIR": folder.path("run")]
        let find = { (text: String) throws(Failure) in
            try CredentialFiles(for: try RegistryReference(text), environment: home)
        }
        #expect(try find("registry.example/x").credentials == nil)
        func entry(_ name: String, _ user: String) -> String {
            "\"\(name)\":{\"auth\":\"\(Data("\(user):pass:word".utf8).base64EncodedString())\"}"
        }
        try folder.write(
            "{\"auths\":{\(entry("registry.example", "docker")),\(entry("https://old.example/v1/", "old"))},\"credsStore\":\"secret\"}",
            to: "home/.docker/config.json")
        #expect(
            try find("registry.example/x").credentials
                == RegistryCredentials(user: "docker", password: "pass:word", isGiven: false))
        #expect(try find("old.example/x").credentials?.user == "old")
        #expect(try find("none.example/x").credentials == nil)
        #expect(try find("none.example/x").helper == "secret")
        try folder.write(
            "{\"auths\":{\(entry("registry.example", "podman")),\(entry("registry.example/team", "team")),\"empty.example\":{}}}",
            to: "run/containers/auth.json")
        #expect(try find("registry.example/x").credentials?.user == "podman")
        #expect(try find("registry.example/team/x").credentials?.user == "team")
        #expect(try find("registry.example/teamx/x").credentials?.user == "podman")
        #expect(try find("empty.example/x").credentials == nil)
        for bad in [
            "", "{", "[]", "{\"auths\":{\"registry.example\":{\"auth\":\"?\"}}}",
            "{\"auths\":{\"registry.example\":{\"auth\":\"YWJj\"}}}",
        ] {
            try folder.write(bad, to: "run/containers/auth.json")
            #expect(throws: Failure.self) { try find("registry.example/x") }
        }
        try folder.write([UInt8](repeating: 0x20, count: 2 << 20), to: "run/containers/auth.json")
        #expect(throws: Failure.self) { try find("registry.example/x") }
    }

    @Test func aKeptAccountIsNotShownWithoutEncryption() throws {
        let kept = RegistryClient.Accounts(credentials: RegistryCredentials(user: "a", password: "b", isGiven: false))
        let given = RegistryClient.Accounts(credentials: RegistryCredentials(user: "a", password: "b"))
        for (address, isShown) in [
            ("https://registry.example/v2/", true), ("http://localhost:5000/v2/", true),
            ("http://registry.example/v2/", false),
        ] {
            #expect((kept.fitting(try WebAddress(address)).credentials != nil) == isShown)
            #expect(given.fitting(try WebAddress(address)).credentials != nil)
        }
    }

    @Test func addressesAreRead() throws {
        let base = try WebAddress("https://A.example:8443/v2/x?q=1")
        #expect(base.host == "a.example" && base.port == 8443 && base.isEncrypted)
        #expect(base.description == "https://A.example:8443/v2/x")
        #expect(try base.resolving("/y?z").text == "https://A.example:8443/y?z")
        #expect(try base.resolving("//b.example/y").host == "b.example")
        #expect(try base.adding(query: [("a b", "c&d=/é")]).text.hasSuffix("?q=1&a%20b=c%26d%3D%2F%C3%A9"))
        #expect(try WebAddress("http://[::1]:5/").isLoopback)
        #expect(!(try WebAddress("http://127.0.0.1.example/").isLoopback))
        #expect(try WebAddress("https://a.example/").hasSameOrigin(as: try WebAddress("https://a.example:443/b")))
        #expect(!(try WebAddress("https://a.example/").hasSameOrigin(as: try WebAddress("http://a.example:443/b"))))
        for bad in [
            "", "a.example", "https://", "https:///x", "gopher://a/", "https://a b/", "https://u@a.example/",
            "https://a\u{0}/", "javascript:x",
        ] {
            #expect(throws: Failure.self, "\(bad)") { try WebAddress(bad) }
        }
    }
}
