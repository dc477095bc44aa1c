import Environments

extension VectorEnvironment {
    /// The episode of a copy that ended with the last step; nil where none did.
    func endedEpisode(of copy: Int) -> LearnerReport.Episode? {
        guard terminated[copy] || truncated[copy] else { return nil }
        return .init(total: episodeReturns[copy], length: episodeLengths[copy])
    }
}
