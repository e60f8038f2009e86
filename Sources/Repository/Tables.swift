import GRDB

/// The tables, as they came to be. A migration that was released is never edited.
enum Tables {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: deployments") { database in
            try database.execute(
                sql: """
                    CREATE TABLE deployment (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        scheduler TEXT NOT NULL, artifact TEXT NOT NULL, spec TEXT NOT NULL,
                        state TEXT NOT NULL, reason TEXT NOT NULL, ops TEXT NOT NULL, enable_seq INTEGER NOT NULL,
                        exit TEXT, requested_at INTEGER NOT NULL, attached_at INTEGER NOT NULL, ended_at INTEGER NOT NULL
                    ) STRICT;
                    CREATE INDEX deployment_by_state ON deployment (state);
                    """)
        }
        migrator.registerMigration("2: ledger, attestations, quarantine") { database in
            try database.execute(
                sql: """
                    ALTER TABLE deployment ADD COLUMN authority TEXT NOT NULL DEFAULT '{"kind":"unverified","reason":"before attestations"}';
                    ALTER TABLE deployment ADD COLUMN previous INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE deployment ADD COLUMN blame TEXT;
                    ALTER TABLE deployment ADD COLUMN witnessed TEXT NOT NULL DEFAULT '';
                    UPDATE deployment SET witnessed = state;
                    CREATE TABLE ledger (
                        id INTEGER PRIMARY KEY, deployment INTEGER NOT NULL, action TEXT NOT NULL, mark TEXT NOT NULL,
                        at INTEGER NOT NULL
                    ) STRICT;
                    CREATE INDEX ledger_by_deployment ON ledger (deployment);
                    CREATE TABLE spent (nonce TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT;
                    CREATE TABLE revoked (nonce TEXT PRIMARY KEY, reason TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
                    CREATE TABLE quarantine (
                        artifact TEXT PRIMARY KEY, deployment INTEGER NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE intent (
                        one INTEGER PRIMARY KEY CHECK (one = 1), deployment INTEGER NOT NULL, not_before INTEGER NOT NULL,
                        attempt INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE spending (
                        id INTEGER PRIMARY KEY, uid INTEGER NOT NULL, cpu_ns INTEGER NOT NULL, cost INTEGER NOT NULL,
                        at INTEGER NOT NULL
                    ) STRICT;
                    CREATE INDEX spending_by_uid ON spending (uid, at);
                    CREATE TABLE clock (one INTEGER PRIMARY KEY CHECK (one = 1), latest INTEGER NOT NULL) STRICT;
                    """)
        }
        migrator.registerMigration("3: changes of what runs") { database in
            try database.execute(
                sql: """
                    CREATE TABLE tuning (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, deployment INTEGER NOT NULL, uid INTEGER NOT NULL,
                        user TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, undoes INTEGER NOT NULL,
                        before TEXT NOT NULL, after TEXT NOT NULL
                    ) STRICT;
                    CREATE INDEX tuning_by_deployment ON tuning (deployment, id);
                    CREATE TABLE tuned (deployment INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT;
                    """)
        }
        return migrator
    }
}
