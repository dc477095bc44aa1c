import Torch

/// A tensor and its name in the module it belongs to, such as `0.weight`.
public struct NamedTensor {
    public var name: String
    public var tensor: Tensor

    public init(_ name: String, _ tensor: Tensor) {
        self.name = name
        self.tensor = tensor
    }
}

/// A child module and its name.
public struct NamedModule {
    public var name: String
    public var module: any Module

    public init(_ name: String, _ module: any Module) {
        self.name = name
        self.module = module
    }
}

/// A function with weights.
///
/// A module has no mode: whether it trains, and its randomness, come with each call in a `ForwardContext`.
/// It lists its weights and children explicitly, in the order and with the names of PyTorch's `state_dict`,
/// so that weights travel both ways.
///
/// ```swift
/// struct Residual: Module {
///     let inner: Linear
///     var children: [NamedModule] { [NamedModule("inner", inner)] }
///     func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
///         x + inner.forward(x, context.entering("inner"))
///     }
/// }
/// ```
public protocol Module {
    func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor

    /// The weights of this module itself, that training changes. None by default.
    var ownParameters: [NamedTensor] { get }
    /// The tensors of this module itself that training does not change by gradients. None by default.
    var ownBuffers: [NamedTensor] { get }
    /// The weights of this module itself that nothing changes: part of the state, not of the training. None by default.
    var ownFrozen: [NamedTensor] { get }
    /// The weights of this module itself that nothing changes and that are kept elsewhere: no part of the state. None by
    /// default.
    var ownUnsaved: [NamedTensor] { get }
    /// None by default.
    var children: [NamedModule] { get }
}

extension Module {
    public var ownParameters: [NamedTensor] { [] }
    public var ownBuffers: [NamedTensor] { [] }
    public var ownFrozen: [NamedTensor] { [] }
    public var ownUnsaved: [NamedTensor] { [] }
    public var children: [NamedModule] { [] }

    /// All weights, by their full names: this module's own first, then its children's.
    public var parameters: [NamedTensor] { collected { $0.ownParameters } }

    /// All buffers, by their full names.
    public var buffers: [NamedTensor] { collected { $0.ownBuffers } }

    /// All weights that nothing changes, by their full names.
    public var frozen: [NamedTensor] { collected { $0.ownFrozen } }

    /// All weights, whether training changes them or not, by their full names.
    public var allWeights: [NamedTensor] { collected { $0.ownParameters + $0.ownFrozen + $0.ownUnsaved } }

    /// All weights and buffers, in the order of PyTorch's `state_dict`.
    public var stateTensors: [NamedTensor] { collected { $0.ownParameters + $0.ownFrozen + $0.ownBuffers } }

    /// The number of weights that training changes, all elements counted.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.tensor.count } }

    /// Whether every weight that training changes is finite.
    public var isFinite: Bool {
        parameters.allSatisfy { named in
            // A sum of squares in float64 is finite exactly if every element is.
            named.tensor.detached().converted(to: .float64).squared().sum().item().isFinite
        }
    }

    /// Moves all weights and buffers to a device, for all who hold them; gradients are removed.
    /// - Throws: `TorchError` for a device that there is not, and where there is no memory.
    public func move(to device: Device) throws(TorchError) {
        for named in allWeights + buffers { try named.tensor.moveInPlace(to: device) }
    }

    /// Gives all weights a type, for all who hold them; gradients are removed. Buffers, such as running statistics, keep
    /// theirs.
    ///
    /// bfloat16 weights take half of float32's memory. The layers of this library compute with them in float32 unless their
    /// inputs are bfloat16, or `withBFloat16Autocast` says so.
    /// - Throws: `TorchError` where there is no memory.
    public func convertWeights(to dtype: DType) throws(TorchError) {
        for named in allWeights { try named.tensor.convertInPlace(to: dtype) }
    }

    /// This module and those in it that are of a type, outermost first.
    public func submodules<Wanted: Module>(of type: Wanted.Type) -> [Wanted] {
        ((self as? Wanted).map { [$0] } ?? []) + children.flatMap { $0.module.submodules(of: type) }
    }

    private func collected(_ own: (any Module) -> [NamedTensor]) -> [NamedTensor] {
        var tensors: [NamedTensor] = []
        collect(own, prefix: "", into: &tensors)
        return tensors
    }

    private func collect(
        _ own: (any Module) -> [NamedTensor], prefix: String, into tensors: inout [NamedTensor]
    ) {
        tensors += own(self).map { NamedTensor(prefix + $0.name, $0.tensor) }
        for child in children {
            child.module.collect(own, prefix: "\(prefix)\(child.name).", into: &tensors)
        }
    }
}

/// Modules one after another; their names are their positions, as in PyTorch.
public struct Sequential: Module {
    public let modules: [any Module]

    public init(_ modules: [any Module]) { self.modules = modules }
    public init(_ modules: any Module...) { self.modules = modules }

    public var children: [NamedModule] {
        modules.enumerated().map { NamedModule(String($0.offset), $0.element) }
    }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        var x = x
        for (position, module) in modules.enumerated() {
            x = module.forward(x, context.entering(position))
        }
        return x
    }
}
