import Torch
import TorchNN

/// An embedding drawn from N(0, 0.02²), as GPT-2's rows and positions are.
func smallEmbedding(_ rows: Int, _ width: Int, seed: UInt64) throws(TorchError) -> Embedding {
    let embedding = try Embedding(rows, width, seed: seed)
    withoutGradients { embedding.weight.scaleInPlace(0.02) }
    return embedding
}
