/// The kernel that a candidate is verified for.
package struct TargetKernel: Hashable, Sendable {
    /// A bootable image; nil where only the running kernel's types are known.
    package var image: String?
    /// As `uname -r` says it.
    package var release: String
    /// GNU build id, lower-case hex; empty where unknown.
    package var buildID: String
    /// Whole, as in /sys/kernel/btf/vmlinux.
    package var btf: [UInt8]
    /// SHA-256 of `btf` and of the image, lower-case hex; the latter empty where there is none.
    package var btfDigest: String
    package var imageDigest: String
    /// `vmlinux.h`.
    package var typesHeader: [UInt8]

    package init(
        image: String?, release: String, buildID: String, btf: [UInt8], btfDigest: String, imageDigest: String,
        typesHeader: [UInt8]
    ) {
        self.image = image
        self.release = release
        self.buildID = buildID
        self.btf = btf
        self.btfDigest = btfDigest
        self.imageDigest = imageDigest
        self.typesHeader = typesHeader
    }

    package var verified: VerifiedKernel {
        VerifiedKernel(release: release, buildID: buildID, btfDigest: btfDigest, image: image ?? "")
    }
}
