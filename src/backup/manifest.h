/* The manifest of a backup: FILE.json, written last, which makes the file a backup. Without it
 * nothing lists, counts or deletes the file.
 *
 * It says what was dumped (server, database, snapshot), what the file must hold (rows and digest of
 * every table, indexes, bytes, SHA-256) and guards itself: "manifest_sha256" is the SHA-256 of the
 * object without that member, as compact JSON with sorted keys. Members that this version does not
 * know are kept out of the struct and still count in that hash. Names are in the encoding of the
 * database; of one that is no UTF-8 the bytes are in "name_hex", "schema_hex" and so on.
 *
 * That of an encrypted backup is readable, too: names of tables, their rows and bytes. But it has
 * no digests of rows, and "manifest_mac", an HMAC under the backup's key of the hash of what it
 * says without the two. */
#pragma once

#include "backup/archive.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_FORMAT         "vaxdb-backup"
#define MANIFEST_FORMAT_VERSION 1
#define MANIFEST_SUFFIX         ".json"   /* behind the name of the backup */
#define CHECKSUM_SUFFIX         ".sha256" /* likewise: for `sha256sum -c` */
#define BACKUP_SUFFIX           ".sql.gz"
#define GLOBALS_SUFFIX          ".globals.sql.gz" /* in its place: roles and tablespaces */

typedef struct {
    const char *schema;
    const char *name;
    bool partitioned; /* has no rows of its own: its partitions have */
    bool extension;   /* configuration rows of an extension: the extension makes the table */
    bool excluded;    /* its rows were not wanted: the dump holds the empty table */
    /* Where the dump loads its rows when not into itself: the root of its partitions, because
     * another database may route them to another partition. NULL: itself. */
    const char *root_schema;
    const char *root_name;
    uint32_t number;    /* in the labels of its members (member.h); none other has it */
    int64_t rows;       /* of its COPY data; as many as the server says it sent */
    int64_t raw_bytes;  /* of its COPY data */
    const char *digest; /* of its rows in any order, 16 hex digits (dump_reader.h) */
} ManifestTable;

typedef struct {
    const char *schema;
    const char *name;
    const char *table;
    bool valid;
} ManifestIndex;

typedef struct {
    const char *name;
    const char *version;
} ManifestExtension;

typedef struct {
    const char *schema;
    const char *name;
    int64_t last_value;
    bool called; /* the next value is the one behind it, else itself */
} ManifestSequence;

/* The file of what the databases of a server share. */
typedef struct {
    int64_t packed_bytes;
    int64_t raw_bytes;
    const char *sha256; /* NULL: there is no such file */
    bool passwords;     /* with those of the roles, hashed as the server keeps them */
} ManifestGlobals;

typedef struct {
    const char *file;   /* base name of the backup */
    const char *name;   /* prefix of the name: "vaxtrace" */
    const char *env;    /* "production" */
    const char *reason; /* "backup create", "before a restore", ... */
    bool adopted;       /* made by others: what a dump does not say is "", 0 or none */
    const char *tool_version;
    const char *dump_version; /* of pg_dump */
    const char *server_version;
    int64_t server_version_number; /* 150020 */
    const char *system_identifier;
    const char *database;
    const char *owner;
    const char *encoding;
    const char *collate;
    const char *ctype;
    const char *locale_provider; /* "c" libc, "i" ICU, "b" builtin */
    const char *locale;          /* of ICU or builtin; NULL for libc */
    int64_t database_bytes;      /* pg_database_size() */
    int64_t started_at;          /* seconds since 1970 */
    int64_t snapshot_at;         /* the moment that the backup shows */
    int64_t finished_at;
    const char *snapshot_lsn;
    ManifestTable *tables;
    size_t table_count;
    ManifestIndex *indexes;
    size_t index_count;
    ManifestSequence *sequences; /* none in backups of before they were noted */
    size_t sequence_count;
    ManifestExtension *extensions;
    size_t extension_count;
    ManifestGlobals globals;
    int64_t raw_bytes;
    int64_t packed_bytes;
    const char *sha256;
    ArchiveIndex index;           /* count 0: the file has none */
    const char *key_id;           /* of an encrypted backup, 32 hex digits; NULL: it is plain */
    StrList recipients;           /* public keys, and "passphrase" */
    const char *mac;              /* as it was read; "": it has none */
    char mac_hash[HASH_HEX_SIZE]; /* of what the MAC is */
} Manifest;

/* Names of backups: "NAME.sql.gz", "NAME.sql.gz.enc", with `behind` behind them ("", ".json"). The
 * length of what stands before behind; 0: it is no such name. */
size_t manifest_file_length(const char *name, const char *behind);

/* Indented JSON with the self-hash and a newline at the end, in the arena. That of an encrypted
 * backup is written with index.key. */
char *manifest_write(Arena *arena, const Manifest *manifest);
/* Was it, as it was read, written with this key? */
bool manifest_check_mac(const Manifest *manifest, const SealKey *key) MUST_CHECK;
/* what names the text in messages. A text that is no manifest, was changed since it was written or
 * is of a newer format is ERR_PROBLEMS. Everything is in the arena. */
bool manifest_parse(Arena *arena, const char *what, const char *text, size_t length,
                    Manifest *manifest, Error *err) MUST_CHECK;
/* Reads the manifest of a backup; path is of the backup itself. *found is false, and that no error,
 * when there is none. */
bool manifest_read(Arena *arena, const char *path, bool *found, Manifest *manifest,
                   Error *err) MUST_CHECK;

/* Gives every table its number: that of its name, so that tables which come and go leave those of
 * the others, and with them their members, as they are. */
void manifest_number_tables(Manifest *manifest);
/* That of a number; NULL: none has it. */
const ManifestTable *manifest_find_number(const Manifest *manifest, uint32_t number);

/* Sum over tables; partitioned ones and those of extensions do not count. */
int64_t manifest_rows(const Manifest *manifest);
size_t manifest_table_count(const Manifest *manifest);

/* What the COPY blocks of a dump hold, by the table that they name: a partition counts for the root
 * through which it is loaded. */
typedef struct {
    const char *schema;
    const char *name;
    int64_t rows;
    char digest[17]; /* "" when the manifest has none */
    bool extension;
} ManifestLoad;

ManifestLoad *manifest_loads(Arena *arena, const Manifest *manifest, size_t *count);
