extension DatasetEntry {
    /// Handwritten digits, 60,000 + 10,000 images of 28×28.
    ///
    /// Source: Y. LeCun, C. Cortes, C. Burges (1998), *The MNIST database of handwritten digits*. The MD5
    /// sums are the ones that torchvision checks.
    public static let mnist = DatasetEntry(
        name: "mnist", summary: "handwritten digits, 28×28 grey", inputShape: [1, 28, 28],
        classNames: (0...9).map(String.init), trainCount: 60_000, testCount: 10_000,
        scale: PixelScale(maximum: 255, mean: 0.1307, deviation: 0.3081),
        source: "LeCun, Cortes and Burges (1998), The MNIST database of handwritten digits",
        licence: "CC BY-SA 3.0",
        files: IDXImages.files(
            below: [
                "https://storage.googleapis.com/cvdf-datasets/mnist",
                "https://ossci-datasets.s3.amazonaws.com/mnist",
            ],
            [
                (
                    9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
                ),
                (
                    28_881, "d53e105ee54ea40749a09fcbcd1e9432",
                    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
                ),
                (
                    1_648_877, "9fb629c4189551a2d022fa330f9573f3",
                    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
                ),
                (
                    4542, "ec29112dd5afa0611ce80d1b7f02629c",
                    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
                ),
            ]),
        load: IDXImages.load)
}
