#include "backup/archive_verify.h"

#include "backup/roles.h"
#include "base/file.h"
#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define JOBS_MAX 64

/* What the threads share. */
typedef struct {
    int descriptor;
    const ArchiveIndex *index;
    bool whole_is_compared; /* by its SHA-256 */
    atomic_size_t next;     /* the member that nobody has looked at; only ROWS are taken */
    atomic_bool stop;
    atomic_int_fast64_t done_bytes;
    pthread_mutex_t lock; /* of the two below */
    bool failed;
    Error failure;
} Crew;

static void note_failure(Crew *crew, const Error *failure)
{
    (void)pthread_mutex_lock(&crew->lock);
    if (!crew->failed)
        crew->failure = *failure;
    crew->failed = true;
    (void)pthread_mutex_unlock(&crew->lock);
    atomic_store(&crew->stop, true);
}

/* ---- rows --------------------------------------------------------------------------------- */

static bool take_rows(void *data, const char *bytes, size_t length, Error *err)
{
    (void)err;
    dump_rows_feed(data, bytes, length);
    return true;
}

static bool check_rows(const Crew *crew, MemberReader *reader, const Member *member, Error *err)
{
    DumpRows rows = {0};
    const char *problem = NULL;
    if (!interrupt_check(err) ||
        !member_read(reader, crew->descriptor, member, take_rows, &rows, err))
        return false;
    if (rows.line_bytes)
        problem = "its last row has no end";
    else if (rows.ends_copy)
        problem = "a row would end the table";
    else if (rows.rows != member->label.rows)
        problem = "it has another number of rows than its label says";
    else if (rows.digest != member->label.digest)
        problem = "its rows are not those that were dumped";
    return !problem || error_set(err, ERR_PROBLEMS, "the part at byte %" PRId64 ": %s",
                                 member->offset, problem);
}

/* Takes members of rows until none is left; progress NULL but for one thread. */
static void work(Crew *crew, MemberReader *reader, Progress *progress)
{
    while (!atomic_load(&crew->stop)) {
        size_t at = atomic_fetch_add(&crew->next, 1);
        if (at >= crew->index->count)
            return;
        Error error = {0};
        const Member *member = &crew->index->members[at];
        if (member->label.kind != MEMBER_ROWS)
            continue;
        if (!check_rows(crew, reader, member, &error))
            note_failure(crew, &error);
        atomic_fetch_add(&crew->done_bytes, member->packed_bytes);
        if (progress)
            progress_update(progress, atomic_load(&crew->done_bytes));
    }
}

static MemberReader *create_reader(const Crew *crew)
{
    MemberReader *reader = member_reader_create();
    member_reader_set_key(reader, crew->index->key);
    if (crew->whole_is_compared)
        member_reader_leave_out_sha256(reader);
    return reader;
}

static void *run_worker(void *data)
{
    _cleanup_member_reader_ MemberReader *reader = create_reader(data);
    work(data, reader, NULL);
    return NULL;
}

/* ---- statements --------------------------------------------------------------------------- */

/* The way through all that is not rows. */
typedef struct {
    Arena *arena;
    const Manifest *manifest;
    StrList *roles;
    DumpReader *reader;
    ArchiveContent *content;
    const MemberLabel *label; /* of the member at hand */
    bool in_copy;             /* by the text, not by the labels */
    char last_byte;           /* of the text so far */
    DumpTable rows;           /* of the table at hand */
} Walk;

static bool bad_text(const char *what, Error *err)
{
    return error_set(err, ERR_PROBLEMS, "%s in a part that is not labelled so", what);
}

static bool on_statement(void *data, const char *sql, size_t length, int64_t line, Error *err)
{
    const Walk *walk = data;
    (void)length;
    (void)line;
    if (walk->label->kind != MEMBER_TEXT)
        return bad_text("a statement", err);
    roles_of_statement(sql, walk->roles);
    return true;
}

static bool on_copy_begin(void *data, const char *sql, int64_t line, Error *err)
{
    Walk *walk = data;
    (void)sql;
    (void)line;
    if (walk->label->kind != MEMBER_COPY_BEGIN || walk->in_copy)
        return bad_text("the begin of a table", err);
    walk->in_copy = true;
    return true;
}

static bool on_copy_data(void *data, const char *bytes, size_t length, Error *err)
{
    (void)data;
    (void)bytes;
    (void)length;
    return bad_text("rows", err);
}

static bool is_partitioned(const Manifest *manifest, const DumpTable *table)
{
    for (size_t i = 0; i < manifest->table_count; i++) {
        const ManifestTable *row = &manifest->tables[i];
        if (row->partitioned && str_equal(row->name, table->name) &&
            str_equal(row->schema, table->schema))
            return true;
    }
    return false;
}

/* Whose rows they are: those of the table that COPY names; or of the one that the label names, a
 * partition, where they are loaded through its root. */
static bool name_table(Walk *walk, const DumpTable *named, Error *err)
{
    const Manifest *manifest = walk->manifest;
    walk->rows.schema = named->schema;
    walk->rows.name = named->name;
    if (!manifest)
        return true;
    const ManifestTable *row = manifest_find_number(manifest, walk->label->table);
    if (!row)
        return error_set(err, ERR_PROBLEMS, "the manifest has no table number %" PRIu32,
                         walk->label->table);
    if (str_equal(row->name, named->name) && str_equal(row->schema, named->schema))
        return true;
    walk->rows.schema = row->schema;
    walk->rows.name = row->name;
    return is_partitioned(manifest, named) ||
           error_set(err, ERR_PROBLEMS, "rows that are labelled as those of %s.%s are for %s.%s",
                     row->schema, row->name, named->schema, named->name);
}

static void add_table(Walk *walk)
{
    ArchiveContent *content = walk->content;
    DumpTable *found = NULL;
    for (size_t i = content->table_count; i-- > 0 && !found;) {
        if (str_equal(content->tables[i].name, walk->rows.name) &&
            str_equal(content->tables[i].schema, walk->rows.schema))
            found = &content->tables[i];
    }
    if (found) {
        found->rows += walk->rows.rows;
        found->digest += walk->rows.digest;
        found->raw_bytes += walk->rows.raw_bytes;
    } else {
        ARENA_PUSH(walk->arena, content->tables, content->table_count, content->table_capacity,
                   walk->rows);
    }
    walk->rows = (DumpTable){0};
}

static bool on_copy_end(void *data, const DumpTable *table, int64_t rows, Error *err)
{
    Walk *walk = data;
    (void)rows;
    if (walk->label->kind != MEMBER_COPY_END)
        return bad_text("the end of a table", err);
    walk->in_copy = false;
    if (!name_table(walk, table, err))
        return false;
    add_table(walk);
    return true;
}

static bool take_text(void *data, const char *bytes, size_t length, Error *err)
{
    Walk *walk = data;
    walk->last_byte = bytes[length - 1];
    return dump_reader_feed(walk->reader, bytes, length, err);
}

/* The next member in the order of the file. Rows are only added up: a thread compares what their
 * label says with what they are. */
static bool walk_member(Walk *walk, const Crew *crew, MemberReader *reader, const Member *member,
                        Error *err)
{
    const MemberLabel *label = &member->label;
    walk->label = label;
    if (label->kind == MEMBER_ROWS) {
        walk->rows.rows += label->rows;
        walk->rows.digest += label->digest;
        walk->rows.raw_bytes += label->raw_bytes;
        dump_reader_skip_rows(walk->reader, label->rows);
        return true;
    }
    if (!interrupt_check(err) ||
        !member_read(reader, crew->descriptor, member, take_text, walk, err))
        return false;
    bool whole_line = label->kind == MEMBER_TEXT || walk->last_byte == '\n';
    if (walk->in_copy == (label->kind == MEMBER_COPY_BEGIN) && whole_line &&
        (label->kind != MEMBER_COPY_END || label->raw_bytes == (int64_t)strlen("\\.\n")))
        return true;
    return error_set(err, ERR_PROBLEMS, "the part at byte %" PRId64 " is not what its label says",
                     member->offset);
}

static bool walk_text(Walk *walk, Crew *crew, MemberReader *reader, Progress *progress, Error *err)
{
    static const DumpEvents events = {on_statement, on_copy_begin, on_copy_data, on_copy_end};
    _cleanup_dump_reader_ DumpReader *dump = dump_reader_create(walk->arena, &events, walk);
    walk->reader = dump;
    for (size_t i = 0; i < crew->index->count && !atomic_load(&crew->stop); i++) {
        const Member *member = &crew->index->members[i];
        if (!walk_member(walk, crew, reader, member, err))
            return false;
        if (member->label.kind != MEMBER_ROWS)
            atomic_fetch_add(&crew->done_bytes, member->packed_bytes);
        progress_update(progress, atomic_load(&crew->done_bytes));
    }
    if (atomic_load(&crew->stop)) /* another thread knows why */
        return true;
    walk->content->complete = dump_reader_is_complete(dump);
    return dump_reader_finish(dump, err);
}

/* ---- all of it ---------------------------------------------------------------------------- */

typedef struct {
    const char *path;
    char *sha256;
    bool hashed;
    Error error;
} WholeHash;

static void *run_hash(void *data)
{
    WholeHash *whole = data;
    whole->hashed = hash_file(whole->path, whole->sha256, NULL, &whole->error);
    return NULL;
}

static int job_count(int wanted)
{
    long jobs = wanted ? wanted : sysconf(_SC_NPROCESSORS_ONLN);
    return jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : (int)jobs;
}

/* The caller is one of the threads. Where one more cannot be had, those that are do. */
static void run_crew(Crew *crew, Walk *walk, int jobs, Progress *progress)
{
    pthread_t threads[JOBS_MAX];
    int started = 0;
    Error error = {0};
    _cleanup_member_reader_ MemberReader *reader = create_reader(crew);
    while (started < jobs - 1 && pthread_create(&threads[started], NULL, run_worker, crew) == 0)
        started++;
    if (!walk_text(walk, crew, reader, progress, &error))
        note_failure(crew, &error);
    work(crew, reader, progress);
    for (int i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
}

bool archive_verify(Arena *arena, const ArchiveVerify *spec, Progress *progress, StrList *roles,
                    char sha256[HASH_HEX_SIZE], ArchiveContent *content, Error *err)
{
    _cleanup_close_ int descriptor = open(spec->path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot read %s", spec->path);
    Crew crew = {.descriptor = descriptor,
                 .index = spec->index,
                 .whole_is_compared = spec->manifest != NULL};
    WholeHash whole = {.path = spec->path, .sha256 = sha256};
    Walk walk = {.arena = arena, .manifest = spec->manifest, .roles = roles, .content = content};
    pthread_t hasher;
    *content = (ArchiveContent){0};
    (void)pthread_mutex_init(&crew.lock, NULL);
    bool beside = pthread_create(&hasher, NULL, run_hash, &whole) == 0;
    run_crew(&crew, &walk, job_count(spec->jobs), progress);
    if (beside)
        (void)pthread_join(hasher, NULL);
    else
        (void)run_hash(&whole);
    (void)pthread_mutex_destroy(&crew.lock);
    if (!whole.hashed) {
        *err = whole.error;
        return false;
    }
    if (crew.failed)
        *err = crew.failure;
    return !crew.failed;
}
