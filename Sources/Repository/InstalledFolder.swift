import FoundationEssentials
import Model

/// The folder of installed schedulers. It belongs to root; still, nothing outside it is followed to and every size is bounded.
enum InstalledFolder {
    static func metadataNames(_ folder: String, limit: Int) throws(Failure) -> [String] {
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".toml") }
            return Array(names.sorted().prefix(limit))
        } catch {
            throw Failure(.notFound, "the folder \(folder) cannot be read", hint: "is SchedCP installed completely?")
        }
    }

    static func exists(_ folder: String, _ name: String) -> Bool {
        !name.isEmpty && FileManager.default.fileExists(atPath: folder + "/" + name)
    }

    static func text(_ folder: String, _ name: String, limit: Int) throws(Failure) -> String {
        guard let text = String(validating: try bytes(folder, name, limit: limit), as: UTF8.self) else {
            throw Failure(.invalidArgument, "it is not UTF-8")
        }
        return text
    }

    static func bytes(_ folder: String, _ name: String, limit: Int) throws(Failure) -> [UInt8] {
        let path = folder + "/" + name
        do {
            // The item itself: a link out of the folder or a pipe that never ends is not read.
            let item = try FileManager.default.attributesOfItem(atPath: path)
            guard item[.type] as? FileAttributeType == .typeRegular else {
                throw Failure(.invalidArgument, "\(name) is not a plain file")
            }
            let size = item[.size] as? Int ?? 0
            guard size <= limit else { throw Failure(.invalidArgument, "\(name) is larger than \(limit) bytes") }
            return [UInt8](try Data(contentsOf: URL(filePath: path)))
        } catch let failure as Failure { throw failure } catch {
            throw Failure(.notFound, "\(name) cannot be read")
        }
    }
}
