#include "checklist/facts.h"

#include "base/file.h"

#define TABLES_MAX 100000

bool facts_indexes(Facts *facts, const IndexList **list, Error *err)
{
    if (!facts->indexes) {
        IndexList *read = arena_alloc(facts->arena, sizeof(*read));
        if (!index_list(facts->spec->session, facts->arena, NULL, read, err))
            return false;
        facts->indexes = read;
    }
    *list = facts->indexes;
    return true;
}

bool facts_tables(Facts *facts, const TableList **tables, Error *err)
{
    if (!facts->tables) {
        TableList *read = arena_alloc(facts->arena, sizeof(*read));
        if (!monitor_tables(facts->spec->session, facts->arena, TABLES_MAX, read, err))
            return false;
        facts->tables = read;
    }
    *tables = facts->tables;
    return true;
}

bool facts_window(Facts *facts, const IndexWindow **window, Error *err)
{
    if (!facts->window) {
        IndexWindow *read = arena_alloc(facts->arena, sizeof(*read));
        if (!index_window_read(facts->spec->session, facts->arena, read, err))
            return false;
        facts->window = read;
    }
    *window = facts->window;
    return true;
}

bool facts_unused(Facts *facts, const UnusedReport **report, Error *err)
{
    if (!facts->unused) {
        const IndexList *list = NULL;
        UnusedReport *read = arena_alloc(facts->arena, sizeof(*read));
        if (!facts_indexes(facts, &list, err) ||
            !index_find_unused(facts->spec->session, facts->arena, list, INDEX_DEFAULT_MAX_SCANS,
                               read, err))
            return false;
        facts->unused = read;
    }
    *report = facts->unused;
    return true;
}

bool facts_bare_keys(Facts *facts, const BareForeignKey **keys, size_t *count, Error *err)
{
    if (!facts->bare_keys_read) {
        BareForeignKey *read = NULL;
        if (!index_find_bare_foreign_keys(facts->spec->session, facts->arena, &read,
                                          &facts->bare_key_count, err))
            return false;
        facts->bare_keys = read;
        facts->bare_keys_read = true;
    }
    *keys = facts->bare_keys;
    *count = facts->bare_key_count;
    return true;
}

bool facts_plans(Facts *facts, const QueryPlans **plans, Error *err)
{
    if (!facts->plans) {
        const TableList *tables = NULL;
        QueryPlans *read = arena_alloc(facts->arena, sizeof(*read));
        if (!facts_tables(facts, &tables, err) || !plans_read(facts->spec, tables, read, err))
            return false;
        facts->plans = read;
    }
    *plans = facts->plans;
    return true;
}

const char *facts_backup_directory(const Facts *facts)
{
    const ChecklistSpec *spec = facts->spec;
    const char *set = config_text(spec->config, spec->env, "backup_dir");
    return set ? set : path_join(facts->arena, config_state_directory(spec->config), "backups");
}

bool facts_backups(Facts *facts, const BackupList **list, Error *err)
{
    if (!facts->backups) {
        const ChecklistSpec *spec = facts->spec;
        const char *name = config_text(spec->config, spec->env, "name");
        BackupList *read = arena_alloc(facts->arena, sizeof(*read));
        if (!backup_list(facts->arena, facts_backup_directory(facts), read, err))
            return false;
        size_t kept = 0;
        for (size_t i = 0; i < read->count; i++) {
            const Manifest *manifest = &read->items[i].manifest;
            if (str_equal(manifest->env, env_name(spec->env)) && str_equal(manifest->name, name))
                read->items[kept++] = read->items[i];
        }
        read->count = kept;
        facts->backups = read;
    }
    *list = facts->backups;
    return true;
}

bool facts_largest_table(Facts *facts, const TableInfo **table, Error *err)
{
    const TableList *tables = NULL;
    if (!facts_tables(facts, &tables, err))
        return false;
    *table = NULL;
    for (size_t i = 0; i < tables->count; i++) {
        if (!*table || tables->items[i].rows > (*table)->rows)
            *table = &tables->items[i];
    }
    return true;
}

int64_t facts_rows_of(const TableList *tables, const char *schema, const char *name)
{
    for (size_t i = 0; i < tables->count; i++) {
        const TableInfo *table = &tables->items[i];
        if (str_equal(table->name, name) && str_equal(table->schema, schema))
            return table->rows;
    }
    return 0;
}

const char *facts_some(Arena *arena, const StrList *items, size_t shown)
{
    StrList first;
    str_list_init(&first, arena);
    for (size_t i = 0; i < items->count && i < shown; i++)
        str_list_add(&first, items->items[i]);
    const char *text = str_list_join(&first, arena, ", ");
    if (items->count <= shown)
        return text;
    return arena_printf(arena, "%s and %zu more", text, items->count - shown);
}
