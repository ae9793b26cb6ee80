/* A folder of backups.
 *
 * A backup is three files: NAME-ENV-YYYYMMDD-HHMMSS.sql.gz (an encrypted one .sql.gz.enc), the same
 * with .sha256 and the same with .json, its manifest; and where the roles of the server could be
 * read NAME-....globals.sql.gz (.enc, too). Only what has a manifest is a backup: files are found
 * by their manifest and never by a pattern.
 *
 * A run that makes one first claims its name with an empty ".NAME.json.partial" on which it holds a
 * lock for as long as it lives, packs into ".NAME.partial", and at the end renames the data and
 * then the manifest, the last step. So a killed run leaves nothing that lists, and a later run can
 * prove that its owner is dead: the lock is free. */
#pragma once

#include "backup/manifest.h"

typedef struct {
    const char *path; /* of the .sql.gz, absolute when the folder is */
    Manifest manifest;
    const char *problem; /* why it cannot be used as it is; NULL: nothing seen */
} BackupEntry;

typedef struct {
    BackupEntry *items; /* newest first */
    size_t count;
    size_t capacity;
    /* Manifests that cannot be read, by file and reason: the listing is incomplete. */
    StrList unreadable;
    size_t foreign; /* .sql.gz and .sql.gz.enc files without a manifest */
} BackupList;

/* A folder that does not exist is an empty list. Looks at sizes, not at contents. */
bool backup_list(Arena *arena, const char *directory, BackupList *list, Error *err) MUST_CHECK;
/* Newest first, as they come from backup_list. */
void backup_list_sort(BackupList *list);

/* One backup by its path, as backup_list would have it. *found is false, and that no error, when it
 * has no manifest. */
bool backup_look(Arena *arena, const char *path, bool *found, BackupEntry *entry,
                 Error *err) MUST_CHECK;

/* The file that a user means: a path, or the name of one in the folder. Not there is ERR_USAGE. */
bool backup_find(Arena *arena, const char *directory, const char *wanted, const char **path,
                 Error *err) MUST_CHECK;

/* The file of roles and tablespaces that belongs to a backup, there or not. */
const char *backup_globals_path(Arena *arena, const char *path);

typedef struct {
    const char *directory;
    const char *file;    /* base name: NAME-ENV-YYYYMMDD-HHMMSS.sql.gz */
    const char *path;    /* directory/file */
    const char *partial; /* where the data goes until it is whole */
    const char *claim;   /* the locked file */
    int lock;
    int descriptor; /* the data, open for writing */
    int64_t started_at;
    bool committed;
} BackupClaim;

/* Makes the folder where it is missing, removes what dead runs left, claims a name of this second
 * (or of one of the next). */
bool backup_claim(Arena *arena, const char *directory, const char *name, const char *env,
                  const char *suffix, BackupClaim *claim, Error *err) MUST_CHECK;
/* The same for a name that a backup has elsewhere. One that is here already, or is being written,
 * is ERR_REFUSED. */
bool backup_claim_file(Arena *arena, const char *directory, const char *file, BackupClaim *claim,
                       Error *err) MUST_CHECK;
/* Syncs and renames the data, writes checksum and manifest; after it the backup lists. */
bool backup_claim_commit(Arena *arena, BackupClaim *claim, const Manifest *manifest,
                         Error *err) MUST_CHECK;
/* With the text of a manifest that was written before. */
bool backup_claim_commit_text(Arena *arena, BackupClaim *claim, const char *sha256,
                              const char *text, Error *err) MUST_CHECK;
/* Without a commit: removes every file of it. Closes what is open. */
void backup_claim_release(BackupClaim *claim);

/* Deletes one backup: manifest first, so that it is never listed without its data. */
bool backup_delete(Arena *arena, const char *path, Error *err) MUST_CHECK;
