/// A rule that goes to a mode and can pull the weights to zero by itself.
///
/// Where a posterior says its prior, a weight decay would be a second one: whoever adds the prior's gradient looks here.
public protocol WeightDecayingRule: UpdateRule {
    /// λ, coupled or decoupled as the rule says.
    var weightDecay: Scheduled { get }
}

extension SGD: WeightDecayingRule {}
extension Momentum: WeightDecayingRule {}
extension Nesterov: WeightDecayingRule {}
extension Adam: WeightDecayingRule {}
extension AdamW: WeightDecayingRule {}
extension RMSProp: WeightDecayingRule {}
extension AdaGrad: WeightDecayingRule {}
extension AdamPE: WeightDecayingRule {}
extension RMSPE: WeightDecayingRule {}
extension PNM: WeightDecayingRule {}
extension AdaPNM: WeightDecayingRule {}
