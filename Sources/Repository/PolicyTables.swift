import GRDB

/// The repository's tables, as they came to be. A migration that was released is never edited.
enum PolicyTables {
    /// The sealed tables and what their seals cover, in this order.
    static let sealed: [(table: String, columns: [String])] = [
        ("applied", ["one", "sequence"]),
        ("source", ["digest", "text"]),
        ("entry", entryColumns),
        ("standing", ["entry", "kind", "kernel", "status", "newest"]),
        ("feature", ["entry", "name"]),
        ("transition", ["id", "entry", "before", "after", "reason", "at"]),
        ("attestation", ["id", "entry", "digest", "content"]),
        ("envelope", ["digest", "bytes"]),
        ("incident", ["id", "entry", "kind", "subject", "reason", "at"]),
        ("profile", ["id", "digest", "class", "content"]),
        ("outcome", ["id", "name", "entry", "profile", "bearing", "trial", "content"]),
        ("antipattern", ["id", "fingerprint", "stage", "class", "base", "content", "times"]),
    ]

    static let entryColumns = [
        "id", "name", "major", "minor", "patch", "artifact", "source", "summary", "targets", "description", "algorithm",
        "content", "document", "added_at",
    ]

    static func columns(_ table: String) -> [String] { sealed.first { $0.table == table }?.columns ?? [] }

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: entries") { database in
            try database.execute(sql: entries)
            try database.execute(sql: evidence)
            try database.execute(sql: text)
        }
        return migrator
    }

    /// `standing` is what changes of an entry, apart from its long texts, and what filters look at.
    private static let entries = """
        CREATE TABLE applied (
            one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL, seal INTEGER NOT NULL
        ) STRICT;
        INSERT INTO applied VALUES (1, 0, seal(1, 0));
        CREATE TABLE source (digest TEXT PRIMARY KEY, text TEXT NOT NULL, seal INTEGER NOT NULL) STRICT;
        CREATE TABLE entry (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL,
            major INTEGER NOT NULL, minor INTEGER NOT NULL, patch INTEGER NOT NULL,
            artifact TEXT NOT NULL, source TEXT REFERENCES source (digest),
            summary TEXT NOT NULL, targets TEXT NOT NULL, description TEXT NOT NULL, algorithm TEXT NOT NULL,
            content TEXT NOT NULL, document TEXT NOT NULL, added_at INTEGER NOT NULL, seal INTEGER NOT NULL,
            UNIQUE (name, major, minor, patch)
        ) STRICT;
        CREATE INDEX entry_by_artifact ON entry (artifact);
        CREATE TABLE standing (
            entry INTEGER PRIMARY KEY REFERENCES entry (id), kind TEXT NOT NULL, kernel INTEGER NOT NULL,
            status TEXT NOT NULL, newest INTEGER NOT NULL, seal INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE feature (
            entry INTEGER NOT NULL REFERENCES entry (id), name TEXT NOT NULL, seal INTEGER NOT NULL,
            PRIMARY KEY (entry, name)
        ) STRICT, WITHOUT ROWID;
        """

    /// `bearing` is NULL for an outcome that is no evidence.
    private static let evidence = """
        CREATE TABLE transition (
            id INTEGER PRIMARY KEY, entry INTEGER NOT NULL REFERENCES entry (id), before TEXT NOT NULL, after TEXT NOT NULL,
            reason TEXT NOT NULL, at INTEGER NOT NULL, seal INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX transition_by_entry ON transition (entry);
        CREATE TABLE attestation (
            id INTEGER PRIMARY KEY, entry INTEGER NOT NULL REFERENCES entry (id), digest TEXT NOT NULL,
            content TEXT NOT NULL, seal INTEGER NOT NULL, UNIQUE (entry, digest)
        ) STRICT;
        CREATE TABLE envelope (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL, seal INTEGER NOT NULL) STRICT;
        CREATE TABLE incident (
            id INTEGER PRIMARY KEY, entry INTEGER NOT NULL REFERENCES entry (id), kind TEXT NOT NULL,
            subject TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, seal INTEGER NOT NULL,
            UNIQUE (entry, kind, subject)
        ) STRICT;
        CREATE TABLE profile (
            id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, class TEXT NOT NULL, content TEXT NOT NULL,
            seal INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX profile_by_class ON profile (class);
        CREATE TABLE outcome (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, entry INTEGER NOT NULL REFERENCES entry (id),
            profile INTEGER NOT NULL REFERENCES profile (id), bearing INTEGER, trial TEXT NOT NULL,
            content TEXT NOT NULL, seal INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX outcome_by_entry ON outcome (entry, bearing, trial);
        CREATE INDEX outcome_by_profile ON outcome (profile);
        CREATE TABLE antipattern (
            id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, stage TEXT NOT NULL, class TEXT NOT NULL,
            base TEXT NOT NULL, content TEXT NOT NULL, times INTEGER NOT NULL, seal INTEGER NOT NULL,
            UNIQUE (fingerprint, stage, class)
        ) STRICT;
        CREATE INDEX antipattern_by_base ON antipattern (base);
        """

    private static let text = """
        CREATE VIRTUAL TABLE entry_text USING fts5(
            name, summary, targets, description, algorithm, content = 'entry', content_rowid = 'id',
            tokenize = 'porter unicode61'
        );
        CREATE VIRTUAL TABLE entry_words USING fts5vocab(entry_text, row);
        CREATE TRIGGER entry_text_added AFTER INSERT ON entry BEGIN
            INSERT INTO entry_text (rowid, name, summary, targets, description, algorithm)
            VALUES (new.id, new.name, new.summary, new.targets, new.description, new.algorithm);
        END;
        CREATE TRIGGER entry_text_removed AFTER DELETE ON entry BEGIN
            INSERT INTO entry_text (entry_text, rowid, name, summary, targets, description, algorithm)
            VALUES ('delete', old.id, old.name, old.summary, old.targets, old.description, old.algorithm);
        END;
        CREATE TRIGGER entry_text_changed AFTER UPDATE OF name, summary, targets, description, algorithm ON entry BEGIN
            INSERT INTO entry_text (entry_text, rowid, name, summary, targets, description, algorithm)
            VALUES ('delete', old.id, old.name, old.summary, old.targets, old.description, old.algorithm);
            INSERT INTO entry_text (rowid, name, summary, targets, description, algorithm)
            VALUES (new.id, new.name, new.summary, new.targets, new.description, new.algorithm);
        END;
        """
}
