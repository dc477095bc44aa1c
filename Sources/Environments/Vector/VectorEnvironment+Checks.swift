extension VectorEnvironment {
    static func check(
        _ name: String, _ observations: BoxSpace, _ actions: ActionSpace, _ timeLimit: Int?, _ count: Int
    ) throws(EnvironmentError) {
        if let fault = observations.fault {
            throw EnvironmentError(.space, "environment '\(name)': the observation space \(fault)")
        }
        if let fault = actions.fault {
            throw EnvironmentError(.space, "environment '\(name)': the action space \(fault)")
        }
        if let timeLimit, timeLimit < 1 {
            throw EnvironmentError(
                .space, "environment '\(name)': the time limit is \(timeLimit); allowed: at least 1, or nil")
        }
        guard (1...1 << 20).contains(count) else {
            throw EnvironmentError(
                .copies, "environment '\(name)': \(count) copies; allowed: 1 to \(1 << 20)")
        }
    }

    func check(_ actions: Span<Float>) throws(EnvironmentError) {
        let size = actionSpace.count
        guard actions.count == count * size else {
            throw EnvironmentError(
                .actionCount,
                "environment '\(name)': \(actions.count) numbers for the actions of \(count) "
                    + "\(count == 1 ? "copy" : "copies"); allowed: \(count * size), \(size) for each")
        }
        guard let i = actionSpace.firstOutside(actions) else { return }
        let element = size == 1 ? "" : "element \(i % size) of "
        throw EnvironmentError(
            .action,
            "environment '\(name)': \(element)the action of copy \(i / size) is \(actions[i]); allowed: "
                + actionSpace.allowed(element: i % size))
    }

    func error(_ fault: CopyFault) -> EnvironmentError {
        let progress = progress[fault.copy]
        let what = fault.element.map { "element \($0) of the observation" } ?? "the reward"
        return EnvironmentError(
            .notFinite,
            "environment '\(name)': \(what) is \(fault.value) (copy \(fault.copy), episode \(progress.episode), "
                + "step \(progress.steps)); allowed: finite numbers. The environment's dynamics are at fault, or its "
                + "settings")
    }
}
