/// A file that is not well-formed safetensors, or a tensor that cannot be stored or read as asked.
///
/// The message names the file, the tensor, the value found and what is allowed.
public struct SafetensorsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A stable name of the failure, for programs.
    public enum Code: String, Sendable {
        /// The file ends before the header or the data does, or has bytes after the data.
        case length = "safetensors.length"
        /// The header is not JSON of the form that the format asks for.
        case header = "safetensors.header"
        /// An element type that the format does not have, or that the caller did not expect.
        case type = "safetensors.type"
        /// A shape whose size overflows, does not match the bytes, or is not the expected one.
        case shape = "safetensors.shape"
        /// Offsets that overlap, leave a gap, or run past the data.
        case offsets = "safetensors.offsets"
        /// A name that is given twice, reserved, or absent.
        case name = "safetensors.name"
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
