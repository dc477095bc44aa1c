/// What a report shows: a heading with a few numbers, and sections of text, tables and charts. ``ReportDocument`` makes a
/// page of it; nothing here is HTML, and every text is shown as it is.
struct ReportPage {
    /// A name with a value.
    struct Fact {
        var name: String
        var value: String
        init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// How something is meant; shown by colour and by words or marks.
    enum Tone: String, Encodable { case good, bad, neutral }

    struct Section {
        var title: String
        var blocks: [Block]

        init(_ title: String, _ blocks: [Block?]) {
            self.title = title
            self.blocks = blocks.compactMap { $0 }
        }
    }

    enum Block {
        case text(String)
        /// What must not be overlooked.
        case callout(String, Tone)
        case facts([Fact])
        case table(ReportTable)
        case charts([ReportChart])
        /// A text with its line breaks, folded away under a title.
        case listing(title: String, String)
        /// A table that is folded away under a title.
        case folded(title: String, ReportTable)
    }

    /// What the page is about: `Run`, `Comparison`.
    var kind: String
    var title: String
    /// A sentence below the title.
    var summary: String
    /// The few numbers that matter most.
    var figures: [Fact] = []
    var sections: [Section] = []

    /// Adds a section, unless there is nothing in it.
    mutating func add(_ title: String, _ blocks: [Block?]) {
        let section = Section(title, blocks)
        if !section.blocks.isEmpty { sections.append(section) }
    }
}

/// A table that readers can sort.
struct ReportTable {
    struct Cell {
        var text: String
        /// What the cell is sorted by; its text where nil.
        var value: Double?
        var tone = ReportPage.Tone.neutral

        init(_ text: String, _ value: Double? = nil, tone: ReportPage.Tone = .neutral) {
            self.text = text
            self.value = value.flatMap { $0.isFinite ? $0 : nil }
            self.tone = tone
        }

        /// A number as it is shown, or a dash.
        init(_ value: Double?, _ text: (Double) -> String) {
            self.init(value.map(text) ?? "–", value)
        }
    }

    var columns: [String]
    /// Which columns are numbers, and stand at the right.
    var numeric: Set<Int> = []
    var rows: [[Cell]]
}
