extension DatasetEntry {
    /// Articles of clothing, 60,000 + 10,000 images of 28×28.
    ///
    /// Source: H. Xiao, K. Rasul, R. Vollgraf (2017), *Fashion-MNIST: a Novel Image Dataset for
    /// Benchmarking Machine Learning Algorithms*. The MD5 sums are the published ones.
    public static let fashionMNIST = DatasetEntry(
        name: "fashion-mnist", summary: "articles of clothing, 28×28 grey", inputShape: [1, 28, 28],
        classNames: [
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
            "Ankle boot",
        ],
        trainCount: 60_000, testCount: 10_000,
        scale: PixelScale(maximum: 255, mean: 0.2860, deviation: 0.3530),
        source: "Xiao, Rasul and Vollgraf (2017), Fashion-MNIST, arXiv:1708.07747", licence: "MIT",
        files: IDXImages.files(
            below: [
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
            ],
            [
                (
                    26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
                ),
                (
                    29_515, "25c81989df183df01b3e8a0aad5dffbe",
                    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
                ),
                (
                    4_422_102, "bef4ecab320f06d8554ea6380940ec79",
                    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
                ),
                (
                    5148, "bb300cfdad3c16e7a12a480ee83cd310",
                    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
                ),
            ]),
        load: IDXImages.load)
}
