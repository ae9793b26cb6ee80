/* SFTP as a store: files in a folder of a server that one logs in to with a key.
 *
 * A file goes under ".NAME.HASH.partial", with the beginning of its SHA-256, and is renamed when it
 * is whole: so what is under that name when a connection breaks is the beginning of this content,
 * and is continued. SFTP tells no hash; what is compared is the length, and before it is continued
 * the end of what is there. */
#include "store/sftp_listing.h"
#include "store/sigv4.h"
#include "store/store_internal.h"
#include "store/transfer.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define SILENCE_MS       60000
#define FIRST_PAUSE_MS   500
#define LONGEST_PAUSE_MS 30000
#define TAIL_BYTES       ((int64_t)64 << 10) /* that are compared before an upload goes on */
#define HASH_DIGITS      16                  /* of a partial file's name */

typedef struct {
    const char *origin; /* "sftp://user@host:port" */
    const char *folder; /* in URLs: encoded, with '/' at its beginning and end */
    const char *path;   /* the same in commands */
    SshTransfer login;
    Connection *connection; /* made when wanted */
} Sftp;

static const char *file_url(Arena *arena, const Sftp *sftp, const char *name)
{
    return arena_printf(arena, "%s%s%s", sftp->origin, sftp->folder,
                        sigv4_encode(arena, name, false));
}

/* ---- one operation ------------------------------------------------------------------------ */

/* How it ended, when it did not succeed. */
typedef enum { SFTP_OK, SFTP_MISSING, SFTP_FAILED, SFTP_AWAY, SFTP_STOPPED } SftpOutcome;

static SftpOutcome explain(const Store *store, const Answer *answer, Error *err)
{
    if (answer->missing) {
        (void)error_set(err, ERR_USAGE, "%s: %s", store->url, answer->failure);
        return SFTP_MISSING;
    }
    ErrorCode code = answer->again ? ERR_UNREACHABLE : answer->refused ? ERR_REFUSED : ERR_FAILED;
    (void)error_set(err, code, "%s: %s", store->url, answer->failure);
    if (answer->again)
        (void)error_hint(err, "type it again when the network is back: what has arrived is kept, "
                              "and not sent again");
    else if (answer->refused)
        (void)error_hint(err,
                         "the key is sftp_key or one of ssh-agent's, the server's own key must "
                         "be in sftp_known_hosts: try `sftp` with the same user and host");
    return answer->again ? SFTP_AWAY : SFTP_FAILED;
}

/* One try. */
static SftpOutcome perform_once(Store *store, Transfer *transfer, Answer *answer, Error *err)
{
    Sftp *sftp = store->own;
    transfer->silence_ms = SILENCE_MS;
    if (!sftp->connection && !connection_open(&sftp->connection, err))
        return SFTP_FAILED;
    answer_free(answer);
    answer_init(answer);
    if (!connection_perform(sftp->connection, transfer, answer, err))
        return SFTP_STOPPED;
    return answer->status ? SFTP_OK : explain(store, answer, err);
}

/* What is left of the time in which it is worth trying again. */
typedef struct {
    int64_t until_ms;
    int64_t pause_ms;
} Patience;

static Patience patience_begin(const Store *store)
{
    return (Patience){clock_monotonic_ms() + store->settings.retry_ms, FIRST_PAUSE_MS};
}

/* Waits; false when there is no point in another try, or Ctrl-C was pressed, which err then says.
 */
static bool patience_wait(Patience *patience, Error *err)
{
    int64_t wait_ms = clock_jittered_ms(patience->pause_ms);
    if (clock_monotonic_ms() + wait_ms > patience->until_ms)
        return false;
    if (!clock_sleep_ms(wait_ms) && !interrupt_check(err))
        return false;
    patience->pause_ms =
        patience->pause_ms * 2 < LONGEST_PAUSE_MS ? patience->pause_ms * 2 : LONGEST_PAUSE_MS;
    return true;
}

/* Again for as long as that can help, from the beginning each time. */
static SftpOutcome perform(Store *store, Transfer *transfer, Answer *answer, Error *err)
{
    Patience patience = patience_begin(store);
    for (;;) {
        Error failure = {0};
        SftpOutcome outcome = perform_once(store, transfer, answer, &failure);
        if (outcome == SFTP_OK)
            return outcome;
        *err = failure;
        if (outcome != SFTP_AWAY || !patience_wait(&patience, err))
            return err->code == ERR_INTERRUPTED ? SFTP_STOPPED : outcome;
    }
}

/* Commands of libcurl, obeyed in order; a '*' in front: whether that succeeds or not. */
static SftpOutcome obey(Store *store, const StrList *commands, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_answer_ Answer answer;
    const Sftp *sftp = store->own;
    SshTransfer ssh = sftp->login;
    Transfer transfer = {.url = arena_printf(arena, "%s%s", sftp->origin, sftp->folder),
                         .ssh = &ssh,
                         .descriptor = -1,
                         .save = -1};
    ssh.commands = commands;
    answer_init(&answer);
    return perform(store, &transfer, &answer, err);
}

/* A path as an argument of such a command. */
static const char *quote(Arena *arena, const Sftp *sftp, const char *name)
{
    _cleanup_buffer_ Buffer text;
    const char *path = arena_printf(arena, "%s%s", sftp->path, name);
    buffer_init(&text, BUFFER_MAX_FILE);
    (void)buffer_append_char(&text, '"');
    for (; *path; path++) {
        if (*path == '"' || *path == '\\')
            (void)buffer_append_char(&text, '\\');
        (void)buffer_append_char(&text, *path);
    }
    (void)buffer_append_char(&text, '"');
    return arena_strndup(arena, text.data, text.length);
}

/* ---- lists -------------------------------------------------------------------------------- */

/* All files of the folder, hidden ones too; a folder that is not there has none. */
static bool list_all(Store *store, Arena *arena, StoreList *list, Error *err)
{
    _cleanup_answer_ Answer answer;
    const Sftp *sftp = store->own;
    Error failure = {0};
    Transfer transfer = {.url = arena_printf(arena, "%s%s", sftp->origin, sftp->folder),
                         .ssh = &sftp->login,
                         .descriptor = -1,
                         .save = -1};
    *list = (StoreList){0};
    answer_init(&answer);
    switch (perform(store, &transfer, &answer, &failure)) {
    case SFTP_OK:
        if (sftp_listing_parse(arena, answer.body.data, answer.body.length, list, err))
            return true;
        return error_context(err, "%s", store->url);
    case SFTP_MISSING:
        return true;
    default:
        *err = failure;
        return false;
    }
}

static const StoreObject *find_object(const StoreList *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (str_equal(list->items[i].name, name))
            return &list->items[i];
    }
    return NULL;
}

/* The length of a file, -1 when it is not there. */
static bool look(Store *store, const char *name, int64_t *bytes, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    StoreList list;
    if (!list_all(store, arena, &list, err))
        return false;
    const StoreObject *found = find_object(&list, name);
    *bytes = found ? found->bytes : -1;
    return true;
}

static bool list_objects(Store *store, Arena *arena, const char *prefix, StoreList *list,
                         Error *err)
{
    StoreList all;
    if (!list_all(store, arena, &all, err))
        return false;
    for (size_t i = 0; i < all.count; i++) {
        const char *name = all.items[i].name;
        if (*name != '.' && str_starts(name, prefix))
            ARENA_PUSH(arena, list->items, list->count, list->capacity, all.items[i]);
    }
    return true;
}

static bool head(Store *store, Arena *arena, const char *name, bool *found, StoreObject *object,
                 Error *err)
{
    StoreList list;
    if (!list_all(store, arena, &list, err))
        return false;
    const StoreObject *there = find_object(&list, name);
    *found = there;
    if (there)
        *object = *there;
    return true;
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool read_range(Store *store, const char *name, int64_t offset, size_t length,
                       Buffer *buffer, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_answer_ Answer answer;
    const Sftp *sftp = store->own;
    SshTransfer ssh = sftp->login;
    Transfer transfer = {
        .url = file_url(arena, sftp, name), .ssh = &ssh, .descriptor = -1, .save = -1};
    ssh.range = arena_printf(arena, "%lld-%lld", (long long)offset,
                             (long long)(offset + (int64_t)length - 1));
    answer_init(&answer);
    switch (perform(store, &transfer, &answer, err)) {
    case SFTP_OK:
        break;
    case SFTP_MISSING:
        return store_missing(store, name, err);
    default:
        return false;
    }
    if (answer.body.length != length)
        return error_set(err, ERR_FAILED, "%s: %s ends before byte %lld", store->url, name,
                         (long long)offset + (long long)length);
    (void)buffer_append(buffer, answer.body.data, length);
    return buffer_check(buffer, name, err);
}

typedef struct {
    Progress *progress;
    int64_t before; /* bytes of earlier tries */
} Shown;

static void show_moved(void *context, int64_t bytes)
{
    const Shown *shown = context;
    progress_update(shown->progress, shown->before + bytes);
}

/* All bytes into a file, continued where a connection broke. */
static bool receive(Store *store, const char *url, int descriptor, Progress *progress,
                    int64_t *saved, Error *err)
{
    _cleanup_answer_ Answer answer;
    const Sftp *sftp = store->own;
    Shown shown = {.progress = progress};
    Patience patience = patience_begin(store);
    answer_init(&answer);
    for (;;) {
        Error failure = {0};
        shown.before = *saved;
        Transfer transfer = {.url = url,
                             .ssh = &sftp->login,
                             .descriptor = -1,
                             .save = descriptor,
                             .save_offset = *saved,
                             .bytes_per_second = store->settings.bytes_per_second,
                             .moved = show_moved,
                             .context = &shown};
        SftpOutcome outcome = perform_once(store, &transfer, &answer, &failure);
        *saved += answer.saved;
        if (outcome == SFTP_OK)
            return true;
        *err = failure;
        if (answer.saved)
            patience = patience_begin(store);
        if (outcome != SFTP_AWAY || !patience_wait(&patience, err))
            return false;
    }
}

static bool get_file(Store *store, const char *name, const char *path, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    int64_t bytes = 0;
    int64_t saved = 0;
    Progress progress;
    if (!look(store, name, &bytes, err))
        return false;
    if (bytes < 0)
        return store_missing(store, name, err);
    _cleanup_close_ int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0 || ftruncate(descriptor, 0) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot create %s", path);
    Log quiet = *store->log;
    quiet.quiet = quiet.quiet || bytes < STORE_PROGRESS_MIN_BYTES;
    progress_start(&progress, &quiet, arena_printf(arena, "pulling %s", name), bytes,
                   PROGRESS_BYTES, NULL);
    if (bytes &&
        !receive(store, file_url(arena, store->own, name), descriptor, &progress, &saved, err)) {
        progress_abandon(&progress);
        return false;
    }
    progress_update(&progress, saved);
    progress_finish(&progress);
    if (saved != bytes)
        return error_set(err, ERR_FAILED, "%s: %s came with %lld bytes, not %lld", store->url, name,
                         (long long)saved, (long long)bytes);
    return fsync(descriptor) == 0 ||
           error_set_errno(err, ERR_FAILED, errno, "cannot write %s", path);
}

/* ---- writing ------------------------------------------------------------------------------ */

typedef struct {
    Store *store;
    Arena *arena;
    int descriptor;
    const char *path;
    int64_t size;
    const char *name;
    const char *partial;
    int64_t there; /* bytes of the partial file */
    int64_t sent;
    Progress progress;
} Put;

/* Are the last bytes of what is there those of the file? */
static bool check_tail(Put *put, bool *same, Error *err)
{
    _cleanup_buffer_ Buffer buffer;
    char ours[HASH_HEX_SIZE];
    char theirs[HASH_HEX_SIZE];
    int64_t length = put->there < TAIL_BYTES ? put->there : TAIL_BYTES;
    int64_t offset = put->there - length;
    buffer_init(&buffer, (size_t)TAIL_BYTES + 1);
    if (!read_range(put->store, put->partial, offset, (size_t)length, &buffer, err) ||
        !hash_range(put->descriptor, put->path, offset, length, HASH_SHA256, ours, err))
        return false;
    hash_bytes(buffer.data, buffer.length, theirs);
    *same = str_equal(ours, theirs);
    return true;
}

/* How much of the file is there; what is not of it will be written over. */
static bool look_at_partial(Put *put, Error *err)
{
    bool same = false;
    if (!look(put->store, put->partial, &put->there, err))
        return false;
    if (put->there <= 0 || put->there > put->size) {
        put->there = 0;
        return true;
    }
    if (!check_tail(put, &same, err))
        return false;
    if (!same)
        put->there = 0;
    return true;
}

static void count_moved(void *context, int64_t bytes)
{
    Put *put = context;
    progress_update(&put->progress, put->there + bytes);
}

static bool send_rest(Put *put, Error *err)
{
    _cleanup_answer_ Answer answer;
    Store *store = put->store;
    const Sftp *sftp = store->own;
    const char *url = file_url(put->arena, sftp, put->partial);
    Patience patience = patience_begin(store);
    answer_init(&answer);
    for (;;) {
        Error failure = {0};
        int64_t before = put->there;
        Transfer transfer = {.url = url,
                             .ssh = &sftp->login,
                             .descriptor = put->descriptor,
                             .offset = put->there,
                             .length = put->size - put->there,
                             .save = -1,
                             .bytes_per_second = store->settings.bytes_per_second,
                             .moved = count_moved,
                             .context = put};
        SftpOutcome outcome = perform_once(store, &transfer, &answer, &failure);
        if (outcome == SFTP_OK) {
            put->sent += put->size - before;
            return true;
        }
        *err = failure;
        if (outcome != SFTP_AWAY || !patience_wait(&patience, err) || !look_at_partial(put, err))
            return false;
        if (put->there > before) {
            put->sent += put->there - before;
            patience = patience_begin(store);
        }
    }
}

/* Under its name, once its length is right. A rename whose answer was lost is done, too. */
static bool rename_partial(Put *put, Error *err)
{
    Store *store = put->store;
    const char *from = quote(put->arena, store->own, put->partial);
    const char *to = quote(put->arena, store->own, put->name);
    StrList commands;
    Error failure = {0};
    int64_t bytes = -1;
    if (!look(store, put->partial, &bytes, err))
        return false;
    if (bytes != put->size)
        return error_set(err, ERR_FAILED, "%s took %lld bytes of %s, and has %lld", store->url,
                         (long long)put->size, put->name, (long long)bytes);
    str_list_init(&commands, put->arena);
    str_list_addf(&commands, "*rm %s", to); /* version 3 renames over nothing */
    str_list_addf(&commands, "rename %s %s", from, to);
    bool done = obey(store, &commands, &failure) == SFTP_OK;
    if (failure.code == ERR_INTERRUPTED || (!done && failure.code == ERR_UNREACHABLE)) {
        *err = failure;
        return false;
    }
    if (!look(store, put->name, &bytes, err))
        return false;
    if (bytes == put->size)
        return true;
    if (!done)
        *err = failure;
    return !done ? false
                 : error_set(err, ERR_FAILED, "%s: %s was renamed and is not there", store->url,
                             put->name);
}

static bool run_put(Put *put, Error *err)
{
    Store *store = put->store;
    Log quiet = *store->log;
    if (!look_at_partial(put, err))
        return false;
    if (put->there)
        log_info(store->log, "Continuing an earlier push of %s", put->name);
    quiet.quiet = quiet.quiet || put->size < STORE_PROGRESS_MIN_BYTES;
    progress_start(&put->progress, &quiet, arena_printf(put->arena, "pushing %s", put->name),
                   put->size, PROGRESS_BYTES, NULL);
    if ((put->there < put->size || !put->size) && !send_rest(put, err)) {
        progress_abandon(&put->progress);
        return false;
    }
    progress_finish(&put->progress);
    return rename_partial(put, err);
}

static bool put_file(Store *store, const char *path, const char *name, const char *sha256,
                     UNUSED const StoreReuse *reuse, int64_t *sent, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_close_ int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", path);
    Put put = {.store = store,
               .arena = arena,
               .descriptor = descriptor,
               .path = path,
               .size = status.st_size,
               .name = name,
               .partial = arena_printf(arena, ".%s.%.*s.partial", name, HASH_DIGITS, sha256)};
    bool done = run_put(&put, err);
    *sent = put.sent;
    return done;
}

static bool remove_object(Store *store, const char *name, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Error failure = {0};
    StrList commands;
    int64_t bytes = -1;
    str_list_init(&commands, arena);
    str_list_addf(&commands, "rm %s", quote(arena, store->own, name));
    if (obey(store, &commands, &failure) == SFTP_OK)
        return true;
    if (failure.code != ERR_INTERRUPTED && failure.code != ERR_UNREACHABLE &&
        look(store, name, &bytes, err) && bytes < 0)
        return true;
    *err = failure;
    return false;
}

/* ---- opening ------------------------------------------------------------------------------ */

static void close_sftp(Store *store)
{
    Sftp *sftp = store->own;
    connection_close(TAKE(sftp->connection));
}

static const StoreDriver sftp_driver = {
    .put_file = put_file,
    .get_file = get_file,
    .read = read_range,
    .head = head,
    .list = list_objects,
    .remove = remove_object,
    .close = close_sftp,
};

/* ssh's own, the first that is there; NULL: the agent must have one. */
static const char *default_key(Arena *arena, const char *home)
{
    static const char *const names[] = {"id_ed25519", "id_ecdsa", "id_rsa"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *path = arena_printf(arena, "%s/.ssh/%s", home, names[i]);
        if (file_exists(path))
            return path;
    }
    return NULL;
}

/* "user@host:port": a user is wanted, since ours need not be there. */
static bool check_host(const char *host, Error *err)
{
    const char *at = strchr(host, '@');
    if (at && at > host && at[1] && !strchr(at + 1, '@') && !strpbrk(host, "?# \"\\"))
        return true;
    (void)error_set(err, ERR_USAGE, "\"%s\" names no user and host for SFTP", host);
    return error_hint(err, "write the store as sftp://USER@HOST/FOLDER");
}

static const char *trim_slashes(Arena *arena, const char *path)
{
    path += strspn(path, "/");
    size_t length = strlen(path);
    while (length && path[length - 1] == '/')
        length--;
    return arena_strndup(arena, path, length);
}

bool store_open_sftp(Store *store, const char *rest, Error *err)
{
    Arena *arena = store->arena;
    const StoreSettings *settings = &store->settings;
    const char *home = getenv("HOME");
    size_t length = strcspn(rest, "/");
    const char *host = arena_strndup(arena, rest, length);
    const char *folder = trim_slashes(arena, rest + length);
    Sftp *sftp = arena_alloc(arena, sizeof(*sftp));
    if (!check_host(host, err))
        return false;
    if (str_empty(home))
        home = "/root";
    sftp->origin = arena_printf(arena, "sftp://%s", host);
    sftp->folder =
        arena_printf(arena, "/%s%s", sigv4_encode(arena, folder, true), *folder ? "/" : "");
    /* libcurl's way to write the home of the user; a path of a command begins there by itself. */
    sftp->path = str_starts(folder, "~/") ? arena_printf(arena, "%s/", folder + 2)
                 : str_equal(folder, "~")
                     ? ""
                     : arena_printf(arena, "/%s%s", folder, *folder ? "/" : "");
    sftp->login.key_file = settings->key_file ? settings->key_file : default_key(arena, home);
    sftp->login.known_hosts = settings->known_hosts
                                  ? settings->known_hosts
                                  : arena_printf(arena, "%s/.ssh/known_hosts", home);
    store->driver = &sftp_driver;
    store->own = sftp;
    return true;
}
