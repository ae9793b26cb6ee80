/* Statements that cannot run in a transaction. A kill can fall between the statement's end on the
 * server and our note of it; so what there was before it is noted first, and afterwards the
 * catalogue tells what happened:
 *
 *     CREATE INDEX CONCURRENTLY   an index that was not there: valid is done; INVALID is dropped
 * and built again. Any other INVALID index is left alone. DROP ...                    nothing of
 * that name is there: done DETACH ... CONCURRENTLY     no partition any more: done; half detached:
 * finalized CREATE DATABASE, ...        there and was not before: done REINDEX, VACUUM, ... run
 * again; running twice is running once CALL, DO that commits       nobody can tell: the user is
 * asked */
#include "migrate/runner.h"

#include "base/str.h"
#include "migrate/leftovers.h"
#include "sql_texts.h"

#define TEXT_HASH_LENGTH 16

static const Statement *statement_at(const StepRun *now, size_t index)
{
    return &now->step->script.items[index].what;
}

static char *name_for_sql(Arena *arena, const char *schema, const char *name)
{
    return schema ? sql_qualified(arena, schema, name) : sql_identifier(arena, name);
}

/* ---- indexes ----------------------------------------------------------------------------- */

/* Tells whether the statement was edited between two attempts. */
static const char *text_hash(const StepRun *now, size_t index)
{
    const Script *script = &now->step->script;
    const SqlPiece *piece = &script->items[index].piece;
    char hex[HASH_HEX_SIZE];
    hash_bytes(script->text + piece->start, piece->length, hex);
    return arena_strndup(now->arena, hex, TEXT_HASH_LENGTH);
}

/* NULL for REINDEX: every invalid index of the database counts. */
static const char *indexed_table(const StepRun *now, const Statement *what)
{
    bool build = what->kind == STATEMENT_CREATE_INDEX_CONCURRENTLY;
    return build ? name_for_sql(now->arena, what->table_schema, what->table) : NULL;
}

static bool list_indexes(const StepRun *now, const Statement *what, Result **rows, Error *err)
{
    const char *params[] = {indexed_table(now, what)};
    return session_query_params(now->runner->work, sql_migrate_table_indexes, 1, params, rows, err);
}

/* "HASH,OID,OID," */
static bool note_indexes(const StepRun *now, size_t index, const char **before, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!list_indexes(now, statement_at(now, index), &rows, err))
        return false;
    StrList list;
    str_list_init(&list, now->arena);
    str_list_add(&list, text_hash(now, index));
    for (size_t i = 0; i < result_rows(rows); i++)
        str_list_add(&list, result_text(rows, i, "oid"));
    *before = arena_printf(now->arena, "%s,", str_list_join(&list, now->arena, ","));
    return true;
}

static bool drop_invalid(const StepRun *now, const char *schema, const char *name, const char *why,
                         Error *err)
{
    const char *index = sql_qualified(now->arena, schema, name);
    if (now->runner->options->log)
        log_info(now->runner->options->log, "Removing the INVALID index %s, %s", index, why);
    return session_execute(now->runner->work,
                           arena_printf(now->arena, "DROP INDEX CONCURRENTLY IF EXISTS %s", index),
                           err);
}

/* IF NOT EXISTS keeps whatever has the name, INVALID too: then the application's queries would go
 * on without their index. */
static bool check_existing(const StepRun *now, const Statement *what, Error *err)
{
    if (!what->name || !what->if_exists)
        return true;
    _cleanup_result_ Result *rows = NULL;
    const char *params[] = {indexed_table(now, what), what->name};
    if (!session_query_params(now->runner->work, sql_migrate_index_named, 2, params, &rows, err))
        return false;
    if (result_rows(rows) == 0)
        return true;
    Log *log = now->runner->options->log;
    if (result_bool(rows, 0, "other_table")) {
        if (log)
            log_warn(log, "%s: an index %s exists on another table; IF NOT EXISTS leaves it",
                     now->step->file_name, what->name);
        return true;
    }
    return result_bool(rows, 0, "valid") ||
           drop_invalid(now, result_text(rows, 0, "schema"), what->name,
                        "which IF NOT EXISTS would have kept", err);
}

static bool settle_indexes(const StepRun *now, size_t index, const char *before, Outcome *outcome,
                           Error *err)
{
    const Statement *what = statement_at(now, index);
    _cleanup_result_ Result *rows = NULL;
    if (!before)
        return true;
    if (!list_indexes(now, what, &rows, err))
        return false;
    bool same_text = str_starts(before, text_hash(now, index));
    for (size_t i = 0; i < result_rows(rows); i++) {
        const char *name = result_text(rows, i, "name");
        if (!leftover_has_name_of(what, name) ||
            leftover_was_before(before, result_text(rows, i, "oid")))
            continue;
        if (result_bool(rows, i, "valid"))
            *outcome = same_text ? OUTCOME_DONE : OUTCOME_RUN;
        else if (!drop_invalid(now, result_text(rows, i, "schema"), name,
                               "which the interrupted statement left", err))
            return false;
    }
    return true;
}

/* ---- other objects ----------------------------------------------------------------------- */

static const char *object_class(StatementKind kind)
{
    switch (kind) {
    case STATEMENT_DROP_INDEX_CONCURRENTLY:
        return "relation";
    case STATEMENT_CREATE_DATABASE:
    case STATEMENT_DROP_DATABASE:
        return "database";
    case STATEMENT_CREATE_TABLESPACE:
    case STATEMENT_DROP_TABLESPACE:
        return "tablespace";
    case STATEMENT_CREATE_SUBSCRIPTION:
    case STATEMENT_DROP_SUBSCRIPTION:
        return "subscription";
    case STATEMENT_PREPARED_TRANSACTION:
        return "prepared transaction";
    default:
        return NULL;
    }
}

static bool object_exists(const StepRun *now, const Statement *what, bool *present, Error *err)
{
    const char *name = what->kind == STATEMENT_DROP_INDEX_CONCURRENTLY
                           ? name_for_sql(now->arena, what->schema, what->name)
                           : what->name;
    const char *params[] = {object_class(what->kind), name};
    _cleanup_result_ Result *rows = NULL;
    if (!session_query_params(now->runner->work, sql_migrate_object_exists, 2, params, &rows, err))
        return false;
    *present = result_bool(rows, 0, "present");
    return true;
}

static bool creates_object(StatementKind kind)
{
    return kind == STATEMENT_CREATE_DATABASE || kind == STATEMENT_CREATE_TABLESPACE ||
           kind == STATEMENT_CREATE_SUBSCRIPTION;
}

static bool settle_object(const StepRun *now, const Statement *what, const char *before,
                          Outcome *outcome, Error *err)
{
    bool present = false;
    if (!object_exists(now, what, &present, err))
        return false;
    if (creates_object(what->kind))
        *outcome = present && str_equal(before, "absent") ? OUTCOME_DONE : OUTCOME_RUN;
    else
        *outcome = present ? OUTCOME_RUN : OUTCOME_DONE;
    return true;
}

static bool settle_detach(const StepRun *now, const Statement *what, Outcome *outcome, Error *err)
{
    const char *parent = name_for_sql(now->arena, what->table_schema, what->table);
    const char *partition = name_for_sql(now->arena, what->schema, what->name);
    const char *params[] = {parent, partition};
    _cleanup_result_ Result *rows = NULL;
    if (!session_query_params(now->runner->work, sql_migrate_detach_state, 2, params, &rows, err))
        return false;
    bool attached = result_rows(rows) > 0;
    if (attached && !result_bool(rows, 0, "pending"))
        return true;
    *outcome = OUTCOME_DONE;
    return !attached ||
           session_execute(now->runner->work,
                           arena_printf(now->arena, "ALTER TABLE %s DETACH PARTITION %s FINALIZE",
                                        parent, partition),
                           err);
}

/* An error of the server is an answer; only silence leaves the outcome open. */
static bool settle_unknown(const StepRun *now, size_t index, const LedgerRun *run, Outcome *outcome,
                           Error *err)
{
    bool answered = str_equal(run->state, "failed") && run->sqlstate[0];
    UnknownOutcome choice = answered ? UNKNOWN_AGAIN : now->runner->options->unknown;
    *outcome = choice == UNKNOWN_DONE ? OUTCOME_DONE : OUTCOME_RUN;
    if (choice != UNKNOWN_REFUSE)
        return true;
    (void)error_set(err, ERR_REFUSED,
                    "the last run was interrupted in this statement, and nothing tells whether it "
                    "took effect");
    return error_hint(err,
                      "look at what it should have done, then run the command again with "
                      "--interrupted done (it took effect: skip line %d) or --interrupted "
                      "again (it did not: run it)",
                      now->step->script.items[index].piece.line);
}

/* ---- the three doors --------------------------------------------------------------------- */

bool outside_prepare(const StepRun *now, size_t index, const char **before, Error *err)
{
    const Statement *what = statement_at(now, index);
    if (what->kind == STATEMENT_CREATE_INDEX_CONCURRENTLY)
        return check_existing(now, what, err) && note_indexes(now, index, before, err);
    if (what->kind == STATEMENT_REINDEX)
        return note_indexes(now, index, before, err);
    if (!creates_object(what->kind))
        return true;
    bool present = false;
    if (!object_exists(now, what, &present, err))
        return false;
    *before = present ? "present" : "absent";
    return true;
}

bool outside_settle(const StepRun *now, size_t index, const LedgerRun *run, Outcome *outcome,
                    Error *err)
{
    const Statement *what = statement_at(now, index);
    *outcome = OUTCOME_RUN;
    if (what->kind == STATEMENT_CREATE_INDEX_CONCURRENTLY || what->kind == STATEMENT_REINDEX)
        return settle_indexes(now, index, run->before, outcome, err);
    if (object_class(what->kind))
        return settle_object(now, what, run->before, outcome, err);
    if (what->kind == STATEMENT_DETACH_CONCURRENTLY)
        return settle_detach(now, what, outcome, err);
    if (what->kind == STATEMENT_CALL || what->kind == STATEMENT_CALL_COMMITS ||
        what->kind == STATEMENT_OUTSIDE_OTHER)
        return settle_unknown(now, index, run, outcome, err);
    return true;
}

bool outside_check(const StepRun *now, size_t index, Error *err)
{
    const Statement *what = statement_at(now, index);
    if (what->kind != STATEMENT_CREATE_INDEX_CONCURRENTLY || !what->name)
        return true;
    _cleanup_result_ Result *rows = NULL;
    const char *params[] = {indexed_table(now, what), what->name};
    if (!session_query_params(now->runner->work, sql_migrate_index_named, 2, params, &rows, err))
        return false;
    if (result_rows(rows) == 0 || result_bool(rows, 0, "valid") ||
        result_bool(rows, 0, "other_table"))
        return true;
    (void)error_set(err, ERR_FAILED, "the index %s was built and is INVALID", what->name);
    return error_hint(err, "run the command again: it removes the index and builds it anew");
}
