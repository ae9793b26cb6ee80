/* Where keys of encrypted backups come from: who they are made for, and what opens one.
 *
 * A machine that makes backups keeps their data keys in STATE/backup-keys/KEY-ID.key (0600, JSON):
 * one for each folder of backups and set of recipients, with the header that wraps it. So the same
 * members are the same bytes from day to day, and what was made can be verified without anybody's
 * identity. Such a file is as secret as the database beside it. Losing it costs one whole upload.
 *
 * A passphrase comes from a file, from $VAXDB_BACKUP_PASSPHRASE (which is wiped before anything
 * else is done, so that no child gets it), or from the terminal; never from the command line. */
#pragma once

#include "backup/seal_header.h"
#include "base/log.h"
#include "base/str.h"

#define SEAL_PASSPHRASE_WORD "passphrase" /* in the place of a recipient */
#define SEAL_PASSPHRASE_ENV  "VAXDB_BACKUP_PASSPHRASE"
#define SEAL_PASSPHRASE_SIZE 1024

/* Moves it out of the environment, where `ps e` and children see it; "" when it is not there. One
 * that is too long is cut, and so opens nothing. The caller overwrites it in the end. */
void seal_take_passphrase(char passphrase[SEAL_PASSPHRASE_SIZE]);

typedef struct {
    Log *log;                    /* asks for the passphrase; NULL: nobody is asked */
    const char *state_directory; /* NULL: no data keys are kept */
    const char *recipients;      /* by commas: keys, "passphrase"; NULL or "": not encrypted */
    const char *identity_file;   /* lines of identities; may be NULL */
    const char *passphrase_file; /* its first line; may be NULL */
    const char *passphrase;      /* of the environment, where no file is named; NULL or "": none */
} BackupKeysSpec;

/* Reads nothing before a key is wanted. Used by one thread; the keys that it hands out live as long
 * as it, and may be used by all. What spec points to must outlive it. Never fails. */
typedef struct BackupKeys BackupKeys;
BackupKeys *backup_keys_create(const BackupKeysSpec *spec);
void backup_keys_destroy(BackupKeys *keys); /* NULL is allowed; overwrites what is secret */

static inline void cleanup_backup_keys(BackupKeys **keys)
{
    backup_keys_destroy(*keys);
}
#define _cleanup_backup_keys_ _cleanup_(cleanup_backup_keys)

/* ---- making --------------------------------------------------------------------------------- */

typedef struct {
    const SealKey *key;
    const void *header;
    size_t header_length;
    const StrList *recipients; /* as text, sorted */
} SealRepository;

/* Are backups to be encrypted? NULL: no. */
bool backup_keys_wanted(const BackupKeys *keys);
/* In the place of spec's recipients. */
void backup_keys_set_recipients(BackupKeys *keys, const StrList *recipients);
/* The data key of a folder for the recipients, which is made where there is none. A recipient that
 * is none, or a passphrase that cannot be had, is ERR_USAGE; no message shows what was given. */
bool backup_keys_repository(BackupKeys *keys, const char *directory, SealRepository *repository,
                            Error *err) MUST_CHECK;

/* ---- opening -------------------------------------------------------------------------------- */

/* The data key that a header wraps: the one kept here, else by an identity, else by the passphrase.
 * None that fits, or keys NULL, is ERR_USAGE; what is in messages is the name of path. */
bool backup_keys_open(BackupKeys *keys, const char *path, const SealHeader *header,
                      const SealKey **key, Error *err) MUST_CHECK;
/* Has this machine data keys for the folder, and is the header's none of them? */
bool backup_keys_is_strange(const BackupKeys *keys, const char *directory,
                            const SealHeader *header);

/* ---- key pairs ------------------------------------------------------------------------------ */

/* Writes a new identity into a file that is not there yet (0600). */
bool backup_keys_write_identity(const char *path, SealRecipient *recipient, Error *err) MUST_CHECK;
/* The recipient of a file's first identity. */
bool backup_keys_read_identity(const char *path, SealRecipient *recipient, Error *err) MUST_CHECK;
