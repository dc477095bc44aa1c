import CPerturbationKernels

/// The loss of a linear model's example with target y and margin z = w·x + b.
package enum LinearLoss: Sendable, Hashable {
    /// log(1 + exp(−y·z)), y = ±1.
    case logistic
    /// ½(z − y)²/s².
    case gaussian(deviation: Double)
}

/// The examples of a linear model as the kernels read them: memory that someone else owns.
package struct LinearRows<Scalar: EquationScalar>: @unchecked Sendable {
    private var rows: pk_rows

    /// Dense rows.
    /// - Parameter stride: columns from one row to the next: a multiple of 16, `width` at least, and 0 between them.
    package init(
        values: UnsafePointer<Scalar>, width: Int, stride: Int, targets: UnsafePointer<Scalar>
    ) {
        rows = pk_rows()
        rows.values = UnsafeRawPointer(values)
        set(width: width, stride: stride, targets)
    }

    /// Rows of zeros and ones: a word for each 16 columns, the first of them in its lowest bit.
    /// - Parameter stride: as of dense rows, in columns.
    package init(bits: UnsafePointer<UInt16>, width: Int, stride: Int, targets: UnsafePointer<Scalar>) {
        rows = pk_rows()
        rows.bits = bits
        set(width: width, stride: stride, targets)
    }

    /// Sparse rows: row i has the entries starts[i] ..< starts[i + 1]; without `values` each of them is 1.
    package init(
        starts: UnsafePointer<Int64>, columns: UnsafePointer<UInt32>, values: UnsafePointer<Scalar>?,
        width: Int, targets: UnsafePointer<Scalar>
    ) {
        rows = pk_rows()
        rows.values = values.map { UnsafeRawPointer($0) }
        rows.columns = columns
        rows.starts = starts
        set(width: width, stride: (width + 15) / 16 * 16, targets)
    }

    private mutating func set(width: Int, stride: Int, _ targets: UnsafePointer<Scalar>) {
        precondition(
            stride >= width && stride.isMultiple(of: 16), "a stride of \(stride) for \(width) columns")
        rows.width = width
        rows.stride = stride
        rows.targets = UnsafeRawPointer(targets)
    }

    /// Σ of the losses over a batch; adds their gradient to `gradient`. The bits are the same at each SIMD level.
    ///
    /// - Parameters:
    ///   - theta: w, then b where there is an intercept.
    ///   - batch: numbers of rows, all of which there are.
    package func losses(
        _ loss: LinearLoss, at theta: UnsafeBufferPointer<Scalar>, hasIntercept: Bool,
        batch: UnsafeBufferPointer<Int>, gradient: UnsafeMutableBufferPointer<Scalar>,
        level: SIMDLevel = .highest
    ) -> Double {
        precondition(
            theta.count == rows.width + (hasIntercept ? 1 : 0) && gradient.count == theta.count,
            "θ has \(theta.count) numbers and its gradient \(gradient.count), for \(rows.width) columns")
        var precision = 1.0
        var family = PK_LOGISTIC
        if case .gaussian(let deviation) = loss {
            (family, precision) = (PK_GAUSSIAN, 1 / (deviation * deviation))
        }
        return withUnsafePointer(to: rows) {
            Scalar.kernels(level).pointee.linear_losses(
                $0, family, precision, theta.baseAddress, hasIntercept ? 1 : 0, batch.baseAddress,
                batch.count,
                gradient.baseAddress)
        }
    }
}
