#include "backup/ddl.h"

#include "backup/dump_reader.h"
#include "backup/dump_stream.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/process.h"
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* pg_dump waits for a lock that the leader has already got only behind a queued ALTER, which waits
 * for the leader: nobody would see that deadlock. So it gives up soon, and all starts anew. */
#define DUMP_LOCK_WAIT "--lock-wait-timeout=3000"
#define END_MARKER     "--\n-- PostgreSQL database dump complete\n--\n"

/* Its archive and its list of contents have no place on the disk, so that nothing of them can stay
 * behind; pg_restore opens them through /proc. */
typedef struct {
    int descriptor;
    const char *path;
} MemoryFile;

static void memory_file_close(MemoryFile *file)
{
    cleanup_close(&file->descriptor);
    file->descriptor = -1;
}
#define _cleanup_memory_file_ _cleanup_(memory_file_close)

static bool memory_file_make(Arena *arena, const Buffer *content, MemoryFile *file, Error *err)
{
    file->descriptor = memfd_create("vaxdb", MFD_CLOEXEC);
    if (file->descriptor < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot make a file in memory");
    file->path = arena_printf(arena, "/proc/%d/fd/%d", (int)getpid(), file->descriptor);
    return file_write_all(file->descriptor, content->data, content->length, file->path, err);
}

/* ---- pg_dump ----------------------------------------------------------------------------- */

static bool run_dump(Arena *arena, Log *log, const PgDump *tool, const Session *session,
                     const char *snapshot, Buffer *archive, bool *waited, Error *err)
{
    _cleanup_buffer_ Buffer talk;
    buffer_init(&talk, BUFFER_MAX_LINE);
    const char *argv[] = {tool->path,
                          "--format=custom",
                          "--compress=0",
                          "--no-password",
                          "--section=pre-data",
                          "--section=post-data",
                          DUMP_LOCK_WAIT,
                          arena_printf(arena, "--snapshot=%s", snapshot),
                          NULL};
    const ProcessSpec spec = {.argv = argv, .environment = session_environment(session, arena)};
    int status = 0;
    if (!process_run(&spec, archive, &talk, &status, err))
        return false;
    const char *text = str_trim(talk.data);
    if (status == 0) {
        if (*text)
            log_warn(log, "%s", text);
        return true;
    }
    *waited = strstr(text, "LOCK TABLE") != NULL;
    return error_set(err, ERR_FAILED, "pg_dump ended with status %d%s%s", status, *text ? ": " : "",
                     text);
}

/* ---- pg_restore -------------------------------------------------------------------------- */

static bool run_restore(const char *const *argv, Buffer *text, Error *err)
{
    const ProcessSpec spec = {.argv = argv};
    buffer_free(text);
    buffer_init(text, DUMP_MAX_STATEMENT);
    return process_check(&spec, text, err) && buffer_check(text, "the schema", err);
}

/* "217; 1259 16400 ACL public TABLE stock owner": an entry of privileges, whose section is that of
 * what it is for. Default privileges have a section of their own. */
static bool is_acl(const char *line)
{
    const char *at = strchr(line, ';');
    for (int number = 0; at && number < 2; number++) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
        at += strspn(at, "0123456789");
    }
    return at && str_starts(at, " ACL ");
}

static char *next_line(char **at)
{
    char *line = *at;
    char *newline = line ? strchr(line, '\n') : NULL;
    if (!newline)
        return NULL;
    *newline = '\0';
    *at = newline + 1;
    return line;
}

static char *next_entry(char **at)
{
    char *line = next_line(at);
    while (line && !isdigit((unsigned char)*line))
        line = next_line(at);
    return line;
}

/* Of all entries, in their order, those after the rows. late is a part of all. */
static bool select_late(Buffer *all, Buffer *late, Buffer *selected, Error *err)
{
    char *all_at = all->data;
    char *late_at = late->data;
    const char *wanted = next_entry(&late_at);
    for (const char *line; (line = next_entry(&all_at));) {
        bool is_late = str_equal(line, wanted);
        if (is_late)
            wanted = next_entry(&late_at);
        if (is_late || is_acl(line))
            (void)buffer_printf(selected, "%s\n", line);
    }
    if (wanted)
        return error_set(err, ERR_FAILED, "pg_restore lists \"%s\" only once", wanted);
    return buffer_check(selected, "the list of the schema", err);
}

static bool restore_texts(Arena *arena, const PgDump *tool, const char *archive, Ddl *ddl,
                          Error *err)
{
    _cleanup_buffer_ Buffer all = {0};
    _cleanup_buffer_ Buffer late = {0};
    _cleanup_buffer_ Buffer selected;
    _cleanup_memory_file_ MemoryFile list = {.descriptor = -1};
    buffer_init(&selected, DUMP_MAX_STATEMENT);
    const char *list_all[] = {tool->restore, "--list", archive, NULL};
    const char *list_late[] = {tool->restore, "--list", "--section=post-data", archive, NULL};
    const char *write_before[] = {tool->restore,     "--file=-", "--section=pre-data",
                                  "--no-privileges", archive,    NULL};
    if (!run_restore(list_all, &all, err) || !run_restore(list_late, &late, err) ||
        !select_late(&all, &late, &selected, err) ||
        !memory_file_make(arena, &selected, &list, err))
        return false;
    const char *write_after[] = {tool->restore, "--file=-",
                                 arena_printf(arena, "--use-list=%s", list.path), archive, NULL};
    return run_restore(write_before, &ddl->before, err) &&
           run_restore(write_after, &ddl->after, err);
}

/* ---- one dump of two texts --------------------------------------------------------------- */

/* The key of "\restrict KEY" in the header of a text; NULL: this pg_restore writes none. */
static char *restrict_key(Arena *arena, const Buffer *text)
{
    static const char word[] = "\n\\restrict ";
    const char *at = strstr(text->data, word);
    const char *header = strstr(text->data, "\nSET ");
    if (!at || !header || at > header)
        return NULL;
    at += strlen(word);
    return arena_strndup(arena, at, strcspn(at, "\r\n"));
}

/* Removes what stands between from and from + length. */
static void cut(Buffer *text, const char *from, size_t length)
{
    char *at = text->data + (from - text->data);
    memmove(at, at + length, text->length - (size_t)(at - text->data) - length + 1);
    text->length -= length;
}

/* The last line that a whole text has; NULL when it was cut off. */
static char *find_end(const Buffer *text)
{
    char *found = NULL;
    for (char *at = text->data; (at = strstr(at, END_MARKER)); at++)
        found = at;
    return found;
}

/* One header, one end, one pair of \restrict and \unrestrict around it all. */
static bool join_texts(Arena *arena, Ddl *ddl, Error *err)
{
    const char *key = restrict_key(arena, &ddl->before);
    const char *second_key = restrict_key(arena, &ddl->after);
    char *before_end = find_end(&ddl->before);
    if (!before_end || !find_end(&ddl->after) || !key != !second_key)
        return error_set(err, ERR_FAILED, "pg_restore did not write its last line");
    *before_end = '\0';
    ddl->before.length = (size_t)(before_end - ddl->before.data);
    if (!key)
        return true;
    const char *line = arena_printf(arena, "\\restrict %s\n", second_key);
    cut(&ddl->after, strstr(ddl->after.data, line), strlen(line));
    line = arena_printf(arena, "\\unrestrict %s\n", second_key);
    const char *last = strstr(find_end(&ddl->after), line);
    if (!last)
        return error_set(err, ERR_FAILED, "pg_restore did not write its last line");
    cut(&ddl->after, last, strlen(line));
    (void)buffer_printf(&ddl->after, "\\unrestrict %s\n\n", key);
    return buffer_check(&ddl->after, "the schema", err);
}

/* Where the key is after such a word. */
static char *find_key(const Buffer *text, const char *word, size_t *length)
{
    char *at = memmem(text->data, text->length, word, strlen(word));
    at = at ? at + strlen(word) : NULL;
    *length = at ? strcspn(at, "\r\n") : 0;
    return at;
}

static size_t count_word(const Buffer *text, const char *word)
{
    size_t count = 0;
    const char *at = text->data;
    const char *end = text->data + text->length;
    while (text->length && (at = memmem(at, (size_t)(end - at), word, strlen(word)))) {
        at += strlen(word);
        count++;
    }
    return count;
}

bool ddl_settle_key(Arena *arena, Ddl *ddl, const Buffer *between)
{
    static const char word[] = "\\unrestrict";
    char hex[HASH_HEX_SIZE];
    size_t length = 0;
    size_t end_length = 0;
    char *begin =
        restrict_key(arena, &ddl->before) ? find_key(&ddl->before, "\n\\restrict ", &length) : NULL;
    char *end = find_key(&ddl->after, word, &end_length);
    if (!begin || !end || count_word(&ddl->before, word) || count_word(between, word) ||
        count_word(&ddl->after, word) != 1)
        return false;
    end++;
    if (end_length != length + 1 || memcmp(begin, end, length) != 0)
        return false;
    memset(begin, '0', length);
    memset(end, '0', length);
    _cleanup_hash_ HashStream *hash = hash_create();
    hash_update(hash, ddl->before.data, ddl->before.length + 1);
    hash_update(hash, ddl->after.data, ddl->after.length);
    hash_finish(hash, hex);
    for (size_t i = 0; i < length; i++)
        begin[i] = end[i] = hex[i % (HASH_HEX_SIZE - 1)];
    return true;
}

bool ddl_read(Arena *arena, Log *log, const PgDump *tool, const Session *session,
              const char *snapshot, Ddl *ddl, bool *waited, Error *err)
{
    _cleanup_buffer_ Buffer archive;
    _cleanup_memory_file_ MemoryFile file = {.descriptor = -1};
    buffer_init(&archive, DUMP_MAX_STATEMENT);
    *ddl = (Ddl){0};
    *waited = false;
    return run_dump(arena, log, tool, session, snapshot, &archive, waited, err) &&
           memory_file_make(arena, &archive, &file, err) &&
           restore_texts(arena, tool, file.path, ddl, err) && join_texts(arena, ddl, err);
}

void ddl_release(Ddl *ddl)
{
    buffer_free(&ddl->before);
    buffer_free(&ddl->after);
}

/* ---- large objects ----------------------------------------------------------------------- */

typedef struct {
    bool (*take)(void *data, const char *bytes, size_t length, Error *err);
    void *data;
    DumpReader *reader; /* is it whole? */
    Buffer line;        /* begun */
    char *key;          /* of \restrict */
    Arena *arena;
} Objects;

/* Lines of the inner \restrict pair: the dump has one around it all. */
static bool is_inner_restrict(Objects *objects, const char *line)
{
    if (!objects->key && str_starts(line, "\\restrict "))
        objects->key = arena_strdup(objects->arena, line + strlen("\\restrict "));
    const char *word = strchr(line, ' ');
    return objects->key && *line == '\\' && word && str_equal(word + 1, objects->key);
}

static bool take_objects(void *data, const char *bytes, size_t length, Error *err)
{
    Objects *objects = data;
    if (!dump_reader_feed(objects->reader, bytes, length, err))
        return false;
    while (length) {
        const char *newline = memchr(bytes, '\n', length);
        size_t used = newline ? (size_t)(newline - bytes) + 1 : length;
        if (!buffer_append(&objects->line, bytes, used))
            return buffer_check(&objects->line, "a line of the dump", err);
        bytes += used;
        length -= used;
        if (!newline)
            break;
        if (!is_inner_restrict(objects, objects->line.data) &&
            !objects->take(objects->data, objects->line.data, objects->line.length, err))
            return false;
        buffer_clear(&objects->line);
    }
    return true;
}

bool ddl_read_large_objects(Arena *arena, Log *log, const PgDump *tool, const Session *session,
                            const char *snapshot,
                            bool (*take)(void *data, const char *bytes, size_t length, Error *err),
                            void *data, Error *err)
{
    const char *arguments[] = {"--section=data", "--exclude-table-data=*.*", DUMP_LOCK_WAIT,
                               arena_printf(arena, "--snapshot=%s", snapshot), NULL};
    _cleanup_dump_stream_ DumpStream stream = {.process = {.out = -1, .in = -1, .err = -1}};
    _cleanup_dump_reader_ DumpReader *reader = dump_reader_create(arena, NULL, NULL);
    Objects objects = {.take = take, .data = data, .reader = reader, .arena = arena};
    buffer_init(&objects.line, DUMP_MAX_STATEMENT);
    const DumpSink sink = {take_objects, NULL, &objects};
    bool taken = dump_stream_start(arena, tool, session, arguments, &stream, err) &&
                 dump_stream_run(log, &stream, &sink, err) && dump_reader_finish(reader, err) &&
                 (dump_reader_is_complete(reader) ||
                  error_set(err, ERR_FAILED, "pg_dump did not write its last line"));
    buffer_free(&objects.line);
    return taken || error_context(err, "copying the large objects");
}
