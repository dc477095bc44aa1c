import CTorchBridge

/// Where a tensor's memory is, and where operations on it run.
public enum Device: Sendable, Hashable, CustomStringConvertible {
    case cpu
    /// A GPU, by its number from 0.
    case cuda(Int)

    /// How many GPUs this libtorch sees; 0 for one that was built for the CPU alone.
    public static var cudaCount: Int { Int(ptb_cuda_count()) }

    /// The devices that tensors can be on here.
    public static var all: [Device] { [.cpu] + (0..<cudaCount).map(Device.cuda) }

    /// `cpu`, `cuda` (the first GPU) or `cuda:n`; nil for another text.
    public init?(_ name: String) {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        switch (parts[0], parts.count) {
        case ("cpu", 1): self = .cpu
        case ("cuda", 1): self = .cuda(0)
        case ("cuda", 2):
            guard let number = UInt8(parts[1]), number < 128 else { return nil }
            self = .cuda(Int(number))
        default: return nil
        }
    }

    public var description: String {
        switch self {
        case .cpu: "cpu"
        case .cuda(let number): "cuda:\(number)"
        }
    }

    /// The bridge's number.
    var number: Int32 {
        switch self {
        case .cpu: -1
        case .cuda(let number): Int32(number)
        }
    }
}

extension Tensor {
    /// Where the elements are.
    public var device: Device {
        let number = withExtendedLifetime(self) { ptb_device_of(handle) }
        return number < 0 ? .cpu : .cuda(Int(number))
    }

    /// The same elements on a device; the same tensor where it is there already. Gradients flow through it. Traps for a
    /// device that there is not.
    public func moved(to device: Device) -> Tensor {
        result("moved", self) { ptb_to_device($0, device.number, $1) }
    }

    /// Moves this tensor itself, for all who hold it, and removes its gradient. For leaves and buffers only.
    /// - Throws: `TorchError` for a device that there is not, and where there is no memory.
    public func moveInPlace(to device: Device) throws(TorchError) {
        try check("moveInPlace", withExtendedLifetime(self) { ptb_move_to_device(handle, device.number) })
    }

    /// How often operations have written to the elements: unchanged as long as nobody has. Writing by
    /// `withUnsafeMutableBytes` does not count.
    package var version: Int { withExtendedLifetime(self) { Int(ptb_version_of(handle)) } }
}

extension Device: Codable {
    /// Reads a name: of any device, whether it is there or not.
    public init(from decoder: any Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        guard let device = Device(name) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "is '\(name)'; allowed: cpu, cuda, cuda:0, cuda:1 and so on"))
        }
        self = device
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
