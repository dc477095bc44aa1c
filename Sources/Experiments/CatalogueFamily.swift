import BayesianLearning
import Datasets
import Environments
import Models
import PerturbedEquations
import PosteriorSampling
import ReinforcementLearning

/// The families of things that a configuration can name: what `peo list` lists.
public enum CatalogueFamily: String, CaseIterable, Sendable {
    case perturbations, presets, parameterPerturbations, rules, schedules, controllers, guards, noise, models,
        datasets, environments, algorithms, explorations, priors, posteriors

    /// Every entry of the family, in the catalogue's order.
    public var entries: [CatalogueEntry] {
        switch self {
        case .perturbations: Catalogue.builtIn.perturbations.map { $0.catalogueEntry }
        case .presets: PerturbationPreset.all.map(\.catalogueEntry)
        case .parameterPerturbations: Catalogue.builtIn.parameterPerturbations.map { $0.catalogueEntry }
        case .rules: Catalogue.builtIn.rules.map { $0.catalogueEntry }
        case .schedules: Catalogue.builtIn.schedules.map { $0.catalogueEntry }
        case .controllers: Catalogue.builtIn.controllers.map { $0.catalogueEntry }
        case .guards: Catalogue.guards
        case .noise: NoiseEntries.all
        case .models: ModelCatalogue.entries.map(CatalogueEntry.init)
        case .datasets:
            DatasetCatalogue.entries.map(CatalogueEntry.init) + DataSourceCatalogue.all.map { $0.entry }
        case .environments: EnvironmentCatalogue.all.map { $0.catalogueEntry }
        case .algorithms: AlgorithmCatalogue.all.map { $0.catalogueEntry }
        case .explorations: ExplorationCatalogue.all.map { $0.catalogueEntry }
        case .priors: PriorCatalogue.all.map { $0.catalogueEntry }
        case .posteriors: PosteriorCatalogue.all.map { $0.catalogueEntry }
        }
    }

    /// What holds for every entry.
    public var note: String? {
        guard case .schedules = self else { return nil }
        return
            "Each takes warmup: n, linear. Lengths are steps, or {epochs: n} of the training data; fractions are allowed."
    }

    /// The entry of that name.
    /// - Throws: `ConfigurationError` with where else the name leads, or the nearest name, and all names if there is none.
    public func entry(named name: String) throws -> CatalogueEntry {
        let entries = entries
        if let entry = entries.first(where: { $0.name == name }) { return entry }
        let names = entries.map(\.name)
        let hint =
            CatalogueSynonyms.lead(name, in: self).map { "; see \($0)" }
            ?? nearestName(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
        throw ConfigurationError(
            "there is no '\(name)'\(hint) (allowed: \(names.joined(separator: ", ")))", path: rawValue)
    }
}

extension CatalogueEntry {
    /// A model in the catalogue's words.
    fileprivate init(_ model: ModelEntry) {
        self.init(
            name: model.name, summary: model.summary, equation: model.equation,
            parameters: model.parameters.map {
                Parameter($0.name, $0.type, default: $0.defaultValue, allowed: $0.allowed, $0.meaning)
            }, source: model.source)
    }

    /// A data set in the catalogue's words.
    fileprivate init(_ data: DatasetEntry) {
        let shape = data.inputShape.map(String.init).joined(separator: "×")
        let scale = data.scale.map { "; x = (byte/\($0.maximum) − \($0.mean))/\($0.deviation)" } ?? ""
        self.init(
            name: data.name, summary: data.summary,
            equation: "x ∈ ℝ^(\(shape)), \(data.classNames.count) classes; \(data.trainCount) for training, "
                + "\(data.testCount) for testing\(scale)",
            parameters: [], source: "\(data.source). Licence: \(data.licence)")
    }
}
