extension KeyedDecodingContainer {
    /// Refuses the value of a key unless a condition holds.
    func require(_ condition: Bool, _ key: Key, _ problem: @autoclosure () -> String) throws {
        guard !condition else { return }
        throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: problem())
    }
}
