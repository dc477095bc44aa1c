extension String {
    /// The text with blanks after it up to a width.
    func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
