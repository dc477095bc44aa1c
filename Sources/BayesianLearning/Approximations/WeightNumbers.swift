import PerturbedEquations
import Safetensors

/// Numbers in float64 beside each weight, such as a mean.
final class WeightNumbers {
    let specs: [ParameterSpec]
    let values: [UnsafeMutableBufferPointer<Double>]

    /// Zeros.
    init(_ specs: [ParameterSpec]) {
        self.specs = specs
        values = specs.map { spec in
            let memory = UnsafeMutableBufferPointer<Double>.allocate(capacity: spec.count)
            memory.initialize(repeating: 0)
            return memory
        }
    }

    deinit { for memory in values { memory.deallocate() } }

    /// The tensors `<name>/<parameter>`.
    func sources(_ name: String) -> [TensorSource] {
        zip(specs, values).map { spec, memory in
            TensorSource(name: "\(name)/\(spec.name)", type: .float64, shape: spec.shape) { [self] write in
                try withExtendedLifetime(self) { try write(UnsafeRawBufferPointer(memory)) }
            }
        }
    }

    /// Reads what ``sources(_:)`` wrote.
    func restore(_ name: String, from file: SafetensorsFile) throws {
        for (spec, memory) in zip(specs, values) {
            try file.tensor("\(name)/\(spec.name)", type: .float64, shape: spec.shape).data
                .copyBytes(to: UnsafeMutableRawBufferPointer(memory))
        }
    }
}

/// A parameter's weights in their own type, read and written as float64.
struct WeightMemory {
    let scalar: ScalarType
    let bytes: UnsafeMutableRawBufferPointer

    /// - Precondition: the type is float32 or float64, as networks that are sampled have.
    init(_ spec: ParameterSpec, _ bytes: UnsafeMutableRawBufferPointer) {
        precondition(spec.scalar != .bfloat16, "weights of \(spec.name) are bfloat16")
        scalar = spec.scalar
        self.bytes = bytes
    }

    subscript(index: Int) -> Double {
        get {
            scalar == .float64
                ? bytes.load(fromByteOffset: index * 8, as: Double.self)
                : Double(bytes.load(fromByteOffset: index * 4, as: Float.self))
        }
        nonmutating set {
            if scalar == .float64 {
                bytes.storeBytes(of: newValue, toByteOffset: index * 8, as: Double.self)
            } else {
                bytes.storeBytes(of: Float(newValue), toByteOffset: index * 4, as: Float.self)
            }
        }
    }
}
