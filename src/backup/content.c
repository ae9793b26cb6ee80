#include "backup/backup.h"
#include "backup/dump_reader.h"
#include "backup/dump_stream.h"
#include "sql_texts.h"

#include <inttypes.h>

static bool take(void *data, const char *bytes, size_t length, Error *err)
{
    return dump_reader_feed(data, bytes, length, err);
}

static const DumpTable *find(const DumpTable *tables, size_t count, const ManifestLoad *wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(tables[i].name, wanted->name) && str_equal(tables[i].schema, wanted->schema))
            return &tables[i];
    }
    return NULL;
}

static bool is_zoned(const Result *zoned, const ManifestLoad *table)
{
    for (size_t i = 0; zoned && i < result_rows(zoned); i++) {
        if (str_equal(result_text(zoned, i, "name"), table->name) &&
            str_equal(result_text(zoned, i, "schema"), table->schema))
            return true;
    }
    return false;
}

bool backup_compare_content(Arena *arena, Log *log, Session *session, const char *pg_bindir,
                            const Manifest *manifest, StrList *wrong, StrList *unseen, Error *err)
{
    /* With the schema: --data-only warns of circular foreign keys, which harm no comparison. */
    static const char *const arguments[] = {NULL};
    PgDump tool;
    _cleanup_result_ Result *zoned = NULL;
    str_list_init(wrong, arena);
    str_list_init(unseen, arena);
    if (!pg_dump_find(arena, pg_bindir, session_server_version(session), &tool, err))
        return false;
    _cleanup_dump_stream_ DumpStream stream = {0};
    _cleanup_dump_reader_ DumpReader *reader = dump_reader_create(arena, NULL, NULL);
    const DumpSink sink = {take, NULL, reader};
    if (!dump_stream_start(arena, &tool, session, arguments, &stream, err) ||
        !dump_stream_run(log, &stream, &sink, err) || !dump_reader_finish(reader, err)) {
        if (err->code == ERR_FAILED)
            err->code = ERR_PROBLEMS; /* rows that cannot be read were not restored */
        return error_context(err, "reading the restored rows");
    }
    if (manifest->adopted && !session_query(session, sql_backup_zoned_tables, &zoned, err))
        return false;
    size_t count = 0;
    const DumpTable *tables = dump_reader_tables(reader, &count);
    size_t load_count = 0;
    const ManifestLoad *loads = manifest_loads(arena, manifest, &load_count);
    for (size_t i = 0; i < load_count; i++) {
        const ManifestLoad *wanted = &loads[i];
        if (wanted->extension || !*wanted->digest)
            continue;
        const DumpTable *found = find(tables, count, wanted);
        if (!found || !str_equal(arena_printf(arena, "%016" PRIx64, found->digest), wanted->digest))
            str_list_addf(found && is_zoned(zoned, wanted) ? unseen : wrong, "%s.%s",
                          wanted->schema, wanted->name);
    }
    return true;
}
