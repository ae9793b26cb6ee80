#include "backup/sequences.h"

#include "sql_texts.h"

#include <inttypes.h>

/* One statement for so many: each is a relation that the query opens. */
#define SEQUENCES_MAX 200

static bool read_positions(Arena *arena, Session *session, const Result *names, size_t from,
                           size_t end, ManifestSequence *sequences, Error *err)
{
    _cleanup_buffer_ Buffer query;
    _cleanup_result_ Result *rows = NULL;
    buffer_init(&query, BUFFER_MAX_FILE);
    for (size_t i = from; i < end; i++)
        (void)buffer_printf(&query, "%s SELECT %zu AS at, last_value, is_called FROM %s",
                            i > from ? " UNION ALL" : "", i, result_text(names, i, "source"));
    if (!buffer_check(&query, "the list of sequences", err) ||
        !session_query(session, query.data, &rows, err))
        return error_context(err, "reading the sequences");
    if (result_rows(rows) != end - from)
        return error_set(err, ERR_FAILED, "not every sequence could be read");
    for (size_t row = 0; row < result_rows(rows); row++) {
        size_t i = (size_t)result_int64(rows, row, "at");
        sequences[i] = (ManifestSequence){
            .schema = arena_strdup(arena, result_text(names, i, "schema")),
            .name = arena_strdup(arena, result_text(names, i, "name")),
            .last_value = result_int64(rows, row, "last_value"),
            .called = result_bool(rows, row, "is_called"),
        };
    }
    return true;
}

bool sequences_read(Arena *arena, Session *session, ManifestSequence **sequences, size_t *count,
                    Error *err)
{
    _cleanup_result_ Result *names = NULL;
    if (!session_query(session, sql_backup_sequences, &names, err))
        return error_context(err, "listing the sequences");
    *count = result_rows(names);
    *sequences = arena_array(arena, *count, sizeof(**sequences));
    for (size_t from = 0; from < *count; from += SEQUENCES_MAX) {
        size_t end = *count - from > SEQUENCES_MAX ? from + SEQUENCES_MAX : *count;
        if (!read_positions(arena, session, names, from, end, *sequences, err))
            return false;
    }
    return true;
}

bool sequences_write(Arena *arena, const ManifestSequence *sequences, size_t count, Buffer *sql,
                     Error *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = sql_qualified(arena, sequences[i].schema, sequences[i].name);
        (void)buffer_printf(sql, "SELECT pg_catalog.setval(%s, %" PRId64 ", %s);\n",
                            sql_literal(arena, name), sequences[i].last_value,
                            sequences[i].called ? "true" : "false");
    }
    return buffer_check(sql, "the list of sequences", err);
}

static const ManifestSequence *find(const ManifestSequence *sequences, size_t count,
                                    const ManifestSequence *wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(sequences[i].name, wanted->name) &&
            str_equal(sequences[i].schema, wanted->schema))
            return &sequences[i];
    }
    return NULL;
}

bool sequences_compare(Arena *arena, Session *session, const Manifest *manifest, StrList *wrong,
                       Error *err)
{
    ManifestSequence *there = NULL;
    size_t count = 0;
    if (!sequences_read(arena, session, &there, &count, err))
        return false;
    for (size_t i = 0; i < manifest->sequence_count; i++) {
        const ManifestSequence *wanted = &manifest->sequences[i];
        const ManifestSequence *found = find(there, count, wanted);
        if (!found)
            str_list_addf(wrong, "%s.%s is missing", wanted->schema, wanted->name);
        else if (found->last_value != wanted->last_value || found->called != wanted->called)
            str_list_addf(wrong, "%s.%s is at %" PRId64 "%s, the manifest says %" PRId64 "%s",
                          wanted->schema, wanted->name, found->last_value,
                          found->called ? "" : " (not yet given)", wanted->last_value,
                          wanted->called ? "" : " (not yet given)");
    }
    return true;
}
