CREATE TABLE IF NOT EXISTS identities (
    system_identifier TEXT NOT NULL,
    database          TEXT NOT NULL,
    env               TEXT NOT NULL,
    seen_at           INTEGER NOT NULL,
    PRIMARY KEY (system_identifier, database)
);

CREATE TABLE IF NOT EXISTS index_samples (
    id                INTEGER PRIMARY KEY,
    system_identifier TEXT NOT NULL,
    database          TEXT NOT NULL,
    taken_at          INTEGER NOT NULL,
    stats_since       INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS index_samples_by_database
    ON index_samples (system_identifier, database, taken_at);

CREATE TABLE IF NOT EXISTS index_sample_scans (
    sample  INTEGER NOT NULL REFERENCES index_samples (id),
    "schema" TEXT NOT NULL,
    name    TEXT NOT NULL,
    scans   INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    PRIMARY KEY (sample, "schema", name)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS connection_samples (
    system_identifier   TEXT NOT NULL,
    database            TEXT NOT NULL,
    taken_at            INTEGER NOT NULL,
    total               INTEGER NOT NULL,
    active              INTEGER NOT NULL,
    idle                INTEGER NOT NULL,
    idle_in_transaction INTEGER NOT NULL,
    usable              INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS connection_samples_by_database
    ON connection_samples (system_identifier, database, taken_at);
CREATE TABLE IF NOT EXISTS backups (
    sha256       TEXT PRIMARY KEY,
    path         TEXT NOT NULL,
    verified     INTEGER NOT NULL DEFAULT 0,
    verified_at  INTEGER NOT NULL DEFAULT 0,
    drilled_at   INTEGER NOT NULL DEFAULT 0,
    drill_passed INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS backup_holds (
    sha256     TEXT PRIMARY KEY,
    path       TEXT NOT NULL,
    keep_until INTEGER NOT NULL,
    reason     TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS backup_offsite (
    sha256  TEXT PRIMARY KEY,
    url     TEXT NOT NULL,
    seen_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS drills (
    id         INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    env        TEXT NOT NULL,
    path       TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    passed     INTEGER NOT NULL,
    seconds    REAL NOT NULL,
    report     TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS evidence_origin (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    origin TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS evidence (
    origin      TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    name        TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    previous    TEXT NOT NULL,
    hash        TEXT NOT NULL,
    record      TEXT NOT NULL,
    PRIMARY KEY (origin, sequence)
);
CREATE INDEX IF NOT EXISTS evidence_by_name ON evidence (name);
CREATE TABLE IF NOT EXISTS evidence_begun (
    system_identifier TEXT NOT NULL,
    database          TEXT NOT NULL,
    record            TEXT NOT NULL,
    PRIMARY KEY (system_identifier, database)
);
CREATE TABLE IF NOT EXISTS schema_snapshots (
    fingerprint TEXT PRIMARY KEY,
    snapshot    TEXT NOT NULL
);
