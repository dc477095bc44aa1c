import Environments
import PerturbedEquations

/// Which actions an algorithm learns.
enum ActionKind: String {
    case discrete
    case continuous

    init(_ space: ActionSpace) {
        self = if case .discrete = space { .discrete } else { .continuous }
    }
}

/// An algorithm for actions of one kind. Those that are not are for both.
protocol ActionSpecific: Algorithm {
    static var actionKind: ActionKind { get }
}

extension ActionSpecific {
    /// Refuses an environment whose actions are of the other kind, and names the algorithms that would do.
    static func requireActions(of copies: VectorEnvironment) throws {
        let kind = ActionKind(copies.actionSpace)
        guard kind != actionKind else { return }
        let others = AlgorithmCatalogue.all.filter {
            ($0 as? any ActionSpecific.Type).map { $0.actionKind == kind } ?? true
        }
        throw ConfigurationError(
            "is \(catalogueEntry.name), which learns \(actionKind.rawValue) actions, and those of the environment "
                + "'\(copies.name)' are \(kind.rawValue); allowed with it: "
                + others.map { $0.catalogueEntry.name }.joined(separator: ", "), path: "agent")
    }
}
