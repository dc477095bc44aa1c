/// A number with what is counted: `1 seed`, `2 seeds`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
