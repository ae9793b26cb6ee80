/* What a statement does to rows that are there: fails over them, loses them, writes them anew. */
#include "base/str.h"
#include "lint/effects.h"
#include "lint/rule.h"

static const ModelTable *table_of(const LintStatement *now, const json_t *range)
{
    return model_table(now->model, node_text(range, "schemaname"), node_text(range, "relname"));
}

/* Rows that somebody would miss. Without a server nothing is known of them. */
static bool has_rows(const LintStatement *now, const ModelTable *table)
{
    return table && lint_server_version(now) > 0 && model_is_busy(table) && table->rows != 0;
}

static const char *size_of(const LintStatement *now, const ModelTable *table)
{
    const char *bytes = table->bytes >= 0 ? str_bytes(now->arena, table->bytes) : "size not known";
    return table->rows > 0
               ? arena_printf(now->arena, "%s rows, %s", str_count(now->arena, table->rows), bytes)
               : arena_printf(now->arena, "rows not counted yet, %s", bytes);
}

/* ---- losing ---------------------------------------------------------------------------------- */

static void check_drop(const LintStatement *now)
{
    const json_t *objects = json_object_get(now->node, "objects");
    size_t i;
    json_t *item;
    json_array_foreach(objects, i, item)
    {
        const char *schema = NULL;
        const char *name =
            node_name(json_object_get(json_object_get(item, "List"), "items"), &schema);
        const ModelTable *table = model_table(now->model, schema, name);
        if (name && node_is(now->node, "removeType", "OBJECT_TABLE") && !lint_is_down(now) &&
            has_rows(now, table))
            lint_add(now, "drop-table-has-rows", -1, "%s has rows that would be lost (%s)", name,
                     size_of(now, table));
    }
}

static void check_truncate(const LintStatement *now)
{
    const json_t *relations = json_object_get(now->node, "relations");
    size_t i;
    json_t *item;
    json_array_foreach(relations, i, item)
    {
        const json_t *range = json_object_get(item, "RangeVar");
        const ModelTable *table = table_of(now, range);
        if (has_rows(now, table))
            lint_add(now, "truncate-has-rows", node_location(range, false),
                     "%s has rows that would be lost (%s)", table->name, size_of(now, table));
    }
}

static bool has_values(const ModelTable *table, const char *name)
{
    const ModelColumn *column = model_column(table, name);
    return column && column->null_fraction < 1;
}

/* ---- ALTER TABLE -------------------------------------------------------------------------------
 */

typedef struct {
    const LintStatement *now;
    const json_t *range, *command, *definition;
    const ModelTable *table;
    const char *name;
} Alter;

static void see_drop_column(const Alter *alter)
{
    if (!lint_is_down(alter->now) && has_rows(alter->now, alter->table) &&
        has_values(alter->table, alter->name))
        lint_add(alter->now, "drop-column-has-data", -1, "%s.%s has values that would be lost (%s)",
                 alter->table->name, alter->name, size_of(alter->now, alter->table));
}

static void see_set_not_null(const Alter *alter)
{
    const LintStatement *now = alter->now;
    const ModelColumn *column = model_column(alter->table, alter->name);
    if (!column || column->not_null || !has_rows(now, alter->table))
        return;
    if (column->null_fraction > 0)
        lint_add(now, "not-null-with-nulls", -1, "about %.3g %% of %s.%s are NULL",
                 column->null_fraction * 100, alter->table->name, column->name);
}

static void see_type(const Alter *alter)
{
    const LintStatement *now = alter->now;
    const json_t *to = json_object_get(alter->definition, "ColumnDef");
    const ModelColumn *column = model_column(alter->table, alter->name);
    const char *type = NULL, *base = NULL;
    if (!column || !to)
        return;
    model_type_of(now->arena, json_object_get(to, "typeName"), &type, &base);
    if (effect_type_rewrites(column, type, base, json_object_get(to, "raw_default")))
        lint_add_weighed(now, "alter-type-rewrites", alter->range, node_location(to, false),
                         "%s to %s writes all of %s anew, and nobody can use it meanwhile",
                         column->type, type, alter->table->name);
}

static void see_validate(const Alter *alter)
{
    const ModelConstraint *constraint = model_constraint(alter->table, alter->name);
    if (constraint && !constraint->valid && has_rows(alter->now, alter->table) &&
        lint_weight(alter->now, alter->range) == TABLE_LARGE)
        lint_add(alter->now, "validate-takes-long", -1,
                 "every row of %s is read; reads and writes go on (%s)", alter->table->name,
                 size_of(alter->now, alter->table));
}

static const struct {
    const char *subtype;
    void (*see)(const Alter *alter);
} alters[] = {
    {"AT_DropColumn", see_drop_column},
    {"AT_SetNotNull", see_set_not_null},
    {"AT_AlterColumnType", see_type},
    {"AT_ValidateConstraint", see_validate},
};

static void check_alter(const LintStatement *now)
{
    const json_t *range = json_object_get(now->node, "relation");
    const json_t *commands = json_object_get(now->node, "cmds");
    size_t i;
    json_t *item;
    json_array_foreach(commands, i, item)
    {
        const json_t *command = json_object_get(item, "AlterTableCmd");
        Alter alter = {now,
                       range,
                       command,
                       json_object_get(command, "def"),
                       table_of(now, range),
                       node_text(command, "name")};
        for (size_t k = 0; k < COUNT_OF(alters); k++)
            if (node_is(command, "subtype", alters[k].subtype))
                alters[k].see(&alter);
    }
}

/* ---- writing many rows at once ------------------------------------------------------------------
 */

static void check_large_write(const LintStatement *now)
{
    const json_t *range = json_object_get(now->node, "relation");
    const ModelTable *table = table_of(now, range);
    if (has_rows(now, table) && lint_weight(now, range) == TABLE_LARGE)
        lint_add(now, "large-update", node_location(range, false),
                 "%s is large (%s): one statement holds its locks until all is done", table->name,
                 size_of(now, table));
}

/* ---- versions
 * ------------------------------------------------------------------------------------ */

typedef struct {
    const char *type; /* of node */
    const char *member;
    int version;
    const char *what;
} Feature;

static const Feature features[] = {
    {"IndexStmt", "nulls_not_distinct", 150000, "NULLS NOT DISTINCT"},
    {"Constraint", "nulls_not_distinct", 150000, "NULLS NOT DISTINCT"},
    {"PartitionCmd", "concurrent", 140000, "DETACH PARTITION CONCURRENTLY"},
    {"MergeStmt", NULL, 150000, "MERGE"},
    {"ColumnDef", "compression", 140000, "COMPRESSION"},
};

static bool see_feature(void *data, const char *type, const json_t *node)
{
    const LintStatement *now = data;
    for (size_t i = 0; i < COUNT_OF(features); i++) {
        const Feature *feature = &features[i];
        if (str_equal(type, feature->type) && lint_server_version(now) < feature->version &&
            (!feature->member || json_object_get(node, feature->member)))
            lint_add(now, "needs-newer-server", node_location(node, false),
                     "%s came with PostgreSQL %d; this server is %d", feature->what,
                     feature->version / 10000, lint_server_version(now) / 10000);
    }
    return true;
}

static void check_features(const LintStatement *now)
{
    if (!now->type || lint_server_version(now) == 0)
        return;
    (void)see_feature((void *)(uintptr_t)now, now->type, now->node);
    (void)node_walk(now->node, see_feature, (void *)(uintptr_t)now);
}

const LintRule lint_rules_rows[] = {
    {"drop-table-has-rows", LINT_ERROR, true, false,
     "what is dropped is gone, and no down brings it back",
     "stop using it first, keep a copy, and drop it in a later release"},
    {"drop-column-has-data", LINT_ERROR, true, false,
     "the values of a dropped column are gone, and no down brings them back",
     "stop using it first, keep a copy, and drop it in a later release"},
    {"truncate-has-rows", LINT_ERROR, true, false,
     "TRUNCATE removes every row, and no down brings them back",
     "keep a copy, or delete what is meant"},
    {"not-null-with-nulls", LINT_ERROR, true, false,
     "the server refuses NOT NULL while a row has no value", "fill the values in first"},
    {"alter-type-rewrites", LINT_WARNING, true, false,
     "this change of type writes the table and all its indexes anew under the strongest lock",
     "add a column of the new type, fill it in batches, then swap the names"},
    {"validate-takes-long", LINT_INFO, true, false,
     "VALIDATE CONSTRAINT reads the whole table; nobody waits for it",
     "plan the time, and give it a file of its own"},
    {"large-update", LINT_WARNING, true, false,
     "a large UPDATE or DELETE keeps row locks, and doubles the table, until it commits",
     "write it in batches, each in a transaction of its own"},
    {"needs-newer-server", LINT_ERROR, true, true, "this server does not know it yet",
     "write it in another way, or update the server first"},
    {0},
};

const LintCheck lint_checks_rows[] = {
    {"drop-table-has-rows", "DropStmt", check_drop},
    {"truncate-has-rows", "TruncateStmt", check_truncate},
    {"alter-type-rewrites", "AlterTableStmt", check_alter},
    {"large-update", "UpdateStmt", check_large_write},
    {"large-update", "DeleteStmt", check_large_write},
    {"needs-newer-server", NULL, check_features},
    {0},
};
