import Foundation
import TestSupport
import Testing
import Torch

/// Products of matrices by whatever kernels MKL takes.
@Suite struct MatrixProductTests {
    /// Against sums in float64, for shapes around the kernels' tiles, as they are and transposed.
    @Test(arguments: [(1, 1, 1), (3, 256, 1), (17, 33, 65), (64, 4, 256), (129, 255, 31), (256, 256, 256)])
    func productsAreTheirSums(_ m: Int, _ k: Int, _ n: Int) throws {
        let seed = SeededGenerator().seed
        let a = try Tensor.normal([m, k], seed: seed)
        let b = try Tensor.normal([k, n], seed: seed &+ 1)
        let (left, right) = (try a.array(of: Float.self), try b.array(of: Float.self))
        let products = try [
            a.matmul(b), a.transposed(0, 1).contiguous().transposed(0, 1).matmul(b),
            a.matmul(b.transposed(0, 1).contiguous().transposed(0, 1)),
        ].map { try $0.array(of: Float.self) }
        for row in 0..<m {
            for column in 0..<n {
                var (sum, size) = (0.0, 0.0)
                for i in 0..<k {
                    let term = Double(left[row * k + i]) * Double(right[i * n + column])
                    sum += term
                    size += abs(term)
                }
                for product in products {
                    let error = abs(Double(product[row * n + column]) - sum)
                    #expect(error <= 1e-6 * size, "\(m), \(k), \(n) at \(row), \(column), seed \(seed)")
                }
            }
        }
    }

    #if os(Linux) && arch(x86_64)
        /// MKL's question is answered by the program, not by the library.
        @Test func theProgramSaysWhatTheProcessorCanDo() throws {
            let name = "mkl_serv_intel_cpu_true"
            let function = try #require(dlsym(nil, name))
            let ask = unsafeBitCast(function, to: (@convention(c) () -> Int32).self)
            let processor = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
            let isIntel = processor.contains("GenuineIntel")
            let isAsked = ProcessInfo.processInfo.environment["PEO_MKL_VENDOR_CHECK"] != nil
            let hasKernels = ["avx512f", "avx512dq", "avx512bw", "avx512vl"].allSatisfy(processor.contains)
            #expect((ask() != 0) == (isIntel || hasKernels && !isAsked))
        }
    #endif
}
