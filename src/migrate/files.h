/* The folder of migrations: which files are migrations, their order, pairs and checksums.
 *
 * A migration is NAME.sql or NAME.up.sql; its down is NAME.down.sql, or a section of the file
 * itself (sections.h), and then down_path is path: read it with script_read_down. Of Flyway's names
 * U1.2__ANY.sql is the down of V1.2__NAME.sql. Hidden files and other names are not looked at, nor
 * are folders inside. Order is natural: runs of digits compare as numbers, so that 9_x comes before
 * 10_x, and V1__x before V1.1__x. The checksum is SHA-256 of the text as it is run: without a byte
 * order mark and with "\n" for "\r\n", so that a checkout on another system keeps it. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

#define MIGRATION_NAME_MAX 255 /* characters; the ledger's column */

typedef struct {
    const char *name; /* as the ledger has it, with ".sql" */
    const char *path;
    const char *down_name; /* NULL where there is none */
    const char *down_path;
    char checksum[HASH_HEX_SIZE];
    char raw_checksum[HASH_HEX_SIZE]; /* of the bytes as they are, which other tools record */
} MigrationFile;

typedef struct {
    const char *directory;
    MigrationFile *items; /* in the order they run */
    size_t count, capacity;
    StrList orphans;  /* downs without an up */
    StrList problems; /* what `up` refuses: names too long, ambiguous pairs, no UTF-8 */
} MigrationFiles;

/* Reads every migration once for its checksum. Everything is in the arena. A folder that is not
 * there is ERR_USAGE. */
bool migration_files_scan(Arena *arena, const char *directory, MigrationFiles *files,
                          Error *err) MUST_CHECK;
/* The text as it is hashed and run. Not UTF-8 is ERR_USAGE. raw_checksum may be NULL. */
bool migration_text_read(Arena *arena, const char *path, char **text, size_t *length,
                         char checksum[HASH_HEX_SIZE], char *raw_checksum, Error *err) MUST_CHECK;
/* Natural order of two names; 0 only for equal names. */
int migration_name_compare(const char *a, const char *b);
/* The number in front of a name without its leading zeros ("002_x" gives "2"), "" for none. */
char *migration_number(Arena *arena, const char *name);
