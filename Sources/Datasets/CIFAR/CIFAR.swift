import Foundation

extension DatasetEntry {
    /// Small colour photographs in 10 classes, 50,000 + 10,000 images of 32×32.
    ///
    /// Taken from `cifar-10/cifar-10-binary.tar.gz` or the unpacked `cifar-10/cifar-10-batches-bin/*.bin` below a folder
    /// of `PEO_DATA`, of which only the structure is checked; or downloaded. Means and deviations are those of the
    /// training part.
    ///
    /// Source: A. Krizhevsky (2009), *Learning Multiple Layers of Features from Tiny Images*.
    public static let cifar10 = cifar(
        "cifar-10", "photographs in 10 classes, 32×32 colour",
        classes: [
            "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
        ],
        scales: [(0.4914, 0.2470), (0.4822, 0.2435), (0.4465, 0.2616)],
        file: (
            "cifar-10-binary.tar.gz", 170_052_171, "c32a1d4ab5d03f1284b67883e8d87530",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
        ),
        images: CIFARImages(
            folder: "cifar-10-batches-bin", trainFiles: (1...5).map { "data_batch_\($0).bin" },
            testFile: "test_batch.bin", labels: 1))

    /// Small colour photographs in 100 classes (the fine labels), 50,000 + 10,000 images of 32×32.
    ///
    /// As ``cifar10``, below `cifar-100/cifar-100-binary`.
    public static let cifar100 = cifar(
        "cifar-100", "photographs in 100 classes, 32×32 colour", classes: fineClasses,
        scales: [(0.5071, 0.2673), (0.4865, 0.2564), (0.4409, 0.2762)],
        file: (
            "cifar-100-binary.tar.gz", 168_513_733, "03b5dce01913d631647c71ecec9e9cb8",
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"
        ),
        images: CIFARImages(
            folder: "cifar-100-binary", trainFiles: ["train.bin"], testFile: "test.bin", labels: 2))

    private static func cifar(
        _ name: String, _ summary: String, classes: [String], scales: [(mean: Float, deviation: Float)],
        file: (name: String, byteCount: Int, md5: String, sha256: String), images: CIFARImages
    ) -> DatasetEntry {
        DatasetEntry(
            name: name, summary: summary, inputShape: [3, 32, 32], classNames: classes, trainCount: 50_000,
            testCount: 10_000,
            scales: scales.map { PixelScale(maximum: 255, mean: $0.mean, deviation: $0.deviation) },
            source: "Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images",
            licence: "none stated; for research",
            files: [
                RemoteFile(
                    name: file.name,
                    addresses: [URL(string: "https://www.cs.toronto.edu/~kriz/\(file.name)")!],
                    byteCount: file.byteCount, md5: file.md5, sha256: file.sha256)
            ], alternatives: images.alternatives(of: name), load: images.load)
    }

    private static let fineClasses = [
        "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
        "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
        "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
        "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo",
        "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree",
        "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree",
        "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine", "possum", "rabbit",
        "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper",
        "snail", "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank",
        "telephone", "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe",
        "whale", "willow_tree", "wolf", "woman", "worm",
    ]
}
