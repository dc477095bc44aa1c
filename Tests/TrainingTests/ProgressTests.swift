import Testing
import Training

@Suite struct ProgressTests {
    @Test(arguments: [
        (0.0, "0"), (0.01234, "0.0123"), (0.5, "0.500"), (1.5, "1.50"), (23.45, "23.4"), (812.4, "812"),
        (0.0000123, "1.2e-05"), (1e9, "1.0e+09"), (-0.25, "-0.250"), (.infinity, "inf"),
    ])
    func numbersAreShort(value: Double, text: String) { #expect(short(value) == text) }

    @Test(arguments: [(5.0, "5s"), (59.4, "59s"), (185, "3:05"), (3723, "1:02:03"), (.infinity, "?")])
    func timesAreShort(seconds: Double, text: String) { #expect(clockText(seconds) == text) }
}
