/* Backups: made, listed, verified, pruned, and loaded into an empty database.
 *
 * A backup is one NAME-ENV-YYYYMMDD-HHMMSS.sql.gz that `gunzip -c FILE | psql` restores, with a
 * checksum for `sha256sum -c` and a manifest that commits it (manifest.h, folder.h); an encrypted
 * one is a .sql.gz.enc (seal.h), and backup_decrypt gives the .sql.gz. Rows are copied by several
 * sessions under one snapshot, counted as they arrive, and must be as many as the
 * server says it sent before the manifest is written.
 *
 * Procedures with a safety net around these (restore with a swap, drills) are in flows. */
#pragma once

#include "backup/dump_reader.h"
#include "backup/folder.h"
#include "backup/manifest.h"
#include "backup/member.h"
#include "backup/seal_keys.h"
#include "base/log.h"
#include "pg/session.h"
#include "state/state.h"

typedef struct {
    const char *conninfo;
    const char *dbname;    /* replaces the database of conninfo; NULL keeps it */
    const char *directory; /* where it goes; made when missing */
    const char *name;      /* prefix of the file's name */
    const char *env;
    const char *reason;    /* "backup create" */
    const char *pg_bindir; /* where to look for pg_dump first; may be NULL */
    int jobs;              /* sessions that copy rows; 0: half of the cores, at least 2 */
    Compression compression;
    const StrList *exclude; /* tables without their rows, as copy_plan_read has it; may be NULL */
    BackupKeys *keys;       /* for whom it is encrypted, if so; may be NULL */
} BackupSpec;

typedef struct {
    const char *path;
    Manifest manifest;
    double seconds;
} BackupResult;

/* Whatever fails, nothing is left that lists: the partial file is removed. Another backup of the
 * same database is ERR_REFUSED. */
bool backup_create(Arena *arena, Log *log, const BackupSpec *spec, BackupResult *result,
                   Error *err) MUST_CHECK;

/* A plain dump (pg_dump | gzip) that others made joins the catalogue: once it verifies it gets a
 * manifest, marked as adopted, of what is in it. It is linked into the folder when it is elsewhere;
 * FILE itself is not touched. */
typedef struct {
    const char *path;
    const char *directory; /* of the environment's backups */
    const char *name;      /* prefix, environment and database: which backups it counts with */
    const char *env;
    const char *database;
} AdoptSpec;

/* A file that is damaged or no dump is ERR_PROBLEMS, one that has a manifest ERR_REFUSED. */
bool backup_adopt(Arena *arena, Log *log, State *state, const AdoptSpec *spec, BackupResult *result,
                  Error *err) MUST_CHECK;

/* How closely to look. */
typedef enum {
    VERIFY_MANIFEST = 0, /* the manifest's own checksum, the file's size */
    VERIFY_HASH = 1,     /* and SHA-256 of the file */
    VERIFY_CONTENT = 2,  /* and inflates it all, counts and digests rows, wants the end marker */
    /* These two want a server, and so are in flows/drill.h. */
    VERIFY_RESTORE = 3, /* and restores it on trial: its tables, rows and indexes are there */
    VERIFY_DRILL = 4,   /* and every row is the same, the application connects, its queries run */
} VerifyLevel;

typedef struct {
    bool ok;
    VerifyLevel level;
    StrList errors; /* what is wrong, and where */
    StrList notes;  /* what could not be checked: a file without a manifest */
    bool has_manifest;
    Manifest manifest;          /* when there is one that can be read */
    char sha256[HASH_HEX_SIZE]; /* of the file; "" at level 0 */
    int64_t packed_bytes;
    int64_t raw_bytes; /* level 2, as the rest */
    int64_t rows;
    size_t tables;             /* with a COPY block */
    StrList roles;             /* that its statements name */
    const DumpTable *contents; /* of each of these tables */
} VerifyReport;

/* Levels 0 to 2. A bad backup is not an error but report->ok false; an error is what kept us from
 * looking (a file that is not there, an encrypted one without a key at level 2, an interrupt).
 * state is where the result is remembered; NULL: nowhere. */
bool backup_verify(Arena *arena, Log *log, State *state, const char *path, VerifyLevel level,
                   VerifyReport *report, Error *err) MUST_CHECK;
/* The same for a file that may be encrypted. */
bool backup_verify_with(Arena *arena, Log *log, State *state, const char *path, VerifyLevel level,
                        BackupKeys *keys, VerifyReport *report, Error *err) MUST_CHECK;
/* A report that is not ok, as ERR_PROBLEMS with its first error. */
bool backup_verify_error(const char *path, const VerifyReport *report, Error *err);

/* Writes the plain .sql.gz of an encrypted backup: byte for byte what would have been made without
 * encryption. output "-" is standard output; another one that is there is ERR_REFUSED. */
typedef struct {
    int64_t packed_bytes;
    int64_t raw_bytes;
    char sha256[HASH_HEX_SIZE];
} DecryptResult;
bool backup_decrypt(Arena *arena, Log *log, const char *path, BackupKeys *keys, const char *output,
                    DecryptResult *result, Error *err) MUST_CHECK;

typedef struct {
    const StrList *skip_roles; /* statements that name one of these are left out; may be NULL */
    BackupKeys *keys;          /* of an encrypted one; may be NULL */
    /* Of the sessions that restore a file of members at the same time; NULL: there is only one. */
    const SessionOptions *connect;
    int jobs; /* how many; 0: one for each core, 2 to 8 */
    /* Only these, "schema.table" or "table" with * and ?: with their indexes, constraints, triggers
     * and privileges, without views, large objects and foreign keys to others. Needs a file of
     * members. NULL: all of it. */
    const StrList *tables;
} LoadOptions;

typedef struct {
    const char *schema;
    const char *name;
    int64_t rows;
} TableRows;

typedef struct {
    int64_t rows;
    size_t tables;
    int64_t raw_bytes;
    double analyze_seconds;
    StrList notes;     /* statements that were left out, and why */
    TableRows *wanted; /* of options->tables, with partitions and what is above these; rows unset */
    size_t wanted_count;
} LoadResult;

/* Runs the dump in the database of session, which must be empty, then ANALYZE; a file of members by
 * several sessions (load_parallel.h). Any failure ends it with the line or the part of the dump and
 * what it is about; the caller drops the database. Digest and rows are those of the file,
 * not of the database: see backup_compare. */
bool backup_load(Arena *arena, Log *log, Session *session, const char *path,
                 const LoadOptions *options, LoadResult *result, Error *err) MUST_CHECK;

/* Makes the schema of the database of `from` in that of `to`, which must be empty, by pg_dump;
 * owners, privileges and subscriptions are left out. Without a pg_dump for that server ERR_FAILED
 * names the package. */
bool backup_copy_schema(Arena *arena, Log *log, Session *from, Session *to, const char *pg_bindir,
                        Error *err) MUST_CHECK;

/* A restored database beside the manifest of its backup. */
typedef struct {
    size_t tables;
    int64_t rows;
    size_t indexes;
    StrList missing_tables;
    StrList wrong_rows;    /* "public.t: 9 rows, the manifest says 10" */
    StrList wrong_indexes; /* missing or invalid */
    StrList wrong_sequences;
    TableRows *table_rows; /* of every table in order, for the list that a restore prints */
    size_t table_row_count;
} CompareReport;

/* manifest NULL (a foreign dump): only counts. */
bool backup_compare(Arena *arena, Log *log, Session *session, const Manifest *manifest,
                    CompareReport *report, Error *err) MUST_CHECK;
/* The part of a manifest that a database with only some tables is compared with. */
bool backup_narrow(Arena *arena, Session *session, const LoadResult *loaded,
                   const Manifest *manifest, Manifest *narrow, Error *err) MUST_CHECK;
/* The content of a restored database beside the digests of the manifest: the database is dumped
 * once more, to nowhere, and its rows digested as those of the backup were. *wrong gets the tables
 * that differ. *unseen gets those that may differ only because a dump of others has timestamps in
 * its own time zone, which it does not name. */
bool backup_compare_content(Arena *arena, Log *log, Session *session, const char *pg_bindir,
                            const Manifest *manifest, StrList *wrong, StrList *unseen,
                            Error *err) MUST_CHECK;

/* Retention. A backup stays for any of these reasons, and goes when it has none: it is at most
 * `days` old; fewer than keep_min verified ones are newer; it is the last verified one of a day,
 * week, month or year that is kept. Counted by the moment each finished, in UTC, among those of the
 * same name, environment and database. Only verified ones count. The newest verified one never
 * goes, nor does the one that was drilled last, one that is held (made before a migration), nor
 * anything when the listing is incomplete. */
typedef struct {
    int64_t days;
    int64_t keep_min;
    /* The last of so many periods that are over and have one; and of the running. 0: none. */
    int64_t daily, weekly, monthly, yearly;
} RetentionPolicy;

typedef struct {
    const BackupEntry *entry;
    bool verified;
    bool last_drilled;
    int64_t keep_until; /* of a hold, 0: none */
    const char *keep_reason;
    bool looked_at; /* and hashed again just now */
    bool remove;
    const char *reason; /* why it stays or goes */
} PruneRow;

/* The decision alone; rows are newest first, with verified, last_drilled and the
 * hold set. */
void backup_prune_decide(Arena *arena, PruneRow *rows, size_t count, int64_t now_unix_s,
                         const RetentionPolicy *policy);
/* Of the backups of one environment in directory: looks up what was verified and drilled, decides,
 * hashes the newest verified one again before another goes for its sake, and unless dry_run
 * deletes. */
bool backup_prune(Arena *arena, Log *log, State *state, const char *directory, const char *env,
                  const RetentionPolicy *policy, bool dry_run, PruneRow **rows, size_t *count,
                  Error *err) MUST_CHECK;
