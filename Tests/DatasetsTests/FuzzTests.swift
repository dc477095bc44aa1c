import Datasets
import Foundation
import TestSupport
import Testing

/// Damaged files are read or refused by name; never a crash, never more memory than allowed.
@Suite struct FuzzTests {
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
