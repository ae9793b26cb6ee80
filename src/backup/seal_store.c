#include "backup/seal_store.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define FORMAT     "vaxdb-backup-key"
#define FOLDER     "backup-keys"
#define KEY_SUFFIX ".key"
#define FILE_SIZE  65536

bool seal_store_read_secret(const char *path, char *text, size_t size, Error *err)
{
    struct stat status;
    size_t length = 0;
    text[0] = '\0';
    _cleanup_close_ int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        return error_set_errno(err, ERR_USAGE, errno, "cannot read %s", path);
    if (S_ISREG(status.st_mode) && (status.st_mode & (S_IRWXG | S_IRWXO))) {
        (void)error_set(err, ERR_REFUSED, "%s holds a secret, and other users may read it", path);
        return error_hint(err, "chmod 600 %s", path);
    }
    for (;;) {
        ssize_t got = read(descriptor, text + length, size - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, ERR_USAGE, errno, "cannot read %s", path);
        length += (size_t)got;
        if (length == size)
            return error_set(err, ERR_USAGE, "%s is too large", path);
        if (!got)
            break;
    }
    text[length] = '\0';
    return strlen(text) == length || error_set(err, ERR_USAGE, "%s is no text", path);
}

/* ---- hexadecimal ------------------------------------------------------------------------- */

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* *length: how many bytes fit, then how many there were. */
static bool from_hex(const char *hex, uint8_t *bytes, size_t *length)
{
    size_t digits = strlen(hex);
    if (digits % 2 || digits / 2 > *length)
        return false;
    *length = digits / 2;
    for (size_t i = 0; i < digits; i += 2) {
        int high = digit(hex[i]);
        int low = digit(hex[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void set_hex(json_t *object, const char *name, const uint8_t *bytes, size_t length)
{
    char hex[2 * SEAL_HEADER_MAX + 1];
    hash_to_hex(bytes, length, hex);
    (void)json_object_set_new(object, name, json_text(hex));
    seal_forget(hex, sizeof(hex));
}

/* ---- one key ----------------------------------------------------------------------------- */

static const char *key_path(Arena *arena, const char *state_directory,
                            const uint8_t id[SEAL_ID_BYTES])
{
    char hex[SEAL_ID_HEX_SIZE];
    hash_to_hex(id, SEAL_ID_BYTES, hex);
    return arena_printf(arena, "%s/" FOLDER "/%s" KEY_SUFFIX, state_directory, hex);
}

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool seal_store_put(Arena *arena, const char *state_directory, StoredKey *stored, Error *err)
{
    const char *path = key_path(arena, state_directory, stored->key.id);
    _cleanup_json_ json_t *root = json_object();
    json_t *recipients = json_array();
    stored->made_at = now_ns();
    for (size_t i = 0; i < stored->recipients->count; i++)
        (void)json_array_append_new(recipients, json_text(stored->recipients->items[i]));
    (void)json_object_set_new(root, "format", json_text(FORMAT));
    (void)json_object_set_new(root, "format_version", json_integer(1));
    (void)json_object_set_new(root, "directory", json_text(stored->directory));
    (void)json_object_set_new(root, "recipients", recipients);
    (void)json_object_set_new(root, "made_at_ns", json_integer(stored->made_at));
    set_hex(root, "key", stored->key.data, SEAL_KEY_BYTES);
    set_hex(root, "header", stored->header, stored->header_length);
    _cleanup_free_ char *text = json_dumps(root, JSON_INDENT(2));
    if (!text)
        return error_set(err, ERR_FAILED, "out of memory");
    bool put = directory_make(path_dirname(arena, path), 0700, err) &&
               file_create(path, text, strlen(text), 0600, err);
    seal_forget(text, strlen(text));
    return put;
}

static bool from_json(Arena *arena, const json_t *root, StoredKey *stored)
{
    uint8_t data[SEAL_KEY_BYTES];
    size_t key_length = sizeof(data);
    uint8_t *header = arena_alloc(arena, SEAL_HEADER_MAX);
    size_t header_length = SEAL_HEADER_MAX;
    StrList *recipients = arena_alloc(arena, sizeof(*recipients));
    const json_t *list = json_object_get(root, "recipients");
    SealHeader parsed;
    str_list_init(recipients, arena);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text)
            str_list_add(recipients, text);
    }
    *stored = (StoredKey){.header = header,
                          .directory = arena_strdup(arena, json_get_text(root, "directory", "")),
                          .recipients = recipients,
                          .made_at = json_get_int(root, "made_at_ns", 0)};
    bool right = str_equal(json_get_text(root, "format", ""), FORMAT) &&
                 json_get_int(root, "format_version", 0) == 1 &&
                 from_hex(json_get_text(root, "key", ""), data, &key_length) &&
                 key_length == sizeof(data) &&
                 from_hex(json_get_text(root, "header", ""), header, &header_length);
    stored->header_length = header_length;
    if (right)
        seal_key_derive(&stored->key, data);
    seal_forget(data, sizeof(data));
    return right && seal_header_parse(header, header_length, &parsed) &&
           seal_header_check(&parsed, &stored->key);
}

static bool read_key(Arena *arena, const char *path, StoredKey *stored, Error *err)
{
    _cleanup_free_ char *text = malloc(FILE_SIZE);
    _cleanup_json_ json_t *root = NULL;
    if (!text)
        return error_set(err, ERR_FAILED, "out of memory");
    bool read = seal_store_read_secret(path, text, FILE_SIZE, err) &&
                json_parse(text, strlen(text), path, &root, err) &&
                (from_json(arena, root, stored) ||
                 error_set(err, ERR_PROBLEMS, "%s is no key of backups, or was changed", path));
    seal_forget(text, FILE_SIZE);
    return read;
}

bool seal_store_get(Arena *arena, const char *state_directory, const uint8_t id[SEAL_ID_BYTES],
                    bool *found, StoredKey *stored, Error *err)
{
    const char *path = key_path(arena, state_directory, id);
    *found = file_exists(path);
    if (!*found)
        return true;
    return read_key(arena, path, stored, err) &&
           (seal_equal(stored->key.id, id, SEAL_ID_BYTES) ||
            error_set(err, ERR_PROBLEMS, "%s holds another key than its name says", path));
}

/* ---- the newest -------------------------------------------------------------------------- */

static bool is_for(const StoredKey *stored, const char *directory, const StrList *recipients)
{
    if (!str_equal(stored->directory, directory))
        return false;
    if (!recipients)
        return true;
    bool same = stored->recipients && stored->recipients->count == recipients->count;
    for (size_t i = 0; same && i < recipients->count; i++)
        same = str_equal(stored->recipients->items[i], recipients->items[i]);
    return same;
}

bool seal_store_newest(Arena *arena, const char *state_directory, const char *directory,
                       const StrList *recipients, bool *found, StoredKey *stored, Error *err)
{
    const char *folder = path_join(arena, state_directory, FOLDER);
    StrList names;
    *found = false;
    *stored = (StoredKey){0};
    str_list_init(&names, arena);
    if (!file_is_directory(folder))
        return true;
    if (!directory_list(arena, folder, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        StoredKey candidate = {0};
        if (*names.items[i] == '.' || !str_ends(names.items[i], KEY_SUFFIX))
            continue;
        if (!read_key(arena, path_join(arena, folder, names.items[i]), &candidate, err))
            return false;
        if (is_for(&candidate, directory, recipients) &&
            (!*found || candidate.made_at > stored->made_at)) {
            *stored = candidate;
            *found = true;
        }
        seal_forget(&candidate, sizeof(candidate));
    }
    return true;
}
