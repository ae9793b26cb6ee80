#include "index/index.h"

#include "base/str.h"
#include "pg/watch.h"

#include <assert.h>

#define ANALYZE_LOCK_TIMEOUT_MS 30000 /* a VACUUM or another ANALYZE of the table is waited for */

bool index_analyze(Session *session, Arena *arena, const AnalyzeSpec *spec, bool dry_run,
                   const char ***sql, size_t *count, Error *err)
{
    assert(spec->target >= 0 && spec->target <= INDEX_TARGET_MAX);
    if (spec->column && (!spec->table || !spec->target)) {
        error_set(err, ERR_USAGE, "--column needs a table and --target");
        return error_hint(err,
                          "vaxdb index analyze stock_snapshots --column facility_id --target 500");
    }
    const char *table = NULL;
    if (spec->table) {
        Relation relation;
        if (!index_resolve_table(session, arena, spec->table, &relation, err))
            return false;
        table = sql_qualified(arena, relation.schema, relation.name);
    }
    StrList statements;
    str_list_init(&statements, arena);
    if (spec->column)
        str_list_addf(&statements, "ALTER TABLE %s ALTER COLUMN %s SET STATISTICS %lld;", table,
                      sql_identifier(arena, spec->column), (long long)spec->target);
    else if (spec->target)
        str_list_addf(&statements, "SET default_statistics_target = %lld;",
                      (long long)spec->target);
    if (table)
        str_list_addf(&statements, "ANALYZE %s;", table);
    else
        str_list_add(&statements, "ANALYZE;");
    *sql = statements.items;
    *count = statements.count;
    if (dry_run)
        return true;
    if (!watch_end(session, ANALYZE_LOCK_TIMEOUT_MS, 0, err))
        return false;
    for (size_t i = 0; i < statements.count; i++) {
        if (!session_execute(session, statements.items[i], err))
            return error_context(err, "%s", statements.items[i]);
    }
    return true;
}
