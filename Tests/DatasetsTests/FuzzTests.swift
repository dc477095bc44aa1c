import Datasets
import Foundation
import TestSupport
import Testing

/// Damaged files are read or refused by name; never a crash, never more memory than allowed.
@Suite struct FuzzTests {
    @Test func damagedArchives() throws {
        let originals = [
            tar([("a/b", Data([1, 2, 3])), ("c", Data(count: 600))]), tar([("d", Data())]), Data(count: 1024),
        ]
        let fault = fuzz(originals, tokens: ["ustar", "00000000010", "77777777777"], rounds: 5000) { data in
            let archive = try TarArchive(data, named: "x-tar")
            #expect(archive.files.values.reduce(0) { $0 + $1.count } <= data.count)
        } allows: {
            ($0 as? DatasetError)?.message.hasPrefix("x-tar") == true
        }
        #expect(fault == nil)
    }

    @Test func damagedIDX() throws {
        let originals = [
            idx([2, 1, 3], [1, 2, 3, 4, 5, 255]), idx([3], [7, 8, 9]), idx([0], [], type: 0x0E),
            idx([1, 2], Array(repeating: 1, count: 16), type: 0x0E),
        ]
        let fault = fuzz(originals + originals.map { gzipped($0) }, rounds: 5000) { data in
            let file = try IDXFile(data: data, named: "x-idx", limit: 1 << 20)
            #expect(file.floats().count == file.shape.reduce(1, *))
            #expect(file.bytes.count <= 1 << 20)
        } allows: {
            ($0 as? DatasetError)?.message.hasPrefix("x-idx") == true
        }
        #expect(fault == nil)
    }
}
