// swift-tools-version: 6.2
import PackageDescription

// Where libtorch is. `scripts/bootstrap` makes `.libtorch` a link to it. Flags that name a directory
// are "unsafe" to SwiftPM, which refuses them in a package that another one depends on by version; such
// a checkout gets none, and its user passes what `scripts/libtorch-flags` prints (see the README).
let isDependencyByVersion = Context.packageDirectory.contains("/checkouts/")
let libtorch = Context.packageDirectory + "/.libtorch"

// `PEO_CORE_ONLY=1` leaves out every target that needs libtorch or a third-party package, so that
// `swift test` runs on a machine that has neither.
let coreOnly = Context.environment["PEO_CORE_ONLY"] == "1"

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]
let torchHeaders: [CXXSetting] =
    isDependencyByVersion
    ? []
    : [
        .unsafeFlags([
            "-isystem", "\(libtorch)/include",
            "-isystem", "\(libtorch)/include/torch/csrc/api/include",
        ])
    ]
let torchLibraries: [LinkerSetting] =
    (isDependencyByVersion
        ? [] : [.unsafeFlags(["-L\(libtorch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(libtorch)/lib"])])
    + [.linkedLibrary("torch_cpu"), .linkedLibrary("c10"), .linkedLibrary("gomp")]

func library(
    _ name: String, _ dependencies: [Target.Dependency] = [], excluding: [String] = [],
    embedding: [String] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, exclude: excluding,
        resources: embedding.isEmpty ? nil : embedding.map { .embedInCode($0) }, swiftSettings: strict)
}

func tests(
    of name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil
) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies, resources: resources,
        swiftSettings: strict)
}

let core: [Target] = [
    .target(
        name: "CPerturbationKernels",
        cSettings: [.treatAllWarnings(as: .error)],
        linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
    library("Safetensors"),
    library("PerturbedEquations", ["CPerturbationKernels", "Safetensors"]),
    library("Environments", ["PerturbedEquations"]),
    library("Statistics", ["PerturbedEquations"]),
    library("PosteriorSampling", ["PerturbedEquations", "Safetensors", "Statistics"]),
    .executableTarget(
        name: "CustomPosterior", dependencies: ["PosteriorSampling"], path: "Examples/CustomPosterior",
        swiftSettings: strict),
    .executableTarget(
        name: "CustomEnvironment", dependencies: ["Environments"], path: "Examples/CustomEnvironment",
        swiftSettings: strict),
    .executableTarget(
        name: "CustomPerturbation", dependencies: ["PerturbedEquations"], path: "Examples/CustomPerturbation",
        swiftSettings: strict),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    tests(of: "Safetensors", ["TestSupport"]),
    tests(of: "PerturbedEquations", ["CPerturbationKernels", "Safetensors", "TestSupport"]),
    tests(of: "Environments", ["PerturbedEquations", "TestSupport"]),
    tests(of: "PosteriorSampling", ["PerturbedEquations", "Safetensors", "Statistics", "TestSupport"]),
]

let torch: [Target] = [
    .target(
        name: "CTorchBridge",
        cxxSettings: torchHeaders + [.treatAllWarnings(as: .error)],
        linkerSettings: torchLibraries),
    library("Torch", ["CTorchBridge"]),
    library("Tokenizers", ["Safetensors"]),
    library("TorchNN", ["Torch", "Safetensors"]),
    library("PerturbedTorch", ["PerturbedEquations", "Torch", "TorchNN", "CTorchBridge", "Safetensors"]),
    .systemLibrary(
        name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
    .target(
        name: "CImageFiles", dependencies: ["CPNG", "CJPEG"], cSettings: [.treatAllWarnings(as: .error)],
        linkerSettings: [.linkedLibrary("png"), .linkedLibrary("jpeg")]),
    library(
        "Datasets",
        [
            "PerturbedEquations", "Safetensors", "Tokenizers", "CImageFiles", "CZlib",
            .product(name: "Crypto", package: "swift-crypto"),
        ]),
    library(
        "Models",
        [
            "PerturbedEquations", "Datasets", "Safetensors", "Torch", "TorchNN",
            .product(name: "Crypto", package: "swift-crypto"),
        ]),
    library(
        "Training",
        [
            "PerturbedTorch", "TorchNN", "Datasets", "Models", "Safetensors",
            .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            .product(name: "Crypto", package: "swift-crypto"),
        ],
        excluding: ["TensorBoard/event.proto"]),
    library(
        "ReinforcementLearning",
        [
            "Environments", "PerturbedEquations", "Safetensors", "PerturbedTorch", "Statistics", "Torch",
            "TorchNN", "Training",
        ]),
    library(
        "BayesianLearning",
        [
            "PosteriorSampling", "PerturbedEquations", "Safetensors", "PerturbedTorch", "Statistics", "Torch",
            "TorchNN", "Training", "Models", "Datasets",
        ]),
    library(
        "Experiments",
        [
            "Training", "Statistics", "Models", "Datasets", "Environments", "ReinforcementLearning",
            "PosteriorSampling", "BayesianLearning", "PerturbedEquations",
            .product(name: "Yams", package: "Yams"),
            .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "Crypto", package: "swift-crypto"),
        ],
        embedding: ["Report/Page/report.css", "Report/Page/report.js"]),
    .executableTarget(
        name: "peo",
        dependencies: [
            "Experiments", "Training", "Datasets", "Environments", "ReinforcementLearning",
            "PosteriorSampling", "BayesianLearning", "PerturbedTorch", "Statistics", "Tokenizers", "Torch",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ],
        swiftSettings: strict),
    .executableTarget(
        name: "CustomModel",
        dependencies: ["Training", "Datasets", "PerturbedEquations", "Torch", "TorchNN"],
        path: "Examples/CustomModel", swiftSettings: strict),
    tests(of: "Torch", ["TestSupport"]),
    // Not of the core: Hugging Face's tokenizers, which they are compared with, come with the bootstrapped Python.
    tests(of: "Tokenizers", ["TestSupport", "Safetensors"]),
    tests(of: "TorchNN", ["TestSupport", "Safetensors"]),
    tests(of: "PerturbedTorch", ["PerturbedEquations", "TestSupport", "Safetensors"]),
    tests(
        of: "Datasets",
        [
            "TestSupport", "CZlib", "Safetensors", "Tokenizers",
            .product(name: "Crypto", package: "swift-crypto"),
        ]),
    tests(of: "Models", ["TestSupport", "TorchNN", "Torch", "Datasets", "Safetensors"]),
    tests(
        of: "Training",
        [
            "TestSupport", "Safetensors", "PerturbedEquations", "PerturbedTorch", "Datasets", "Models",
            "TorchNN",
            "Torch",
        ]),
    tests(
        of: "ReinforcementLearning",
        [
            "Environments", "PerturbedEquations", "PerturbedTorch", "Torch", "TorchNN", "Training",
            "Experiments",
            "Safetensors", "TestSupport",
        ]),
    tests(
        of: "BayesianLearning",
        [
            "PosteriorSampling", "PerturbedEquations", "Statistics", "Datasets", "Models", "Torch", "TorchNN",
            "Training", "Safetensors", "TestSupport",
        ]),
    tests(of: "Statistics", ["PerturbedEquations", "TestSupport"]),
    tests(of: "Experiments", ["TestSupport", "PerturbedEquations", "Training"]),
    .testTarget(
        name: "CommandTests", dependencies: ["TestSupport", "peo", "Safetensors"], swiftSettings: strict),
]

let package = Package(
    name: "PEO",
    products: [
        .library(name: "PerturbedEquations", targets: ["PerturbedEquations"]),
        .library(name: "PEOEnvironments", targets: ["Environments"]),
        .library(name: "PEOSampling", targets: ["PosteriorSampling", "Statistics"]),
    ]
        + (coreOnly
            ? []
            : [
                .library(name: "PerturbedTorch", targets: ["PerturbedTorch", "TorchNN", "Torch"]),
                .library(name: "PEOTraining", targets: ["Training", "Models", "Datasets", "Experiments"]),
                .library(
                    name: "PEOReinforcementLearning", targets: ["ReinforcementLearning", "Environments"]),
                .executable(name: "peo", targets: ["peo"]),
            ]),
    dependencies: coreOnly
        ? []
        : [
            .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
            .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
            .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
            .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
            .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        ],
    targets: core + (coreOnly ? [] : torch),
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx20
)
