/// Names of metrics as people read them.
enum MetricName {
    /// `gradientEvaluations` as `gradient evaluations`, `validation.loss` as `validation loss`.
    static func words(_ name: String) -> String {
        name.reduce(into: "") { words, character in
            if character == "." {
                words += " "
            } else if character.isUppercase {
                words += " " + character.lowercased()
            } else {
                words.append(character)
            }
        }
    }
}
