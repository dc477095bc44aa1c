import Datasets
import Torch
import TorchNN

/// Tokens to scores: an embedding, with learnt positions where the body has no order of its own, a body over the sequence,
/// and a linear head on each place, or on the sequence's summary.
///
/// Names: `embedding`, `position`, the body's own name, `head`.
struct TokenClassifier: Module {
    /// What the head sees.
    enum Summary {
        /// Every place.
        case each
        /// The last place, which a recurrent body has told everything.
        case last
        /// The mean over places.
        case mean
    }

    let embedding: NEFTune
    let position: Tensor?
    let bodyName: String
    let body: any Module
    let summary: Summary
    let head: Linear
    let dropout: Dropout

    var ownParameters: [NamedTensor] { position.map { [NamedTensor("position", $0)] } ?? [] }
    var children: [NamedModule] {
        [NamedModule("embedding", embedding), NamedModule(bodyName, body), NamedModule("head", head)]
    }

    func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        var y = embedding.forward(x, context.entering("embedding"))
        if let position { y = y + position[0..<x.size(-1)] }
        y = dropout.forward(y, context.entering("dropout"))
        y = body.forward(y, context.entering(bodyName))
        switch summary {
        case .each: break
        case .last: y = y.selected(1, at: y.size(1) - 1)
        case .mean: y = y.mean(along: 1)
        }
        return head.forward(y, context)
    }
}
