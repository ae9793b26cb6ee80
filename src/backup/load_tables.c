#include "backup/load_parallel.h"
#include "sql_texts.h"

#include <fnmatch.h>
#include <string.h>

#define DEPENDENTS_EXIST "2BP01"

static bool matches(Arena *arena, const char *pattern, const LoadRelation *relation)
{
    const char *qualified = arena_printf(arena, "%s.%s", relation->schema, relation->name);
    return fnmatch(pattern, strchr(pattern, '.') ? qualified : relation->name, FNM_NOESCAPE) == 0;
}

static bool mark_named(ParallelLoad *load, Error *err)
{
    const StrList *patterns = load->loading->options->tables;
    LoadRelations *relations = &load->relations;
    for (size_t i = 0; i < relations->count; i++)
        relations->items[i].wanted = relations->items[i].kept = false;
    for (size_t i = 0; i < patterns->count; i++) {
        bool met = false;
        for (size_t j = 0; j < relations->count; j++) {
            LoadRelation *relation = &relations->items[j];
            if (relation->extension || !matches(load->loading->arena, patterns->items[i], relation))
                continue;
            relation->wanted = met = true;
        }
        if (!met)
            return error_set(err, ERR_USAGE, "the backup has no table %s", patterns->items[i]);
    }
    return true;
}

/* Rows that are loaded through the root of their partitions cannot be told apart: then the whole
 * tree is wanted. */
static void mark_trees(ParallelLoad *load)
{
    const LoadPlan *plan = load->plan;
    const LoadRelations *relations = &load->relations;
    for (size_t i = 0; i < plan->table_count; i++) {
        LoadRelation *through =
            load_relations_find(relations, plan->tables[i].schema, plan->tables[i].name);
        bool wanted = false;
        for (size_t j = 0; through && through->partitioned && j < relations->count; j++)
            wanted =
                wanted || (relations->items[j].wanted && relations->items[j].root == through->root);
        if (wanted)
            through->root->wanted = true;
    }
}

bool load_select_tables(ParallelLoad *load, Error *err)
{
    LoadRelations *relations = &load->relations;
    if (!mark_named(load, err))
        return false;
    mark_trees(load);
    /* Partitions come with their table, and the tables above a partition must be there. */
    for (size_t i = 0; i < relations->count; i++) {
        LoadRelation *relation = &relations->items[i];
        for (const LoadRelation *above = relation->parent; above; above = above->parent)
            relation->wanted = relation->wanted || above->wanted;
    }
    for (size_t i = 0; i < relations->count; i++) {
        LoadRelation *relation = &relations->items[i];
        if (!relation->wanted)
            continue;
        for (LoadRelation *above = relation; above; above = above->parent)
            above->kept = true;
    }
    return true;
}

/* *dropped is false where something that stays needs it. */
static bool drop(ParallelLoad *load, const Result *rows, size_t row, bool *dropped, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Error error = {0};
    const char *name =
        sql_qualified(arena, result_text(rows, row, "schema"), result_text(rows, row, "name"));
    *dropped = session_execute(
        load->loading->session,
        arena_printf(arena, "DROP %s IF EXISTS %s", result_text(rows, row, "kind"), name), &error);
    if (*dropped || str_equal(error.sqlstate, DEPENDENTS_EXIST))
        return true;
    *err = error;
    return error_context(err, "leaving out %s", name);
}

/* One round over what is left. */
static bool drop_some(ParallelLoad *load, const Result *rows, bool *gone, size_t *count, Error *err)
{
    *count = 0;
    for (size_t i = 0; i < result_rows(rows); i++) {
        const LoadRelation *relation = load_relations_find(
            &load->relations, result_text(rows, i, "schema"), result_text(rows, i, "name"));
        if (gone[i] || (relation && relation->kept))
            continue;
        if (!drop(load, rows, i, &gone[i], err))
            return false;
        *count += gone[i];
    }
    return true;
}

/* What could not be dropped is there, and empty. */
static void note_left(ParallelLoad *load, const Result *rows, const bool *gone)
{
    for (size_t i = 0; i < result_rows(rows); i++) {
        LoadRelation *relation = load_relations_find(
            &load->relations, result_text(rows, i, "schema"), result_text(rows, i, "name"));
        if (!relation || relation->kept || gone[i])
            continue;
        relation->kept = true;
        str_list_addf(&load->loading->result->notes,
                      "%s.%s stays, without rows: what was wanted needs it", relation->schema,
                      relation->name);
    }
}

bool load_drop_others(ParallelLoad *load, Error *err)
{
    Loading *loading = load->loading;
    _cleanup_result_ Result *rows = NULL;
    size_t count = 0;
    if (!session_query(loading->session, sql_backup_load_others, &rows, err))
        return error_context(err, "listing the tables");
    bool *gone = arena_array(loading->arena, result_rows(rows), sizeof(*gone));
    do {
        if (!drop_some(load, rows, gone, &count, err))
            return false;
    } while (count);
    note_left(load, rows, gone);
    return session_execute(loading->session, "SELECT lo_unlink(oid) FROM pg_largeobject_metadata",
                           err);
}
