#include "backup/seal_keys.h"

#include "backup/seal_store.h"
#include "base/file.h"

#include <string.h>

#define IDENTITIES_MAX     64
#define PASSPHRASE_MIN     8
#define IDENTITY_FILE_SIZE 16384

typedef struct Opened {
    struct Opened *next;
    SealKey key;
} Opened;

struct BackupKeys {
    Arena *arena; /* of nothing secret */
    BackupKeysSpec spec;
    StrList recipients;
    Opened *opened;
    bool has_identities;
    SealIdentity identities[IDENTITIES_MAX];
    size_t identity_count;
    bool has_passphrase;
    char passphrase[SEAL_PASSPHRASE_SIZE];
};

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

BackupKeys *backup_keys_create(const BackupKeysSpec *spec)
{
    BackupKeys *keys = calloc(1, sizeof(*keys));
    if (!keys)
        abort();
    keys->arena = arena_create();
    keys->spec = *spec;
    StrList recipients;
    str_list_init(&recipients, keys->arena);
    if (!str_empty(spec->recipients))
        str_split(&recipients, spec->recipients, ",");
    backup_keys_set_recipients(keys, &recipients);
    return keys;
}

void backup_keys_destroy(BackupKeys *keys)
{
    if (!keys)
        return;
    for (Opened *opened = keys->opened; opened;) {
        Opened *next = opened->next;
        seal_forget(opened, sizeof(*opened));
        free(opened);
        opened = next;
    }
    arena_destroy(keys->arena);
    seal_forget(keys, sizeof(*keys));
    free(keys);
}

static const SealKey *keep(BackupKeys *keys, const SealKey *key)
{
    Opened *opened = calloc(1, sizeof(*opened));
    if (!opened)
        abort();
    *opened = (Opened){keys->opened, *key};
    keys->opened = opened;
    return &opened->key;
}

/* ---- secrets in files -------------------------------------------------------------------- */

static bool read_identities(const char *path, SealIdentity *identities, size_t *count, Error *err)
{
    char text[IDENTITY_FILE_SIZE];
    size_t number = 0;
    bool read = seal_store_read_secret(path, text, sizeof(text), err);
    *count = 0;
    for (char *line = text, *next = NULL; read && line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        number++;
        char *trimmed = str_trim(line);
        if (!*trimmed || *trimmed == '#')
            continue;
        if (*count == IDENTITIES_MAX || !seal_identity_parse(trimmed, &identities[*count])) {
            (void)error_set(err, ERR_USAGE, "%s:%zu: no identity, or one too many", path, number);
            (void)error_hint(err, "`vaxdb backup key FILE` makes one");
            read = false;
        } else {
            (*count)++;
        }
    }
    seal_forget(text, sizeof(text));
    if (read && !*count)
        return error_set(err, ERR_USAGE, "%s holds no identity", path);
    return read;
}

bool backup_keys_write_identity(const char *path, SealRecipient *recipient, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    SealIdentity identity;
    seal_identity_create(&identity);
    *recipient = identity.recipient;
    char *secret = seal_identity_text(arena, &identity);
    char text[256];
    (void)snprintf(text, sizeof(text),
                   "# opens backups that are encrypted for the recipient\n# %s\n%s\n",
                   seal_recipient_text(arena, recipient), secret);
    bool written = file_create(path, text, strlen(text), 0600, err);
    seal_forget(&identity, sizeof(identity));
    seal_forget(secret, strlen(secret));
    seal_forget(text, sizeof(text));
    return written;
}

bool backup_keys_read_identity(const char *path, SealRecipient *recipient, Error *err)
{
    SealIdentity identities[IDENTITIES_MAX];
    size_t count = 0;
    bool read = read_identities(path, identities, &count, err);
    if (read)
        *recipient = identities[0].recipient;
    seal_forget(identities, sizeof(identities));
    return read;
}

/* ---- the passphrase ---------------------------------------------------------------------- */

void seal_take_passphrase(char passphrase[SEAL_PASSPHRASE_SIZE])
{
    char *value = getenv(SEAL_PASSPHRASE_ENV);
    (void)snprintf(passphrase, SEAL_PASSPHRASE_SIZE, "%s", value ? value : "");
    if (value)
        seal_forget(value, strlen(value)); /* where the system shows it */
    (void)unsetenv(SEAL_PASSPHRASE_ENV);
}

static bool ask(BackupKeys *keys, bool twice, Error *err)
{
    char again[SEAL_PASSPHRASE_SIZE];
    Log *log = keys->spec.log;
    if (!log || !log->can_ask) {
        (void)error_set(err, ERR_USAGE, "the passphrase of the backups is not known");
        return error_hint(err, "name the file with it (setting backup_passphrase_file), or set $%s",
                          SEAL_PASSPHRASE_ENV);
    }
    if (!log_ask_secret(log, "Passphrase of the backup", keys->passphrase, SEAL_PASSPHRASE_SIZE,
                        err))
        return false;
    if (!twice)
        return true;
    bool same = log_ask_secret(log, "Once more", again, sizeof(again), err);
    if (same && !str_equal(again, keys->passphrase)) {
        (void)error_set(err, ERR_USAGE, "the two passphrases are not the same");
        same = false;
    }
    seal_forget(again, sizeof(again));
    return same;
}

/* making: it encrypts, and so must be good and typed right. */
static bool need_passphrase(BackupKeys *keys, bool making, Error *err)
{
    if (keys->has_passphrase)
        return true;
    const char *file = keys->spec.passphrase_file;
    bool got = false;
    if (file)
        got = seal_store_read_secret(file, keys->passphrase, SEAL_PASSPHRASE_SIZE, err);
    else if (!str_empty(keys->spec.passphrase))
        got = snprintf(keys->passphrase, SEAL_PASSPHRASE_SIZE, "%s", keys->spec.passphrase) > 0;
    else
        got = ask(keys, making, err);
    keys->passphrase[strcspn(keys->passphrase, "\r\n")] = '\0';
    if (got && strlen(keys->passphrase) < PASSPHRASE_MIN)
        got = error_set(err, ERR_USAGE, "the passphrase has fewer than %d characters",
                        PASSPHRASE_MIN);
    keys->has_passphrase = got;
    return got;
}

/* ---- making ------------------------------------------------------------------------------ */

bool backup_keys_wanted(const BackupKeys *keys)
{
    return keys && keys->recipients.count > 0;
}

void backup_keys_set_recipients(BackupKeys *keys, const StrList *recipients)
{
    str_list_init(&keys->recipients, keys->arena);
    for (size_t i = 0; i < recipients->count; i++) {
        char *text = str_trim(arena_strdup(keys->arena, recipients->items[i]));
        if (*text && !str_list_has(&keys->recipients, text))
            str_list_add(&keys->recipients, text);
    }
    if (keys->recipients.count)
        qsort(keys->recipients.items, keys->recipients.count, sizeof(*keys->recipients.items),
              by_text);
}

/* Never shows what was given: it may be a passphrase or an identity. */
static bool parse_recipients(const BackupKeys *keys, SealRecipient *recipients, size_t *count,
                             bool *by_passphrase, Error *err)
{
    *count = 0;
    *by_passphrase = false;
    if (keys->recipients.count > SEAL_SLOTS_MAX)
        return error_set(err, ERR_USAGE, "a backup has at most %d recipients", SEAL_SLOTS_MAX);
    for (size_t i = 0; i < keys->recipients.count; i++) {
        if (str_equal(keys->recipients.items[i], SEAL_PASSPHRASE_WORD)) {
            *by_passphrase = true;
        } else if (!seal_recipient_parse(keys->recipients.items[i], &recipients[(*count)++])) {
            (void)error_set(err, ERR_USAGE,
                            "recipient %zu of the backups is neither a public key (vaxdb1...) nor "
                            "the word " SEAL_PASSPHRASE_WORD,
                            i + 1);
            return error_hint(err, "`vaxdb backup key FILE` makes a key and prints what belongs "
                                   "here (--encrypt, setting backup_recipient)");
        }
    }
    return true;
}

/* Does the passphrase still open it? Where none is wanted there is nothing to ask. */
static bool still_opens(const BackupKeys *keys, const StoredKey *stored, bool by_passphrase)
{
    SealHeader header;
    SealKey key;
    if (!seal_header_parse(stored->header, stored->header_length, &header) ||
        !seal_header_check(&header, &stored->key))
        return false;
    if (!by_passphrase)
        return true;
    bool opens = seal_header_open_passphrase(&header, keys->passphrase, &key);
    seal_forget(&key, sizeof(key));
    return opens;
}

static bool make_key(BackupKeys *keys, const char *directory, const SealRecipient *recipients,
                     size_t count, bool by_passphrase, StoredKey *stored, Error *err)
{
    uint8_t data[SEAL_KEY_BYTES];
    _cleanup_buffer_ Buffer header;
    buffer_init(&header, SEAL_HEADER_MAX);
    seal_random(data, sizeof(data));
    *stored = (StoredKey){.directory = directory, .recipients = &keys->recipients};
    seal_key_derive(&stored->key, data);
    seal_forget(data, sizeof(data));
    if (!seal_header_write(&stored->key, recipients, count, by_passphrase ? keys->passphrase : NULL,
                           &header, err))
        return false;
    stored->header_length = header.length;
    stored->header = memcpy(arena_alloc(keys->arena, header.length), header.data, header.length);
    return !keys->spec.state_directory ||
           seal_store_put(keys->arena, keys->spec.state_directory, stored, err);
}

bool backup_keys_repository(BackupKeys *keys, const char *directory, SealRepository *repository,
                            Error *err)
{
    SealRecipient recipients[SEAL_SLOTS_MAX];
    size_t count = 0;
    bool by_passphrase = false;
    bool found = false;
    char *absolute = NULL;
    StoredKey stored = {0};
    if (!parse_recipients(keys, recipients, &count, &by_passphrase, err) ||
        (by_passphrase && !need_passphrase(keys, true, err)) ||
        !path_absolute(keys->arena, directory, &absolute, err))
        return false;
    const char *state = keys->spec.state_directory;
    if (state &&
        !seal_store_newest(keys->arena, state, absolute, &keys->recipients, &found, &stored, err))
        return false;
    bool ready = (found && still_opens(keys, &stored, by_passphrase)) ||
                 make_key(keys, absolute, recipients, count, by_passphrase, &stored, err);
    if (ready)
        *repository = (SealRepository){.key = keep(keys, &stored.key),
                                       .header = stored.header,
                                       .header_length = stored.header_length,
                                       .recipients = &keys->recipients};
    seal_forget(&stored.key, sizeof(stored.key));
    return ready;
}

/* ---- opening ----------------------------------------------------------------------------- */

static bool open_by_identity(BackupKeys *keys, const SealHeader *header, SealKey *key, bool *opened,
                             Error *err)
{
    const char *file = keys->spec.identity_file;
    *opened = false;
    if (!file || !seal_header_has(header, SEAL_SLOT_X25519))
        return true;
    if (!keys->has_identities &&
        !read_identities(file, keys->identities, &keys->identity_count, err))
        return false;
    keys->has_identities = true;
    for (size_t i = 0; i < keys->identity_count && !*opened; i++)
        *opened = seal_header_open(header, &keys->identities[i], key);
    return true;
}

static bool open_by_passphrase(BackupKeys *keys, const SealHeader *header, SealKey *key,
                               bool *opened, Error *err)
{
    Error error = {0};
    *opened = false;
    if (!seal_header_has(header, SEAL_SLOT_SCRYPT))
        return true;
    if (!need_passphrase(keys, false, &error)) {
        /* With recipients besides, none need be known. */
        bool other_ways = seal_header_has(header, SEAL_SLOT_X25519);
        if (!other_ways || error.code == ERR_INTERRUPTED)
            *err = error;
        return other_ways && error.code != ERR_INTERRUPTED;
    }
    *opened = seal_header_open_passphrase(header, keys->passphrase, key);
    return true;
}

static bool no_key(const BackupKeys *keys, const char *path, const SealHeader *header, Error *err)
{
    const char *file = path_basename(path);
    const char *identities = keys ? keys->spec.identity_file : NULL;
    if (keys && keys->has_passphrase)
        (void)error_set(err, ERR_USAGE, "%s is encrypted, and the passphrase does not open it",
                        file);
    else if (identities && seal_header_has(header, SEAL_SLOT_X25519))
        (void)error_set(err, ERR_USAGE, "%s is encrypted, and no identity in %s opens it", file,
                        identities);
    else
        (void)error_set(err, ERR_USAGE, "%s is encrypted, and no key for it is known here", file);
    return error_hint(err, "`vaxdb backup show` says for whom it is; name the file of an identity "
                           "with the setting backup_identity, or that of the passphrase with "
                           "backup_passphrase_file; `vaxdb backup verify --level 1` needs no key");
}

bool backup_keys_open(BackupKeys *keys, const char *path, const SealHeader *header,
                      const SealKey **key, Error *err)
{
    StoredKey stored = {0};
    bool opened = false;
    if (!keys)
        return no_key(keys, path, header, err);
    for (const Opened *known = keys->opened; known; known = known->next) {
        *key = &known->key;
        if (seal_header_check(header, *key))
            return true;
    }
    const char *state = keys->spec.state_directory;
    if (state && !seal_store_get(keys->arena, state, header->id, &opened, &stored, err))
        return false;
    if (opened && !seal_header_check(header, &stored.key)) {
        seal_forget(&stored.key, sizeof(stored.key));
        return error_set(err, ERR_PROBLEMS, "the header of %s was changed: it is not under its key",
                         path_basename(path));
    }
    bool tried =
        opened || (open_by_identity(keys, header, &stored.key, &opened, err) &&
                   (opened || open_by_passphrase(keys, header, &stored.key, &opened, err)));
    if (opened)
        *key = keep(keys, &stored.key);
    seal_forget(&stored.key, sizeof(stored.key));
    return tried && (opened || no_key(keys, path, header, err));
}

bool backup_keys_is_strange(const BackupKeys *keys, const char *directory, const SealHeader *header)
{
    StoredKey stored = {0};
    bool known = false;
    bool any = false;
    Error ignored = {0};
    _cleanup_arena_ Arena *arena = arena_create();
    const char *state = keys ? keys->spec.state_directory : NULL;
    if (!state || !seal_store_get(arena, state, header->id, &known, &stored, &ignored) || known ||
        !seal_store_newest(arena, state, directory, NULL, &any, &stored, &ignored))
        any = false;
    seal_forget(&stored, sizeof(stored));
    return any;
}
