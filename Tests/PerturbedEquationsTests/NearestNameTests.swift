import PerturbedEquations
import Testing

@Test(arguments: [
    ("gausian", "gaussian"), ("Gaussain", "gaussian"), ("unifrom", "uniform"), ("fashion", "fashion-mnist"),
    ("mnsit", "mnist"), ("adamw", "adam"), ("learning_rate", "learningRate"), ("g", "gaussian"),
])
func theNearestNameIsFound(wrong: String, right: String) {
    let names = ["uniform", "gaussian", "mnist", "fashion-mnist", "adam", "learningRate"]
    #expect(nearestName(to: wrong, among: names) == right)
}

@Test(arguments: ["", "zzzzzz", "perturbation", String(repeating: "gaussian", count: 50)])
func aFarNameHasNoNearest(wrong: String) {
    #expect(nearestName(to: wrong, among: ["uniform", "gaussian", "adam"]) == nil)
}
