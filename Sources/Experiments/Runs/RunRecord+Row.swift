import Foundation
import GRDB

/// A run as a row of the index.
extension RunRecord: FetchableRecord, PersistableRecord {
    public static let databaseTableName = "run"
    /// The newest look at a directory is the one that counts.
    public static let persistenceConflictPolicy = PersistenceConflictPolicy(
        insert: .replace, update: .replace)

    /// Where the table has a column for each.
    static func createTable(_ db: Database) throws {
        try db.create(table: databaseTableName) { table in
            table.primaryKey("run", .text)
            for name in ["name", "status", "model", "data", "perturbation", "metrics", "settings", "stamp"] {
                table.column(name, .text).notNull()
            }
            // Seeds are larger than what SQLite takes for a number.
            for name in ["message", "seed", "started", "ended"] { table.column(name, .text) }
            table.column("steps", .integer).notNull()
            table.column("trainingSeconds", .double).notNull()
        }
    }

    /// A row that is not what ``createTable(_:)`` says.
    struct Damage: Error {}

    public init(row: Row) throws {
        // GRDB's own subscripts trap on a value of another type.
        func optional<Value: DatabaseValueConvertible>(_ column: String) -> Value? {
            (row[column] as DatabaseValue?).flatMap(Value.fromDatabaseValue)
        }
        func value<Value: DatabaseValueConvertible>(_ column: String) throws -> Value {
            guard let value: Value = optional(column) else { throw Damage() }
            return value
        }
        func object<Value: Decodable>(_ column: String) throws -> [String: Value] {
            do {
                return try JSONDecoder().decode(
                    [String: Value].self, from: Data((try value(column) as String).utf8))
            } catch { throw Damage() }
        }
        self.init(run: try value("run"), name: try value("name"), stamp: try value("stamp"))
        guard let known = Status(rawValue: try value("status")) else { throw Damage() }
        status = known
        message = optional("message")
        model = try value("model")
        data = try value("data")
        perturbation = try value("perturbation")
        seed = (optional("seed") as String?).flatMap { UInt64($0) }
        started = optional("started")
        ended = optional("ended")
        steps = try value("steps")
        trainingSeconds = try value("trainingSeconds")
        metrics = try object("metrics")
        settings = try object("settings")
    }

    public func encode(to container: inout PersistenceContainer) throws {
        container["run"] = run
        container["name"] = name
        container["status"] = status.rawValue
        container["message"] = message
        container["model"] = model
        container["data"] = data
        container["perturbation"] = perturbation
        container["seed"] = seed.map { "\($0)" }
        container["started"] = started
        container["ended"] = ended
        container["steps"] = steps
        container["trainingSeconds"] = trainingSeconds
        container["metrics"] = try Self.text(metrics.filter(\.value.isFinite))
        container["settings"] = try Self.text(settings)
        container["stamp"] = stamp
    }

    private static func text(_ object: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(object), as: UTF8.self)
    }
}
