CREATE TABLE IF NOT EXISTS identities (
    system_identifier TEXT NOT NULL,
    database          TEXT NOT NULL,
    env               TEXT NOT NULL,
    seen_at           INTEGER NOT NULL,
    PRIMARY KEY (system_identifier, database)
);
