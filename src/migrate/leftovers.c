#include "migrate/leftovers.h"

#include "base/str.h"
#include "sql_texts.h"

typedef struct {
    const char *oid, *schema, *name;
    const char *table;  /* its bare name */
    const char *quoted; /* "public.big_a", for SQL */
} InvalidIndex;

/* Those of the database that nobody builds at the moment. */
static bool list_invalid(Arena *arena, Session *session, InvalidIndex **items, size_t *count,
                         Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_migrate_invalid_indexes, &rows, err))
        return error_context(err, "cannot look for INVALID indexes");
    *count = result_rows(rows);
    *items = arena_array(arena, *count, sizeof(**items));
    for (size_t i = 0; i < *count; i++) {
        const char *schema = arena_strdup(arena, result_text(rows, i, "schema"));
        const char *name = arena_strdup(arena, result_text(rows, i, "name"));
        (*items)[i] =
            (InvalidIndex){.oid = arena_strdup(arena, result_text(rows, i, "oid")),
                           .schema = schema,
                           .name = name,
                           .table = arena_strdup(arena, result_text(rows, i, "table_name")),
                           .quoted = sql_qualified(arena, schema, name)};
    }
    return true;
}

/* ---- whose it is ------------------------------------------------------------------------- */

bool leftover_has_name_of(const Statement *what, const char *index_name)
{
    if (what->kind == STATEMENT_REINDEX)
        return strstr(index_name, "_ccnew") || strstr(index_name, "_ccold");
    return !what->name || str_equal(index_name, what->name);
}

bool leftover_was_before(const char *before, const char *oid)
{
    char wanted[32];
    (void)snprintf(wanted, sizeof(wanted), ",%s,", oid);
    return strstr(before, wanted) != NULL;
}

static bool is_left_by(const InvalidIndex *index, const Statement *what, const char *before)
{
    if (!leftover_has_name_of(what, index->name))
        return false;
    switch (what->kind) {
    case STATEMENT_CREATE_INDEX_CONCURRENTLY:
        return str_equal(what->table, index->table) && before &&
               !leftover_was_before(before, index->oid);
    case STATEMENT_REINDEX:
        return before && !leftover_was_before(before, index->oid);
    case STATEMENT_DROP_INDEX_CONCURRENTLY:
        return !what->schema || str_equal(what->schema, index->schema);
    default:
        return false;
    }
}

static const char *what_mends(StatementKind kind)
{
    return kind == STATEMENT_DROP_INDEX_CONCURRENTLY ? "drops it for good"
                                                     : "removes it and builds it anew";
}

static char *describe(Arena *arena, const InvalidIndex *index, StatementKind kind,
                      RunDirection direction)
{
    return arena_printf(arena,
                        "`vaxdb migrate %s` %s; to be without it: DROP INDEX CONCURRENTLY %s",
                        direction == RUN_UP ? "up" : "down", what_mends(kind), index->quoted);
}

const char *leftovers_describe(Arena *arena, Session *session, const Statement *what,
                               const char *before, RunDirection direction)
{
    InvalidIndex *items = NULL;
    size_t count = 0;
    Error ignored = {0};
    if (!list_invalid(arena, session, &items, &count, &ignored))
        return NULL;
    StrList list;
    str_list_init(&list, arena);
    for (size_t i = 0; i < count; i++) {
        if (is_left_by(&items[i], what, before))
            str_list_addf(&list, "the index %s is INVALID now: %s", items[i].quoted,
                          describe(arena, &items[i], what->kind, direction));
    }
    return list.count ? str_list_join(&list, arena, "\n      ") : NULL;
}

/* ---- all of them ------------------------------------------------------------------------- */

/* The statement in which a half-done run stopped; false where there is none or its file is gone. */
static bool stopped_in(Arena *arena, const Migration *migration, Statement *what)
{
    const LedgerRun *run = migration->run;
    if (!run || run->attempting < 0 || !migration->file)
        return false;
    const char *path =
        run->direction == RUN_UP ? migration->file->path : migration->file->down_path;
    Script script;
    Error ignored = {0};
    if (!path || !script_read(arena, path, &script, &ignored) ||
        (size_t)run->attempting >= script.count)
        return false;
    *what = script.items[run->attempting].what;
    return true;
}

static void claim(Arena *arena, const InvalidIndex *items, size_t count, const Migration *migration,
                  MigrateInvalid *invalid)
{
    Statement what;
    if (!stopped_in(arena, migration, &what))
        return;
    const LedgerRun *run = migration->run;
    for (size_t i = 0; i < count; i++) {
        if (!is_left_by(&items[i], &what, run->before))
            continue;
        invalid[i].migration = migration->name;
        invalid[i].message = arena_printf(arena, "INVALID, left by %s: %s", migration->name,
                                          describe(arena, &items[i], what.kind, run->direction));
    }
}

bool leftovers_find(Arena *arena, Session *session, MigrateStatus *status, Error *err)
{
    InvalidIndex *items = NULL;
    size_t count = 0;
    if (!list_invalid(arena, session, &items, &count, err))
        return false;
    status->invalid = arena_array(arena, count, sizeof(*status->invalid));
    status->invalid_count = count;
    for (size_t i = 0; i < count; i++)
        status->invalid[i] = (MigrateInvalid){
            .index = items[i].quoted,
            .message = arena_printf(arena,
                                    "INVALID, no query uses it: REINDEX INDEX CONCURRENTLY %s "
                                    "builds it anew, DROP INDEX CONCURRENTLY %s removes it",
                                    items[i].quoted, items[i].quoted)};
    for (size_t i = 0; count > 0 && i < status->count; i++)
        claim(arena, items, count, &status->items[i], status->invalid);
    return true;
}
