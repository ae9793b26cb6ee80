#include "lint/effects.h"

#include "base/str.h"
#include "pg/node.h"

typedef struct {
    Arena *arena;
    const Model *model;
    Effects *effects;
    size_t first; /* effects of this statement begin here */
    int depth;
} Work;

#define MAX_DEPTH 100

const char *table_lock_name(TableLock lock)
{
    static const char *const names[] = {
        [TABLE_LOCK_NONE] = "none",
        [TABLE_LOCK_ACCESS_SHARE] = "ACCESS SHARE",
        [TABLE_LOCK_ROW_SHARE] = "ROW SHARE",
        [TABLE_LOCK_ROW_EXCLUSIVE] = "ROW EXCLUSIVE",
        [TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE] = "SHARE UPDATE EXCLUSIVE",
        [TABLE_LOCK_SHARE] = "SHARE",
        [TABLE_LOCK_SHARE_ROW_EXCLUSIVE] = "SHARE ROW EXCLUSIVE",
        [TABLE_LOCK_EXCLUSIVE] = "EXCLUSIVE",
        [TABLE_LOCK_ACCESS_EXCLUSIVE] = "ACCESS EXCLUSIVE",
    };
    return names[lock];
}

const char *table_lock_meaning(TableLock lock)
{
    if (lock == TABLE_LOCK_ACCESS_EXCLUSIVE)
        return "nobody can read or write";
    return lock >= TABLE_LOCK_SHARE ? "nobody can write" : "reads and writes go on";
}

/* ---- collecting -------------------------------------------------------------------------- */

/* One row a table: the strongest lock, and whatever else any part of the statement does. */
static Effect *effect_on(Work *work, const char *schema, const char *name, const char *what)
{
    for (size_t i = work->first; i < work->effects->count; i++) {
        Effect *effect = &work->effects->items[i];
        if (str_equal(effect->table, name) && str_equal(effect->schema, schema))
            return effect;
    }
    Effect effect = {.schema = schema ? arena_strdup(work->arena, schema) : NULL,
                     .table = arena_strdup(work->arena, name),
                     .what = what};
    Effects *effects = work->effects;
    ARENA_PUSH(work->arena, effects->items, effects->count, effects->capacity, effect);
    return &effects->items[effects->count - 1];
}

static Effect *take(Work *work, const char *schema, const char *name, TableLock lock,
                    const char *what)
{
    static Effect nobody;
    if (!name)
        return &nobody; /* written to, read by nobody: a tree without a name */
    const ModelTable *table = model_table(work->model, schema, name);
    Effect *effect = table ? effect_on(work, table->schema, table->name, what)
                           : effect_on(work, schema, name, what);
    if (lock > effect->lock) {
        effect->lock = lock;
        effect->what = what;
    }
    return effect;
}

static Effect *take_range(Work *work, const json_t *range, TableLock lock, const char *what)
{
    return take(work, node_text(range, "schemaname"), node_text(range, "relname"), lock, what);
}

static const ModelTable *range_table(const Work *work, const json_t *range)
{
    return model_table(work->model, node_text(range, "schemaname"), node_text(range, "relname"));
}

/* The same for everything that inherits from the table. */
static void take_children(Work *work, const ModelTable *table, const Effect *like)
{
    Effect copy = *like;
    if (!table || work->depth > MAX_DEPTH)
        return;
    work->depth++;
    for (size_t i = 0; i < table->child_count; i++) {
        const ModelTable *child = table->children[i];
        Effect *effect = take(work, child->schema, child->name, copy.lock, copy.what);
        effect->scans |= copy.scans;
        effect->rewrites |= copy.rewrites;
        effect->loses |= copy.loses;
        take_children(work, child, &copy);
    }
    work->depth--;
}

typedef struct {
    Work *work;
    StrList ctes;
    TableLock lock;
    const char *what;
} Reading;

static bool see_cte(void *data, const char *type, const json_t *node)
{
    Reading *reading = data;
    if (str_equal(type, "CommonTableExpr") && node_text(node, "ctename"))
        str_list_add(&reading->ctes, node_text(node, "ctename"));
    return true;
}

static bool see_range(void *data, const char *type, const json_t *node)
{
    Reading *reading = data;
    const char *name = node_text(node, "relname");
    if (!str_equal(type, "RangeVar") || !name ||
        (!node_text(node, "schemaname") && str_list_has(&reading->ctes, name)))
        return true;
    Effect *effect = take_range(reading->work, node, reading->lock, reading->what);
    take_children(reading->work, range_table(reading->work, node), effect);
    return true;
}

/* Every table that a query names is read. */
static void take_query(Work *work, const json_t *query, const char *what)
{
    Reading reading = {work, {0}, TABLE_LOCK_ACCESS_SHARE, what};
    if (json_array_size(json_object_get(query, "lockingClause")) > 0)
        reading.lock = TABLE_LOCK_ROW_SHARE;
    str_list_init(&reading.ctes, work->arena);
    (void)node_walk(query, see_cte, &reading);
    (void)node_walk(query, see_range, &reading);
}

/* ---- ALTER TABLE: AlterTableGetLockLevel --------------------------------------------------- */

static const struct {
    const char *subtype;
    TableLock lock;
} lighter[] = {
    {"AT_SetStatistics", TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE},
    {"AT_ClusterOn", TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE},
    {"AT_DropCluster", TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE},
    {"AT_SetOptions", TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE},
    {"AT_ResetOptions", TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE},
    {"AT_ValidateConstraint", TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE},
    {"AT_AttachPartition", TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE},
    {"AT_DetachPartitionFinalize", TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE},
    {"AT_SetRelOptions", TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE},
    {"AT_ResetRelOptions", TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE},
    {"AT_EnableTrig", TABLE_LOCK_SHARE_ROW_EXCLUSIVE},
    {"AT_EnableAlwaysTrig", TABLE_LOCK_SHARE_ROW_EXCLUSIVE},
    {"AT_EnableReplicaTrig", TABLE_LOCK_SHARE_ROW_EXCLUSIVE},
    {"AT_EnableTrigAll", TABLE_LOCK_SHARE_ROW_EXCLUSIVE},
    {"AT_EnableTrigUser", TABLE_LOCK_SHARE_ROW_EXCLUSIVE},
    {"AT_DisableTrig", TABLE_LOCK_SHARE_ROW_EXCLUSIVE},
    {"AT_DisableTrigAll", TABLE_LOCK_SHARE_ROW_EXCLUSIVE},
    {"AT_DisableTrigUser", TABLE_LOCK_SHARE_ROW_EXCLUSIVE},
};

static const struct {
    const char *subtype, *what;
} spellings[] = {
    {"AT_AddColumn", "ADD COLUMN"},
    {"AT_DropColumn", "DROP COLUMN"},
    {"AT_AlterColumnType", "ALTER COLUMN TYPE"},
    {"AT_SetNotNull", "SET NOT NULL"},
    {"AT_DropNotNull", "DROP NOT NULL"},
    {"AT_ColumnDefault", "ALTER COLUMN DEFAULT"},
    {"AT_AddConstraint", "ADD CONSTRAINT"},
    {"AT_ValidateConstraint", "VALIDATE CONSTRAINT"},
    {"AT_DropConstraint", "DROP CONSTRAINT"},
    {"AT_AttachPartition", "ATTACH PARTITION"},
    {"AT_DetachPartition", "DETACH PARTITION"},
    {"AT_SetTableSpace", "SET TABLESPACE"},
    {"AT_SetLogged", "SET LOGGED"},
    {"AT_SetUnLogged", "SET UNLOGGED"},
};

/* Storage parameters that change how queries are planned or rows are seen. */
static bool has_heavy_option(const json_t *definition)
{
    const json_t *items = json_object_get(json_object_get(definition, "List"), "items");
    return node_option(items, "user_catalog_table") || node_option(items, "security_barrier") ||
           node_option(items, "security_invoker");
}

static TableLock command_lock(const json_t *command)
{
    const json_t *definition = json_object_get(command, "def");
    const json_t *constraint = json_object_get(definition, "Constraint");
    if (node_is(constraint, "contype", "CONSTR_FOREIGN"))
        return TABLE_LOCK_SHARE_ROW_EXCLUSIVE;
    if (node_is(command, "subtype", "AT_DetachPartition") &&
        node_flag(json_object_get(definition, "PartitionCmd"), "concurrent"))
        return TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE;
    for (size_t i = 0; i < COUNT_OF(lighter); i++)
        if (node_is(command, "subtype", lighter[i].subtype))
            return has_heavy_option(definition) ? TABLE_LOCK_ACCESS_EXCLUSIVE : lighter[i].lock;
    return TABLE_LOCK_ACCESS_EXCLUSIVE;
}

/* A CHECK or foreign key that is added looks at every row, unless NOT VALID. */
static void constraint_effects(Work *work, Effect *effect, const json_t *constraint,
                               const ModelTable *table)
{
    bool valid = !node_flag(constraint, "skip_validation");
    bool foreign = node_is(constraint, "contype", "CONSTR_FOREIGN");
    bool check = node_is(constraint, "contype", "CONSTR_CHECK");
    bool key = node_is(constraint, "contype", "CONSTR_PRIMARY") ||
               node_is(constraint, "contype", "CONSTR_UNIQUE") ||
               node_is(constraint, "contype", "CONSTR_EXCLUSION");
    if (((foreign || check) && valid) || (key && !node_text(constraint, "indexname")))
        effect->scans = true;
    const json_t *range = json_object_get(constraint, "pktable");
    if (foreign && range_table(work, range) != table)
        (void)take_range(work, range, TABLE_LOCK_SHARE_ROW_EXCLUSIVE, "FOREIGN KEY to it");
}

static void column_effects(Work *work, Effect *effect, const json_t *command,
                           const ModelTable *table)
{
    const json_t *definition = json_object_get(json_object_get(command, "def"), "ColumnDef");
    const ModelColumn *column = model_column(table, node_text(command, "name"));
    const char *why = NULL;
    if (node_is(command, "subtype", "AT_AddColumn")) {
        bool rewrites = effect_column_rewrites(work->model, definition, &why);
        const json_t *constraints = json_object_get(definition, "constraints");
        effect->rewrites |= rewrites;
        for (size_t i = 0; i < json_array_size(constraints); i++) {
            size_t at = (size_t)(effect - work->effects->items);
            constraint_effects(
                work, effect, json_object_get(json_array_get(constraints, i), "Constraint"), table);
            effect = &work->effects->items[at]; /* the array may have moved */
        }
    } else if (node_is(command, "subtype", "AT_AlterColumnType")) {
        effect->rewrites = true;
        if (column) {
            ModelColumn to = {0};
            model_type_of(work->arena, json_object_get(definition, "typeName"), &to.type,
                          &to.base_type);
            effect->rewrites = effect_type_rewrites(column, to.type, to.base_type,
                                                    json_object_get(definition, "raw_default"));
        }
    } else if (node_is(command, "subtype", "AT_SetNotNull")) {
        int version = model_server_version(work->model);
        bool proved = column && (column->not_null || (column->has_not_null_check &&
                                                      (version == 0 || version >= 120000)));
        effect->scans |= !proved;
    } else if (node_is(command, "subtype", "AT_DropColumn")) {
        effect->loses = true;
    }
}

/* The other tables of a command: the one that a foreign key names, a partition. */
static void other_tables(Work *work, const json_t *command, const ModelTable *table, TableLock lock)
{
    const json_t *definition = json_object_get(command, "def");
    const json_t *partition = json_object_get(definition, "PartitionCmd");
    const ModelConstraint *constraint = model_constraint(table, node_text(command, "name"));
    if (node_is(command, "subtype", "AT_AttachPartition")) {
        Effect *effect = take_range(work, json_object_get(partition, "name"),
                                    TABLE_LOCK_ACCESS_EXCLUSIVE, "ATTACH PARTITION");
        effect->scans = true;
    } else if (node_is(command, "subtype", "AT_DetachPartition")) {
        int version = model_server_version(work->model);
        (void)take_range(work, json_object_get(partition, "name"),
                         version > 0 && version < 140000 ? TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE
                                                         : TABLE_LOCK_ACCESS_EXCLUSIVE,
                         "DETACH PARTITION");
    } else if (node_is(command, "subtype", "AT_AddInherit")) {
        (void)take_range(work, json_object_get(definition, "RangeVar"),
                         TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE, "INHERIT");
    } else if (constraint && constraint->kind == 'f') {
        bool validate = node_is(command, "subtype", "AT_ValidateConstraint");
        (void)take(work, constraint->referenced_schema, constraint->referenced,
                   validate ? TABLE_LOCK_ROW_SHARE : lock,
                   validate ? "VALIDATE CONSTRAINT" : "DROP CONSTRAINT");
    }
}

static void command_effects(Work *work, const json_t *range, const json_t *command, bool index)
{
    const char *what = "ALTER TABLE";
    for (size_t i = 0; i < COUNT_OF(spellings); i++)
        if (node_is(command, "subtype", spellings[i].subtype))
            what = spellings[i].what;
    if (index)
        return; /* ALTER INDEX locks the index alone */
    const ModelTable *table = range_table(work, range);
    TableLock lock = command_lock(command);
    Effect *effect = take_range(work, range, lock, what);
    if (node_is(command, "subtype", "AT_ValidateConstraint"))
        effect->scans = true;
    if (node_is(command, "subtype", "AT_SetLogged") ||
        node_is(command, "subtype", "AT_SetUnLogged") ||
        node_is(command, "subtype", "AT_SetTableSpace") ||
        node_is(command, "subtype", "AT_SetAccessMethod"))
        effect->rewrites = true;
    if (node_is(command, "subtype", "AT_AddConstraint"))
        constraint_effects(work, effect,
                           json_object_get(json_object_get(command, "def"), "Constraint"), table);
    else
        column_effects(work, effect, command, table);
    other_tables(work, command, table, lock);
    bool alone = node_is(command, "subtype", "AT_AttachPartition") ||
                 node_is(command, "subtype", "AT_DetachPartition");
    if (node_flag(range, "inh") && !alone)
        take_children(work, table, take_range(work, range, TABLE_LOCK_NONE, what));
}

static void alter_table(Work *work, const json_t *node)
{
    const json_t *range = json_object_get(node, "relation");
    const json_t *commands = json_object_get(node, "cmds");
    size_t i;
    json_t *item;
    json_array_foreach(commands, i, item)
    {
        command_effects(work, range, json_object_get(item, "AlterTableCmd"),
                        node_is(node, "objtype", "OBJECT_INDEX"));
    }
}

/* ---- tables and what hangs on them --------------------------------------------------------- */

static void drop_one(Work *work, const char *schema, const char *name, const char *what)
{
    const ModelTable *table = model_table(work->model, schema, name);
    Effect *effect = take(work, schema, name, TABLE_LOCK_ACCESS_EXCLUSIVE, what);
    effect->loses = !table || table->kind == 'r' || table->kind == 'p';
    Effect copy = *effect;
    for (size_t i = 0; table && i < table->constraint_count; i++)
        if (table->constraints[i].kind == 'f')
            (void)take(work, table->constraints[i].referenced_schema,
                       table->constraints[i].referenced, TABLE_LOCK_ACCESS_EXCLUSIVE, what);
    for (size_t i = 0; table && i < table->referencing_count; i++)
        (void)take(work, table->referencing[i]->schema, table->referencing[i]->name,
                   TABLE_LOCK_ACCESS_EXCLUSIVE, what);
    for (size_t i = 0; table && table->is_partition && i < table->parent_count; i++)
        (void)take(work, table->parents[i]->schema, table->parents[i]->name,
                   TABLE_LOCK_ACCESS_EXCLUSIVE, what);
    take_children(work, table, &copy);
}

static const char *name_of(const json_t *item, const char **schema)
{
    return node_name(json_object_get(json_object_get(item, "List"), "items"), schema);
}

/* A trigger, policy or rule is named behind its table. */
static void drop_of_table(Work *work, const json_t *item, const char *what)
{
    const json_t *parts = json_object_get(json_object_get(item, "List"), "items");
    size_t count = json_array_size(parts);
    if (count > 1)
        (void)take(work, count > 2 ? node_string(json_array_get(parts, count - 3)) : NULL,
                   node_string(json_array_get(parts, count - 2)), TABLE_LOCK_ACCESS_EXCLUSIVE,
                   what);
}

static void drop_schema(Work *work, const char *schema)
{
    size_t count = 0;
    const ModelTable **tables = model_tables(work->arena, work->model, schema, &count);
    for (size_t i = 0; i < count; i++)
        if (tables[i]->kind != 'S' && tables[i]->kind != 'c')
            drop_one(work, tables[i]->schema, tables[i]->name, "DROP SCHEMA");
}

static void drop(Work *work, const json_t *node)
{
    const json_t *objects = json_object_get(node, "objects");
    bool concurrent = node_flag(node, "concurrent");
    size_t i;
    json_t *item;
    json_array_foreach(objects, i, item)
    {
        const char *schema = NULL;
        const char *name = name_of(item, &schema);
        const ModelTable *table = NULL;
        if (node_is(node, "removeType", "OBJECT_TABLE"))
            drop_one(work, schema, name, "DROP TABLE");
        else if (node_is(node, "removeType", "OBJECT_VIEW") ||
                 node_is(node, "removeType", "OBJECT_MATVIEW"))
            (void)take(work, schema, name, TABLE_LOCK_ACCESS_EXCLUSIVE, "DROP VIEW");
        else if (node_is(node, "removeType", "OBJECT_TRIGGER"))
            drop_of_table(work, item, "DROP TRIGGER");
        else if (node_is(node, "removeType", "OBJECT_POLICY"))
            drop_of_table(work, item, "DROP POLICY");
        else if (node_is(node, "removeType", "OBJECT_RULE"))
            drop_of_table(work, item, "DROP RULE");
        else if (node_is(node, "removeType", "OBJECT_INDEX") &&
                 model_index(work->model, schema, name, &table) && table)
            (void)take(work, table->schema, table->name,
                       concurrent ? TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE : TABLE_LOCK_ACCESS_EXCLUSIVE,
                       concurrent ? "DROP INDEX CONCURRENTLY" : "DROP INDEX");
        else if (node_is(node, "removeType", "OBJECT_SCHEMA"))
            drop_schema(work, node_string(item));
    }
}

static void create_table(Work *work, const json_t *node)
{
    bool partition = json_object_get(node, "partbound") != NULL;
    const json_t *parents = json_object_get(node, "inhRelations");
    const json_t *elements = json_object_get(node, "tableElts");
    size_t i;
    json_t *item;
    json_array_foreach(parents, i, item)
    {
        (void)take_range(work, json_object_get(item, "RangeVar"),
                         partition ? TABLE_LOCK_ACCESS_EXCLUSIVE
                                   : TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE,
                         partition ? "CREATE TABLE PARTITION OF" : "CREATE TABLE INHERITS");
    }
    json_array_foreach(elements, i, item)
    {
        const json_t *constraint = json_object_get(item, "Constraint");
        const json_t *column = json_object_get(item, "ColumnDef");
        const json_t *like = json_object_get(item, "TableLikeClause");
        if (like)
            (void)take_range(work, json_object_get(like, "relation"), TABLE_LOCK_ACCESS_SHARE,
                             "CREATE TABLE LIKE");
        if (json_object_get(constraint, "pktable"))
            (void)take_range(work, json_object_get(constraint, "pktable"),
                             TABLE_LOCK_SHARE_ROW_EXCLUSIVE, "FOREIGN KEY to it");
        const json_t *own = json_object_get(column, "constraints");
        for (size_t k = 0; k < json_array_size(own); k++) {
            const json_t *to =
                json_object_get(json_object_get(json_array_get(own, k), "Constraint"), "pktable");
            if (to)
                (void)take_range(work, to, TABLE_LOCK_SHARE_ROW_EXCLUSIVE, "FOREIGN KEY to it");
        }
    }
}

static void create_index(Work *work, const json_t *node)
{
    const json_t *range = json_object_get(node, "relation");
    bool concurrent = node_flag(node, "concurrent");
    Effect *effect =
        take_range(work, range, concurrent ? TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE : TABLE_LOCK_SHARE,
                   concurrent ? "CREATE INDEX CONCURRENTLY" : "CREATE INDEX");
    effect->scans = true;
    if (node_flag(range, "inh"))
        take_children(work, range_table(work, range), effect);
}

static void truncate_tables(Work *work, const json_t *node)
{
    const json_t *relations = json_object_get(node, "relations");
    bool cascade = node_is(node, "behavior", "DROP_CASCADE");
    size_t i;
    json_t *item;
    json_array_foreach(relations, i, item)
    {
        const json_t *range = json_object_get(item, "RangeVar");
        Effect *effect = take_range(work, range, TABLE_LOCK_ACCESS_EXCLUSIVE, "TRUNCATE");
        effect->loses = true;
        Effect copy = *effect;
        take_children(work, range_table(work, range), &copy);
        if (!cascade)
            continue;
        /* Everything that references it, and what references that: the list grows as we go. */
        for (size_t k = work->first; k < work->effects->count; k++) {
            const ModelTable *table = model_table(work->model, work->effects->items[k].schema,
                                                  work->effects->items[k].table);
            for (size_t j = 0; table && j < table->referencing_count; j++)
                take(work, table->referencing[j]->schema, table->referencing[j]->name,
                     TABLE_LOCK_ACCESS_EXCLUSIVE, "TRUNCATE CASCADE")
                    ->loses = true;
        }
    }
}

/* ---- rows ---------------------------------------------------------------------------------- */

static void write_rows(Work *work, const json_t *node, const char *what, bool loses)
{
    const json_t *range = json_object_get(node, "relation");
    take_query(work, node, what);
    Effect *effect = take_range(work, range, TABLE_LOCK_ROW_EXCLUSIVE, what);
    effect->loses |= loses;
    take_children(work, range_table(work, range), effect);
    const json_t *query = json_object_get(node, "selectStmt");
    if (query)
        take_query(work, query, what);
}

static void insert(Work *work, const json_t *node)
{
    (void)take_range(work, json_object_get(node, "relation"), TABLE_LOCK_ROW_EXCLUSIVE, "INSERT");
    take_query(work, json_object_get(node, "selectStmt"), "INSERT");
}

static void update(Work *work, const json_t *node)
{
    write_rows(work, node, "UPDATE", false);
}

static void delete_rows(Work *work, const json_t *node)
{
    write_rows(work, node, "DELETE", true);
}

static void copy(Work *work, const json_t *node)
{
    bool into = node_flag(node, "is_from");
    if (json_object_get(node, "relation"))
        (void)take_range(work, json_object_get(node, "relation"),
                         into ? TABLE_LOCK_ROW_EXCLUSIVE : TABLE_LOCK_ACCESS_SHARE, "COPY");
    take_query(work, json_object_get(node, "query"), "COPY");
}

static void read_query(Work *work, const json_t *node)
{
    take_query(work, node, "SELECT");
}

static void create_as(Work *work, const json_t *node)
{
    take_query(work, json_object_get(node, "query"), "CREATE TABLE AS");
}

static void create_view(Work *work, const json_t *node)
{
    const json_t *view = json_object_get(node, "view");
    take_query(work, json_object_get(node, "query"), "CREATE VIEW");
    if (range_table(work, view))
        (void)take_range(work, view, TABLE_LOCK_ACCESS_EXCLUSIVE, "CREATE OR REPLACE VIEW");
}

/* ---- maintenance --------------------------------------------------------------------------- */

static void vacuum(Work *work, const json_t *node)
{
    const json_t *options = json_object_get(node, "options");
    bool full = node_option_is_on(options, "full", false);
    bool vacuums = node_flag(node, "is_vacuumcmd");
    const json_t *tables = json_object_get(node, "rels");
    size_t i;
    json_t *item;
    json_array_foreach(tables, i, item)
    {
        const json_t *range = json_object_get(json_object_get(item, "VacuumRelation"), "relation");
        Effect *effect = take_range(
            work, range, full ? TABLE_LOCK_ACCESS_EXCLUSIVE : TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE,
            full      ? "VACUUM FULL"
            : vacuums ? "VACUUM"
                      : "ANALYZE");
        effect->scans = vacuums;
        effect->rewrites = full;
    }
}

static void cluster(Work *work, const json_t *node)
{
    if (json_object_get(node, "relation"))
        take_range(work, json_object_get(node, "relation"), TABLE_LOCK_ACCESS_EXCLUSIVE, "CLUSTER")
            ->rewrites = true;
}

static void reindex(Work *work, const json_t *node)
{
    const json_t *range = json_object_get(node, "relation");
    bool concurrent = node_option_is_on(json_object_get(node, "params"), "concurrently", false);
    const ModelTable *table = range_table(work, range);
    if (node_is(node, "kind", "REINDEX_OBJECT_INDEX"))
        (void)model_index(work->model, node_text(range, "schemaname"), node_text(range, "relname"),
                          &table);
    if (!table)
        return;
    take(work, table->schema, table->name,
         concurrent ? TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE : TABLE_LOCK_SHARE, "REINDEX")
        ->scans = true;
}

static void refresh(Work *work, const json_t *node)
{
    take_range(work, json_object_get(node, "relation"),
               node_flag(node, "concurrent") ? TABLE_LOCK_EXCLUSIVE : TABLE_LOCK_ACCESS_EXCLUSIVE,
               "REFRESH MATERIALIZED VIEW")
        ->rewrites = true;
}

static void lock_tables(Work *work, const json_t *node)
{
    int64_t mode = json_get_int(node, "mode", 0);
    const json_t *relations = json_object_get(node, "relations");
    size_t i;
    json_t *item;
    json_array_foreach(relations, i, item)
    {
        if (mode > TABLE_LOCK_NONE && mode <= TABLE_LOCK_ACCESS_EXCLUSIVE) {
            const json_t *range = json_object_get(item, "RangeVar");
            Effect *effect = take_range(work, range, (TableLock)mode, "LOCK TABLE");
            take_children(work, range_table(work, range), effect);
        }
    }
}

static void rename_object(Work *work, const json_t *node)
{
    const json_t *range = json_object_get(node, "relation");
    if (!range_table(work, range) &&
        model_index(work->model, node_text(range, "schemaname"), node_text(range, "relname"), NULL))
        return; /* an index: its table is not locked */
    if (node_is(node, "renameType", "OBJECT_INDEX") || !range)
        return;
    Effect *effect = take_range(work, range, TABLE_LOCK_ACCESS_EXCLUSIVE, "RENAME");
    if (node_is(node, "renameType", "OBJECT_COLUMN"))
        take_children(work, range_table(work, range), effect);
}

static void set_schema(Work *work, const json_t *node)
{
    if (json_object_get(node, "relation"))
        (void)take_range(work, json_object_get(node, "relation"), TABLE_LOCK_ACCESS_EXCLUSIVE,
                         "SET SCHEMA");
}

static void comment(Work *work, const json_t *node)
{
    const char *schema = NULL;
    const char *name = name_of(json_object_get(node, "object"), &schema);
    if (name && node_is(node, "objtype", "OBJECT_TABLE"))
        (void)take(work, schema, name, TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE, "COMMENT");
    else if (node_is(node, "objtype", "OBJECT_COLUMN")) {
        const json_t *parts =
            json_object_get(json_object_get(json_object_get(node, "object"), "List"), "items");
        size_t count = json_array_size(parts);
        if (count > 1)
            (void)take(work, count > 2 ? node_string(json_array_get(parts, count - 3)) : NULL,
                       node_string(json_array_get(parts, count - 2)),
                       TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE, "COMMENT");
    }
}

static void create_trigger(Work *work, const json_t *node)
{
    (void)take_range(work, json_object_get(node, "relation"), TABLE_LOCK_SHARE_ROW_EXCLUSIVE,
                     "CREATE TRIGGER");
}

static void create_rule(Work *work, const json_t *node)
{
    (void)take_range(work, json_object_get(node, "relation"), TABLE_LOCK_ACCESS_EXCLUSIVE,
                     "CREATE RULE");
}

static void policy(Work *work, const json_t *node)
{
    (void)take_range(work, json_object_get(node, "table"), TABLE_LOCK_ACCESS_EXCLUSIVE, "POLICY");
}

static void statistics(Work *work, const json_t *node)
{
    const json_t *first = json_array_get(json_object_get(node, "relations"), 0);
    (void)take_range(work, json_object_get(first, "RangeVar"), TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE,
                     "CREATE STATISTICS");
}

static const struct {
    const char *type;
    void (*see)(Work *work, const json_t *node);
} kinds[] = {
    {"AlterTableStmt", alter_table},
    {"DropStmt", drop},
    {"CreateStmt", create_table},
    {"IndexStmt", create_index},
    {"TruncateStmt", truncate_tables},
    {"InsertStmt", insert},
    {"UpdateStmt", update},
    {"DeleteStmt", delete_rows},
    {"CopyStmt", copy},
    {"SelectStmt", read_query},
    {"CreateTableAsStmt", create_as},
    {"ViewStmt", create_view},
    {"VacuumStmt", vacuum},
    {"ClusterStmt", cluster},
    {"ReindexStmt", reindex},
    {"RefreshMatViewStmt", refresh},
    {"LockStmt", lock_tables},
    {"RenameStmt", rename_object},
    {"AlterObjectSchemaStmt", set_schema},
    {"CommentStmt", comment},
    {"CreateTrigStmt", create_trigger},
    {"RuleStmt", create_rule},
    {"CreatePolicyStmt", policy},
    {"AlterPolicyStmt", policy},
    {"CreateStatsStmt", statistics},
};

void effects_of(Arena *arena, const Model *model, const char *type, const json_t *node,
                Effects *effects)
{
    Work work = {arena, model, effects, effects->count, 0};
    for (size_t i = 0; type && i < COUNT_OF(kinds); i++)
        if (strcmp(type, kinds[i].type) == 0)
            kinds[i].see(&work, node);
}
