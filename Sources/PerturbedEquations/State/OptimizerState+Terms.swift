import Safetensors

/// The tensors that terms keep, as they are saved.
extension PerturbedOptimizer {
    func keptTensors() -> [(source: TensorSource, memory: UnsafeMutableRawBufferPointer, spec: ParameterSpec)]
    {
        var kept: [(source: TensorSource, memory: UnsafeMutableRawBufferPointer, spec: ParameterSpec)] = []
        for (index, spec) in parameters.enumerated() {
            for term in groups[groupOf[index]].terms {
                guard let slot = term.tensorSlot,
                    let memory = termTensors[index * termLayout.tensorWidth + slot]
                else { continue }
                for (name, tensor) in zip(term.perturbation.storedNames, memory.tensors) {
                    let source = TensorSource(
                        name: "term/\(term.number)/\(spec.name)/\(name)",
                        type: spec.scalar.arithmetic.tensorType, shape: spec.shape
                    ) { write in try write(UnsafeRawBufferPointer(tensor)) }
                    kept.append((source, tensor, spec))
                }
            }
        }
        return kept
    }

    /// What a file holds for each of them.
    func loadedTensors(
        of file: SafetensorsFile
    ) throws -> [(memory: UnsafeMutableRawBufferPointer, entry: TensorEntry)] {
        try keptTensors().map { kept in
            (
                kept.memory,
                try file.tensor(
                    kept.source.name, type: kept.spec.scalar.arithmetic.tensorType, shape: kept.spec.shape)
            )
        }
    }
}
