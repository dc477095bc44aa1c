import Foundation

extension DatasetEntry {
    /// Adults' incomes from the 1994 census, 32,561 + 16,281 rows of 123 features that are 0 or 1.
    ///
    /// A copy whose labels are written 0 and 1 instead of −1 and +1 is the same data, and is taken for it; so is the copy
    /// that some collections have, which lacks row 19,610 (the only one with feature 123).
    ///
    /// Source: B. Becker, R. Kohavi (1996), *Adult*, UCI Machine Learning Repository, doi:10.24432/C5XW20, licensed under
    /// CC BY 4.0; J. Platt (1998) made the features binary.
    public static let a9a = DatasetEntry(
        name: "a9a", summary: "incomes above 50,000 dollars, 123 binary features", inputShape: [123],
        classNames: ["at most 50K", "above 50K"], trainCount: 32_561, testCount: 16_281, scales: [],
        source:
            "Becker and Kohavi (1996), Adult, UCI Machine Learning Repository, doi:10.24432/C5XW20; binary features: "
            + "Platt (1998), Fast Training of Support Vector Machines; file: LIBSVM Data",
        licence: "CC BY 4.0",
        files: [
            a9aFile(
                "a9a", 2_329_875, md5: "fb3596510d780aaf76a06dc721d49662",
                sha256: "f5d5ffd8d865ff41328e7ee043e4b020816914ff6843ff15b98905ddbedce906"),
            a9aFile(
                "a9a.t", 1_164_628, md5: "f0bb16cf1ee3e80ff560e9d132ee647e",
                sha256: "1f448a153f0320399a7e40836eb207655b0bde0f21fc941cc472193daa9f5de9"),
        ],
        load: { entry, locations in
            let tables = try entry.files.map { file in
                let url = try locations.locate(file, of: entry.name)
                let contents = try LabelledTable.contents(of: url)
                let table = try LabelledTable(libsvm: contents, named: url.path, features: 123)
                try file.verify(withSignedLabels(contents), at: url, of: entry.name, orElse: withoutOneRow)
                return table
            }
            let data = try Dataset(name: entry.name, train: tables[0], test: tables[1])
            return Dataset(
                name: entry.name, inputShape: entry.inputShape, classNames: entry.classNames,
                train: data.train,
                test: data.test)
        })

    /// The SHA-256 of a9a without row 19,610.
    private static let withoutOneRow = "1274108a5fe92fbda8e1b337cebc7a1397ae089020fe0f8f555763920ac3dbeb"

    private static func a9aFile(_ name: String, _ count: Int, md5: String, sha256: String) -> RemoteFile {
        RemoteFile(
            name: name,
            addresses: [
                URL(string: "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/binary/\(name)")!
            ],
            byteCount: count, md5: md5, contentSHA256: sha256)
    }

    /// The text with the labels 0 and 1 written −1 and +1, as published.
    private static func withSignedLabels(_ contents: Data) -> Data {
        var signed = Data(capacity: contents.count + contents.count / 32)
        var isStart = true
        for byte in contents {
            if isStart, byte == UInt8(ascii: "0") {
                signed.append(contentsOf: "-1".utf8)
            } else if isStart, byte == UInt8(ascii: "1") {
                signed.append(contentsOf: "+1".utf8)
            } else {
                signed.append(byte)
            }
            isStart = byte == UInt8(ascii: "\n")
        }
        return signed
    }
}
