#include "backup/offsite_internal.h"

#include "backup/backup.h"
#include "backup/globals.h"
#include "base/clock.h"
#include "base/file.h"
#include "state/backups.h"

#include <string.h>

#define SPARE_BYTES ((int64_t)64 << 20) /* that a pull leaves on the disk */

bool offsite_manifest(Arena *arena, Store *store, const char *file, const char **text,
                      Manifest *manifest, Error *err)
{
    const char *name = arena_printf(arena, "%s%s", file, MANIFEST_SUFFIX);
    const char *what = arena_printf(arena, "%s in %s", name, store_url(store));
    _cleanup_buffer_ Buffer buffer;
    StoreObject object;
    bool found = false;
    buffer_init(&buffer, BUFFER_MAX_FILE);
    *text = NULL;
    if (!store_head(store, arena, name, &found, &object, err))
        return false;
    if (!found)
        return true;
    if (object.bytes > (int64_t)BUFFER_MAX_FILE)
        return error_set(err, ERR_PROBLEMS, "%s is too large for a manifest", what);
    if (!store_read(store, name, 0, (size_t)object.bytes, &buffer, err) ||
        !manifest_parse(arena, what, buffer.data, buffer.length, manifest, err))
        return false;
    if (!str_equal(manifest->file, file))
        return error_set(err, ERR_PROBLEMS, "%s is the manifest of %s", what, manifest->file);
    *text = arena_strndup(arena, buffer.data, buffer.length);
    return true;
}

static bool is_same(const Manifest *ours, const Manifest *theirs)
{
    return str_equal(ours->sha256, theirs->sha256) && ours->packed_bytes == theirs->packed_bytes;
}

bool offsite_has_data(Arena *arena, Store *store, const Manifest *manifest, bool *has, Error *err)
{
    StoreObject object;
    bool found = false;
    if (!store_head(store, arena, manifest->file, &found, &object, err))
        return false;
    *has = found && object.bytes == manifest->packed_bytes &&
           (!object.sha256 || str_equal(object.sha256, manifest->sha256));
    return true;
}

bool backup_offsite_has(Arena *arena, Store *store, const Manifest *manifest, bool *has, Error *err)
{
    const char *text = NULL;
    Manifest theirs;
    *has = false;
    if (!offsite_manifest(arena, store, manifest->file, &text, &theirs, err))
        return false;
    return !text || !is_same(manifest, &theirs) ||
           offsite_has_data(arena, store, manifest, has, err);
}

/* ---- push ----------------------------------------------------------------------------------- */

static bool check_local(Arena *arena, Log *log, const char *path, Manifest *manifest, Error *err)
{
    VerifyReport report;
    bool found = false;
    if (!manifest_read(arena, path, &found, manifest, err))
        return false;
    if (!found) {
        (void)error_set(err, ERR_USAGE, "%s has no manifest: it was not made by vaxdb", path);
        return error_hint(err, "vaxdb backup list shows the backups that can be pushed");
    }
    if (!backup_verify(arena, log, NULL, path, VERIFY_HASH, &report, err))
        return false;
    return report.ok || backup_verify_error(path, &report, err);
}

/* What is there under this name. Credentials that may only write are shown nothing. */
static bool look_there(Arena *arena, Log *log, Store *store, const Manifest *ours, bool *already,
                       Error *err)
{
    const char *text = NULL;
    Manifest theirs;
    Error failure = {0};
    *already = false;
    if (!offsite_manifest(arena, store, ours->file, &text, &theirs, &failure)) {
        if (failure.code == ERR_REFUSED) {
            log_debug(log, "%s", failure.message);
            return true;
        }
        *err = failure;
        return false;
    }
    if (!text)
        return true;
    if (!is_same(ours, &theirs)) {
        (void)error_set(err, ERR_REFUSED, "%s has another backup called %s", store_url(store),
                        ours->file);
        return error_hint(err, "nothing was sent; use another name or prefix for each database");
    }
    return offsite_has_data(arena, store, ours, already, err);
}

/* A small file beside the backup. */
static bool put_beside(Store *store, const char *beside, OffsiteResult *result, Error *err)
{
    char sha256[HASH_HEX_SIZE];
    int64_t bytes = 0;
    if (!hash_file(beside, sha256, &bytes, err) ||
        !store_put_file(store, beside, path_basename(beside), sha256, err))
        return false;
    result->sent_bytes += bytes;
    return true;
}

static bool put_globals(Arena *arena, Log *log, Store *store, OffsiteResult *result, Error *err)
{
    const char *beside = backup_globals_path(arena, result->path);
    if (!result->manifest.globals.sha256)
        return true;
    if (file_exists(beside)) /* and right: it was verified */
        return put_beside(store, beside, result, err);
    log_warn(log, "%s is missing, so it is not sent", beside);
    return true;
}

/* The manifest last: it makes the others a backup. */
static bool put_all(Arena *arena, Log *log, Store *store, OffsiteResult *result, Error *err)
{
    const Manifest *manifest = &result->manifest;
    const char *path = result->path;
    StoreReuse reuse;
    if (!offsite_reuse(arena, log, store, manifest, &reuse, err) ||
        !store_put_reusing(store, path, manifest->file, manifest->sha256,
                           reuse.count ? &reuse : NULL, &result->sent_bytes, err))
        return false;
    if (result->sent_bytes < manifest->packed_bytes)
        result->reused = reuse.object;
    return put_globals(arena, log, store, result, err) &&
           put_beside(store, arena_printf(arena, "%s%s", path, CHECKSUM_SUFFIX), result, err) &&
           put_beside(store, arena_printf(arena, "%s%s", path, MANIFEST_SUFFIX), result, err);
}

static bool remember(State *state, const Store *store, const Manifest *manifest, Error *err)
{
    return !state ||
           state_backup_offsite(state, manifest->sha256, store_url(store), clock_unix_s(), err);
}

bool backup_push(Arena *arena, Log *log, State *state, Store *store, const char *path,
                 OffsiteResult *result, Error *err)
{
    int64_t started_ms = clock_monotonic_ms();
    *result = (OffsiteResult){.path = path};
    if (!check_local(arena, log, path, &result->manifest, err) ||
        !look_there(arena, log, store, &result->manifest, &result->already, err))
        return false;
    if (!result->already && !put_all(arena, log, store, result, err))
        return false;
    result->seconds = (double)(clock_monotonic_ms() - started_ms) / 1000;
    return remember(state, store, &result->manifest, err);
}

/* ---- pull ----------------------------------------------------------------------------------- */

static bool check_space(Arena *arena, const char *directory, const Manifest *manifest, Error *err)
{
    int64_t there = 0;
    if (!disk_free_bytes(directory, &there, err))
        return false;
    if (there >= manifest->packed_bytes + SPARE_BYTES)
        return true;
    (void)error_set(err, ERR_FAILED, "%s has %s free, and %s needs %s", directory,
                    str_bytes(arena, there), manifest->file,
                    str_bytes(arena, manifest->packed_bytes + SPARE_BYTES));
    return error_hint(err, "name a folder with more room: --dir DIR");
}

static bool check_content(Store *store, const BackupClaim *claim, const Manifest *manifest,
                          Error *err)
{
    char sha256[HASH_HEX_SIZE];
    int64_t bytes = 0;
    if (!hash_file(claim->partial, sha256, &bytes, err))
        return false;
    if (bytes == manifest->packed_bytes && str_equal(sha256, manifest->sha256))
        return true;
    (void)error_set(err, ERR_PROBLEMS, "%s in %s is damaged: %lld bytes with SHA-256 %s",
                    manifest->file, store_url(store), (long long)bytes, sha256);
    return error_hint(err, "its manifest says %lld bytes with %s; nothing was kept here",
                      (long long)manifest->packed_bytes, manifest->sha256);
}

/* Here already, and the same one? */
static bool look_here(Arena *arena, const char *path, const Manifest *theirs, bool *already,
                      Error *err)
{
    Manifest ours;
    bool found = false;
    if (!manifest_read(arena, path, &found, &ours, err))
        return false;
    *already = found && is_same(&ours, theirs) && file_exists(path);
    return !found || *already ||
           error_set(err, ERR_REFUSED, "%s is there already, and is another backup", path);
}

/* Without them the backup is still good, so a store that has lost them only gets a warning. */
static bool fetch_globals(Arena *arena, Log *log, Store *store, const BackupClaim *claim,
                          const ManifestGlobals *globals, Error *err)
{
    const char *beside = backup_globals_path(arena, claim->path);
    const char *name = path_basename(beside);
    const char *problem = NULL;
    StoreObject object;
    bool there = false;
    if (!globals->sha256)
        return true;
    if (!store_head(store, arena, name, &there, &object, err))
        return false;
    if (!there) {
        log_warn(log, "%s has no %s, so there are no roles and tablespaces", store_url(store),
                 name);
        return true;
    }
    return store_get_file(store, name, beside, err) &&
           globals_check(arena, claim->path, globals, true, &there, &problem, err) &&
           (!problem || error_set(err, ERR_PROBLEMS, "%s: %s", store_url(store), problem));
}

static bool fetch(Arena *arena, Log *log, Store *store, const char *directory,
                  const Manifest *manifest, const char *text, Error *err)
{
    BackupClaim claim;
    if (!backup_claim_file(arena, directory, manifest->file, &claim, err))
        return false;
    bool got = check_space(arena, directory, manifest, err) &&
               store_get_file(store, manifest->file, claim.partial, err) &&
               check_content(store, &claim, manifest, err) &&
               fetch_globals(arena, log, store, &claim, &manifest->globals, err) &&
               backup_claim_commit_text(arena, &claim, manifest->sha256, text, err);
    backup_claim_release(&claim);
    return got;
}

/* The name with its suffix: where that was not given, the one that is there. */
static bool find_file(Arena *arena, Store *store, const char *name, const char **file, Error *err)
{
    static const char *const suffixes[] = {BACKUP_SUFFIX, BACKUP_SUFFIX SEAL_SUFFIX};
    bool found = manifest_file_length(name, "") > 0;
    *file = name;
    for (size_t i = 0; i < COUNT_OF(suffixes) && !found; i++) {
        StoreObject object;
        *file = arena_printf(arena, "%s%s", name, suffixes[i]);
        if (!store_head(store, arena, arena_printf(arena, "%s%s", *file, MANIFEST_SUFFIX), &found,
                        &object, err))
            return false;
    }
    return true;
}

bool backup_pull(Arena *arena, Log *log, State *state, Store *store, const char *name,
                 const char *directory, OffsiteResult *result, Error *err)
{
    int64_t started_ms = clock_monotonic_ms();
    const char *text = NULL;
    const char *file = NULL;
    if (!find_file(arena, store, name, &file, err))
        return false;
    *result = (OffsiteResult){.path = path_join(arena, directory, file)};
    if (!offsite_manifest(arena, store, file, &text, &result->manifest, err))
        return false;
    if (!text) {
        (void)error_set(err, ERR_USAGE, "%s has no backup called %s", store_url(store), file);
        return error_hint(err, "vaxdb backup pull newest gets the newest one");
    }
    if (!look_here(arena, result->path, &result->manifest, &result->already, err))
        return false;
    if (!result->already && !fetch(arena, log, store, directory, &result->manifest, text, err))
        return false;
    log_debug(log, "%s: manifest and SHA-256 agree", result->path);
    result->seconds = (double)(clock_monotonic_ms() - started_ms) / 1000;
    return remember(state, store, &result->manifest, err);
}

bool offsite_name(Arena *arena, const char *object, const char *env, const char **file,
                  int64_t *moment)
{
    static const char form[] = "-YYYYMMDD-HHMMSS";
    size_t tail = strlen(form);
    size_t length = manifest_file_length(object, MANIFEST_SUFFIX);
    if (!length)
        return false;
    *file = arena_strndup(arena, object, length);
    length -= strlen(BACKUP_SUFFIX) + (str_ends(*file, SEAL_SUFFIX) ? strlen(SEAL_SUFFIX) : 0);
    if (length <= tail)
        return false;
    const char *time = arena_strndup(arena, object + length - tail + 1, strlen(form) - 1);
    const char *before = arena_strndup(arena, object, length - tail);
    return object[length - tail] == '-' && clock_parse_utc(time, moment) &&
           (!env || str_ends(before, arena_printf(arena, "-%s", env)));
}

bool backup_offsite_newest(Arena *arena, Store *store, const char *env, const char **name,
                           Error *err)
{
    StoreList list;
    int64_t newest = -1;
    if (!store_list(store, arena, "", &list, err))
        return false;
    for (size_t i = 0; i < list.count; i++) {
        const char *file = NULL;
        int64_t moment = 0;
        if (!offsite_name(arena, list.items[i].name, env, &file, &moment) || moment <= newest)
            continue;
        newest = moment;
        *name = file;
    }
    if (newest >= 0)
        return true;
    (void)error_set(err, ERR_USAGE, "%s has no backup%s%s", store_url(store), env ? " of " : "",
                    env ? env : "");
    return error_hint(err, "vaxdb backup push puts one there");
}
