#include "backup/backup.h"
#include "backup/sequences.h"
#include "sql_texts.h"

#include <inttypes.h>

static bool count_one(Session *session, TableRows *table, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *value = NULL;
    const char *sql = arena_printf(arena, "SELECT count(*) FROM ONLY %s",
                                   sql_qualified(arena, table->schema, table->name));
    if (!session_scalar(session, arena, sql, &value, err))
        return error_context(err, "counting the rows of %s.%s", table->schema, table->name);
    return (value && str_to_int64(value, 0, INT64_MAX, &table->rows)) ||
           error_set(err, ERR_FAILED, "cannot count the rows of %s.%s", table->schema, table->name);
}

/* Every table, partitioned ones with rows -1. */
static bool list_tables(Arena *arena, Session *session, TableRows **tables, size_t *count,
                        Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_backup_tables, &rows, err))
        return false;
    *count = result_rows(rows);
    *tables = arena_array(arena, *count, sizeof(**tables));
    for (size_t i = 0; i < *count; i++) {
        TableRows *table = &(*tables)[i];
        table->schema = arena_strdup(arena, result_text(rows, i, "schema"));
        table->name = arena_strdup(arena, result_text(rows, i, "name"));
        table->rows = -1;
        if (!result_bool(rows, i, "partitioned") && !count_one(session, table, err))
            return false;
    }
    return true;
}

static const TableRows *find_table(const TableRows *tables, size_t count,
                                   const ManifestTable *wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(tables[i].name, wanted->name) && str_equal(tables[i].schema, wanted->schema))
            return &tables[i];
    }
    return NULL;
}

static void compare_tables(const Manifest *manifest, const TableRows *tables, size_t count,
                           CompareReport *report)
{
    for (size_t i = 0; i < manifest->table_count; i++) {
        const ManifestTable *wanted = &manifest->tables[i];
        if (wanted->extension)
            continue;
        const TableRows *found = find_table(tables, count, wanted);
        if (!found)
            str_list_addf(&report->missing_tables, "%s.%s", wanted->schema, wanted->name);
        else if (!wanted->partitioned && !wanted->root_name && found->rows != wanted->rows)
            str_list_addf(&report->wrong_rows,
                          "%s.%s: %" PRId64 " rows, the manifest says %" PRId64, wanted->schema,
                          wanted->name, found->rows, wanted->rows);
    }
}

static void compare_index(const Result *rows, const ManifestIndex *wanted, CompareReport *report)
{
    for (size_t i = 0; i < result_rows(rows); i++) {
        if (!str_equal(result_text(rows, i, "name"), wanted->name) ||
            !str_equal(result_text(rows, i, "schema"), wanted->schema))
            continue;
        if (!result_bool(rows, i, "valid"))
            str_list_addf(&report->wrong_indexes, "%s.%s is not valid", wanted->schema,
                          wanted->name);
        return;
    }
    str_list_addf(&report->wrong_indexes, "%s.%s is missing", wanted->schema, wanted->name);
}

static bool compare_indexes(Session *session, const Manifest *manifest, CompareReport *report,
                            Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_backup_indexes, &rows, err))
        return false;
    report->indexes = result_rows(rows);
    for (size_t i = 0; manifest && i < manifest->index_count; i++) {
        /* An index that was invalid when it was dumped is none that anyone misses. */
        if (manifest->indexes[i].valid)
            compare_index(rows, &manifest->indexes[i], report);
    }
    return true;
}

bool backup_compare(Arena *arena, Log *log, Session *session, const Manifest *manifest,
                    CompareReport *report, Error *err)
{
    *report = (CompareReport){0};
    str_list_init(&report->missing_tables, arena);
    str_list_init(&report->wrong_rows, arena);
    str_list_init(&report->wrong_indexes, arena);
    str_list_init(&report->wrong_sequences, arena);
    TableRows *tables = NULL;
    size_t count = 0;
    log_debug(log, "counting the rows of every table");
    if (!list_tables(arena, session, &tables, &count, err))
        return false;
    report->table_rows = arena_array(arena, count, sizeof(*report->table_rows));
    for (size_t i = 0; i < count; i++) {
        if (tables[i].rows < 0)
            continue;
        report->table_rows[report->table_row_count++] = tables[i];
        report->tables++;
        report->rows += tables[i].rows;
    }
    if (manifest) {
        compare_tables(manifest, tables, count, report);
        if (!sequences_compare(arena, session, manifest, &report->wrong_sequences, err))
            return false;
    }
    return compare_indexes(session, manifest, report, err);
}

static bool has_name(const TableRows *tables, size_t count, const char *schema, const char *name)
{
    const ManifestTable wanted = {.schema = schema, .name = name};
    return find_table(tables, count, &wanted) != NULL;
}

/* Sequences go with their tables: what is not there is not looked for. */
static bool narrow_sequences(Arena *arena, Session *session, Manifest *narrow, Error *err)
{
    ManifestSequence *there = NULL;
    size_t count = 0;
    if (!sequences_read(arena, session, &there, &count, err))
        return false;
    ManifestSequence *kept = arena_array(arena, narrow->sequence_count, sizeof(*kept));
    size_t kept_count = 0;
    for (size_t i = 0; i < narrow->sequence_count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (str_equal(there[j].name, narrow->sequences[i].name) &&
                str_equal(there[j].schema, narrow->sequences[i].schema))
                kept[kept_count++] = narrow->sequences[i];
        }
    }
    narrow->sequences = kept;
    narrow->sequence_count = kept_count;
    return true;
}

bool backup_narrow(Arena *arena, Session *session, const LoadResult *loaded,
                   const Manifest *manifest, Manifest *narrow, Error *err)
{
    *narrow = *manifest;
    narrow->tables = arena_array(arena, manifest->table_count, sizeof(*narrow->tables));
    narrow->indexes = arena_array(arena, manifest->index_count, sizeof(*narrow->indexes));
    narrow->table_count = narrow->index_count = 0;
    for (size_t i = 0; i < manifest->table_count; i++) {
        const ManifestTable *table = &manifest->tables[i];
        if (has_name(loaded->wanted, loaded->wanted_count, table->schema, table->name))
            narrow->tables[narrow->table_count++] = *table;
    }
    for (size_t i = 0; i < manifest->index_count; i++) {
        const ManifestIndex *index = &manifest->indexes[i];
        if (has_name(loaded->wanted, loaded->wanted_count, index->schema, index->table))
            narrow->indexes[narrow->index_count++] = *index;
    }
    return narrow_sequences(arena, session, narrow, err);
}
