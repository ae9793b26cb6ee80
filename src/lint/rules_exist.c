/* Names: what is not there, what is there already, what still holds on to something. */
#include "base/str.h"
#include "lint/rule.h"

/* A down is judged by the schema behind its up and not by its own earlier statements; and what an
 * interrupted run left of a file is the runner's to find out. */
static bool is_out_of_order(const LintStatement *now)
{
    return lint_is_down(now) || now->file->resumed;
}

/* ---- missing ------------------------------------------------------------------------------- */

/* Without a server a folder that makes tables is taken to make all of them, and so it is told, but
 * not as an error. */
static bool say_missing(const LintStatement *now, const json_t *range, const char *rule)
{
    const char *schema = node_text(range, "schemaname"), *name = node_text(range, "relname");
    if (!name || is_out_of_order(now) || model_table(now->model, schema, name))
        return false;
    if (model_is_missing(now->model, schema, name)) {
        lint_add(now, rule, node_location(range, false), "there is no table %s",
                 lint_relation_name(now, range));
        return true;
    }
    if (lint_server_version(now) == 0 && model_has_tables(now->model) &&
        !model_is_uncertain(now->model))
        lint_add_severity(now, "table-not-made-here", LINT_INFO, node_location(range, false), NULL,
                          "no file before this one makes %s", lint_relation_name(now, range));
    return false;
}

static const ModelTable *table_of(const LintStatement *now, const json_t *range)
{
    return model_table(now->model, node_text(range, "schemaname"), node_text(range, "relname"));
}

static bool knows_columns(const LintStatement *now, const ModelTable *table)
{
    return model_knows(now->model, table) && (table->kind == 'r' || table->kind == 'p') &&
           !is_out_of_order(now);
}

static bool is_system_column(const char *name)
{
    static const char *const names[] = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal(name, names[i]))
            return true;
    return false;
}

static void want_column(const LintStatement *now, const ModelTable *table, const char *name,
                        int64_t location)
{
    if (name && knows_columns(now, table) && !model_column(table, name) && !is_system_column(name))
        lint_add(now, "missing-column", location, "%s has no column \"%s\"", table->name, name);
}

typedef struct {
    const LintStatement *now;
    const ModelTable *table;
} Columns;

static bool see_column(void *data, const char *type, const json_t *node)
{
    const Columns *columns = data;
    const json_t *fields = json_object_get(node, "fields");
    if (str_equal(type, "ColumnRef") && json_array_size(fields) == 1)
        want_column(columns->now, columns->table, node_string(json_array_get(fields, 0)),
                    node_location(node, false));
    return !str_equal(type, "SelectStmt");
}

static void check_index_names(const LintStatement *now)
{
    const json_t *range = json_object_get(now->node, "relation");
    if (say_missing(now, range, "missing-table"))
        return;
    Columns columns = {now, table_of(now, range)};
    static const char *const lists[] = {"indexParams", "indexIncludingParams"};
    for (size_t k = 0; k < COUNT_OF(lists); k++) {
        const json_t *list = json_object_get(now->node, lists[k]);
        size_t i;
        json_t *item;
        json_array_foreach(list, i, item)
        {
            const json_t *element = json_object_get(item, "IndexElem");
            /* An element has no place of its own in the tree. */
            want_column(now, columns.table, node_text(element, "name"), -1);
            (void)node_walk(json_object_get(element, "expr"), see_column, &columns);
        }
    }
    (void)node_walk(json_object_get(now->node, "whereClause"), see_column, &columns);
}

/* ---- foreign keys: the other side ---------------------------------------------------------- */

static void check_reference(const LintStatement *now, const json_t *constraint,
                            const char *own_table)
{
    const json_t *range = json_object_get(constraint, "pktable");
    if (!range || str_equal(node_text(range, "relname"), own_table) ||
        say_missing(now, range, "missing-table"))
        return;
    const ModelTable *referenced = table_of(now, range);
    const json_t *names = json_object_get(constraint, "pk_attrs");
    for (size_t i = 0; i < json_array_size(names); i++)
        want_column(now, referenced, node_string(json_array_get(names, i)),
                    node_location(constraint, false));
}

static void check_references_of_column(const LintStatement *now, const json_t *column,
                                       const char *own_table)
{
    const json_t *constraints = json_object_get(column, "constraints");
    for (size_t i = 0; i < json_array_size(constraints); i++)
        check_reference(now, json_object_get(json_array_get(constraints, i), "Constraint"),
                        own_table);
}

static void check_create_table(const LintStatement *now)
{
    const json_t *range = json_object_get(now->node, "relation");
    const char *name = node_text(range, "relname");
    const json_t *elements = json_object_get(now->node, "tableElts");
    const json_t *parents = json_object_get(now->node, "inhRelations");
    size_t i;
    json_t *item;
    json_array_foreach(parents, i, item)
    {
        (void)say_missing(now, json_object_get(item, "RangeVar"), "missing-table");
    }
    json_array_foreach(elements, i, item)
    {
        check_reference(now, json_object_get(item, "Constraint"), name);
        check_references_of_column(now, json_object_get(item, "ColumnDef"), name);
        const json_t *like = json_object_get(item, "TableLikeClause");
        if (like)
            (void)say_missing(now, json_object_get(like, "relation"), "missing-table");
    }
    const ModelTable *there =
        node_is(range, "relpersistence", "t") ? NULL : model_made_at(now->model, range);
    if (model_knows(now->model, there) && !node_flag(now->node, "if_not_exists") &&
        !is_out_of_order(now))
        lint_add(now, "table-exists", node_location(range, false), "%s is there already",
                 lint_relation_name(now, range));
}

/* ---- ALTER TABLE ---------------------------------------------------------------------------- */

static bool adds_column(const json_t *commands, size_t before, const char *name)
{
    for (size_t i = 0; i < before; i++) {
        const json_t *command = json_object_get(json_array_get(commands, i), "AlterTableCmd");
        const json_t *column = json_object_get(json_object_get(command, "def"), "ColumnDef");
        if (str_equal(node_text(column, "colname"), name))
            return true;
    }
    return false;
}

static void check_command(const LintStatement *now, const ModelTable *table, size_t index)
{
    static const char *const by_name[] = {"AT_DropColumn",   "AT_AlterColumnType", "AT_SetNotNull",
                                          "AT_DropNotNull",  "AT_ColumnDefault",   "AT_AddIdentity",
                                          "AT_SetStatistics"};
    const json_t *commands = json_object_get(now->node, "cmds");
    const json_t *command = json_object_get(json_array_get(commands, index), "AlterTableCmd");
    const json_t *definition = json_object_get(command, "def");
    const json_t *column = json_object_get(definition, "ColumnDef");
    const json_t *constraint = json_object_get(definition, "Constraint");
    const char *name = node_text(command, "name");
    bool optional = node_flag(command, "missing_ok");
    for (size_t i = 0; i < COUNT_OF(by_name); i++)
        if (node_is(command, "subtype", by_name[i]) && !optional &&
            !adds_column(commands, json_array_size(commands), name))
            want_column(now, table, name, node_location(column, false));
    if (node_is(command, "subtype", "AT_AddColumn")) {
        const char *added = node_text(column, "colname");
        if (!optional && knows_columns(now, table) && model_column(table, added))
            lint_add(now, "column-exists", node_location(column, false),
                     "%s has a column \"%s\" already", table->name, added);
        check_references_of_column(now, column, table ? table->name : NULL);
    }
    if (!constraint)
        return;
    check_reference(now, constraint, table ? table->name : NULL);
    static const char *const lists[] = {"keys", "fk_attrs"};
    for (size_t k = 0; k < COUNT_OF(lists); k++) {
        const json_t *names = json_object_get(constraint, lists[k]);
        for (size_t i = 0; i < json_array_size(names); i++) {
            const char *key = node_string(json_array_get(names, i));
            if (!adds_column(commands, json_array_size(commands), key))
                want_column(now, table, key, node_location(constraint, false));
        }
    }
}

static void check_alter(const LintStatement *now)
{
    const json_t *range = json_object_get(now->node, "relation");
    if (!node_is(now->node, "objtype", "OBJECT_TABLE") ||
        model_index(now->model, node_text(range, "schemaname"), node_text(range, "relname"), NULL))
        return;
    if (!node_flag(now->node, "missing_ok") && say_missing(now, range, "missing-table"))
        return;
    const ModelTable *table = table_of(now, range);
    for (size_t i = 0; i < json_array_size(json_object_get(now->node, "cmds")); i++)
        check_command(now, table, i);
}

static void check_written(const LintStatement *now)
{
    (void)say_missing(now, json_object_get(now->node, "relation"), "missing-table");
}

static void check_rename(const LintStatement *now)
{
    const json_t *range = json_object_get(now->node, "relation");
    if (!range || node_flag(now->node, "missing_ok") ||
        model_index(now->model, node_text(range, "schemaname"), node_text(range, "relname"), NULL))
        return;
    if (node_is(now->node, "renameType", "OBJECT_TABLE"))
        (void)say_missing(now, range, "missing-table");
    else if (node_is(now->node, "renameType", "OBJECT_COLUMN") &&
             !say_missing(now, range, "missing-table"))
        want_column(now, table_of(now, range), node_text(now->node, "subname"), -1);
}

/* ---- indexes that are there ----------------------------------------------------------------- */

static void check_index_exists(const LintStatement *now)
{
    const char *name = node_text(now->node, "idxname");
    const ModelTable *table = table_of(now, json_object_get(now->node, "relation"));
    const ModelTable *of = NULL;
    const ModelIndex *index =
        table && name ? model_index(now->model, table->schema, name, &of) : NULL;
    if (!index || is_out_of_order(now) || !model_knows(now->model, of))
        return;
    bool concurrent = node_flag(now->node, "concurrent");
    if (!node_flag(now->node, "if_not_exists")) {
        if (index->valid || !concurrent)
            lint_add(now, "index-exists", -1, "there is an index %s already, of %s", name,
                     of->name);
        return;
    }
    const char *wanted = model_signature_of(now->arena, now->node);
    const char *there = model_signature(now->model, index);
    const char *definition = model_definition(now->model, index);
    if (!index->valid)
        lint_add_severity(now, "index-exists-invalid", concurrent ? LINT_INFO : LINT_WARNING, -1,
                          NULL, "%s is there and INVALID: %s", name,
                          concurrent ? "it is dropped and built anew"
                                     : "IF NOT EXISTS keeps it as it is");
    else if (of != table || (there && wanted && !str_equal(there, wanted)) ||
             index->unique != node_flag(now->node, "unique"))
        lint_add(now, "index-exists-different", -1,
                 "%s is there and differs: IF NOT EXISTS keeps %s", name,
                 definition ? definition : "the old one");
}

/* ---- DROP ------------------------------------------------------------------------------------ */

static void check_dropped_index(const LintStatement *now, const char *schema, const char *name)
{
    const ModelTable *table = NULL;
    const ModelIndex *index = model_index(now->model, schema, name, &table);
    if (index && index->constraint && !node_is(now->node, "behavior", "DROP_CASCADE"))
        lint_add_severity(now, "drop-index-of-constraint", LINT_ERROR, -1,
                          arena_printf(now->arena, "ALTER TABLE %s DROP CONSTRAINT %s", table->name,
                                       index->constraint),
                          "%s belongs to the constraint %s of %s", name, index->constraint,
                          table->name);
    else if (index && index->constraint)
        return;
    else if (!index && model_is_complete(now->model) && model_was_read(now->model, name) &&
             !node_flag(now->node, "missing_ok") && !is_out_of_order(now))
        lint_add(now, "drop-missing", -1, "there is no index %s", name);
}

/* Other tables of the same DROP take their own references with them. */
static bool is_dropped_too(const LintStatement *now, const char *schema, const char *name)
{
    const json_t *objects = json_object_get(now->node, "objects");
    for (size_t i = 0; i < json_array_size(objects); i++) {
        const char *other_schema = NULL;
        const char *other =
            node_name(json_object_get(json_object_get(json_array_get(objects, i), "List"), "items"),
                      &other_schema);
        const ModelTable *table = model_table(now->model, other_schema, other);
        if (table && str_equal(table->name, name) && str_equal(table->schema, schema))
            return true;
    }
    return false;
}

static void check_dropped_table(const LintStatement *now, const char *schema, const char *name)
{
    const ModelTable *table = model_table(now->model, schema, name);
    if (!table) {
        if (model_is_missing(now->model, schema, name) && !node_flag(now->node, "missing_ok") &&
            !is_out_of_order(now))
            lint_add(now, "drop-missing", -1, "there is no table %s", name);
        return;
    }
    if (node_is(now->node, "behavior", "DROP_CASCADE") || !model_knows(now->model, table) ||
        is_out_of_order(now))
        return;
    for (size_t i = 0; i < table->referencing_count; i++) {
        const ModelTable *other = table->referencing[i];
        if (other != table && !is_dropped_too(now, other->schema, other->name)) {
            lint_add(now, "drop-still-used", -1, "a foreign key of %s refers to %s", other->name,
                     name);
            return;
        }
    }
    for (size_t i = 0; i < table->view_count; i++) {
        const ModelDependent *view = &table->views[i];
        if (model_table(now->model, view->schema, view->name) &&
            !is_dropped_too(now, view->schema, view->name)) {
            lint_add(now, "drop-still-used", -1, "the view %s reads %s", view->name, name);
            return;
        }
    }
}

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
        if (name && node_is(now->node, "removeType", "OBJECT_INDEX"))
            check_dropped_index(now, schema, name);
        else if (name && node_is(now->node, "removeType", "OBJECT_TABLE"))
            check_dropped_table(now, schema, name);
    }
}

/* A column that a view reads can neither go nor change its type. */
static void check_view_columns(const LintStatement *now)
{
    const ModelTable *table = table_of(now, json_object_get(now->node, "relation"));
    const json_t *commands = json_object_get(now->node, "cmds");
    size_t i;
    json_t *item;
    if (is_out_of_order(now) || !model_knows(now->model, table))
        return;
    json_array_foreach(commands, i, item)
    {
        const json_t *command = json_object_get(item, "AlterTableCmd");
        bool drops = node_is(command, "subtype", "AT_DropColumn") &&
                     !node_is(command, "behavior", "DROP_CASCADE");
        if (!drops && !node_is(command, "subtype", "AT_AlterColumnType"))
            continue;
        for (size_t k = 0; k < table->view_count; k++) {
            const ModelDependent *view = &table->views[k];
            if (!view->column || !str_equal(view->column, node_text(command, "name")) ||
                !model_table(now->model, view->schema, view->name))
                continue;
            lint_add(now, "column-used-by-view", -1, "the view %s reads %s.%s", view->name,
                     table->name, view->column);
            break;
        }
    }
}

const LintRule lint_rules_exist[] = {
    {"missing-table", LINT_ERROR, false, true, "the server refuses what is about no table",
     "is the name right, and does an earlier file make the table?"},
    {"table-not-made-here", LINT_INFO, false, false,
     "a folder that is to make a database from nothing must make every table it names",
     "with a database (-e ENV) lint looks there"},
    {"missing-column", LINT_ERROR, false, true, "the server refuses what is about no column",
     "is the name right, and does an earlier file add the column?"},
    {"table-exists", LINT_ERROR, false, true, "the server refuses to make a table twice",
     "is the migration applied already, by hand? then `vaxdb migrate baseline`; else IF NOT "
     "EXISTS"},
    {"column-exists", LINT_ERROR, false, true, "the server refuses to add a column twice",
     "ADD COLUMN IF NOT EXISTS, if the column that is there is the one that is meant"},
    {"index-exists", LINT_ERROR, false, true, "the server refuses to make an index twice",
     "CREATE INDEX IF NOT EXISTS, if the index that is there is the one that is meant"},
    {"index-exists-invalid", LINT_WARNING, true, false,
     "an INVALID index is left over from a build that failed; queries do not use it",
     "drop it first: DROP INDEX CONCURRENTLY"},
    {"index-exists-different", LINT_WARNING, false, false,
     "IF NOT EXISTS looks at the name alone and keeps an index that does something else",
     "give the new index a name of its own"},
    {"drop-missing", LINT_ERROR, false, true, "the server refuses to drop what is not there",
     "DROP ... IF EXISTS, if that is all right"},
    {"drop-index-of-constraint", LINT_ERROR, false, true,
     "the server refuses to drop an index that a constraint is made of", "drop the constraint"},
    {"drop-still-used", LINT_ERROR, false, true,
     "the server refuses to drop what a foreign key or a view depends on",
     "drop that first; CASCADE would drop it unseen"},
    {"column-used-by-view", LINT_ERROR, true, true,
     "the server refuses to drop a column, or change its type, while a view reads it",
     "drop the view first and make it again after, in the same file"},
    {0},
};

const LintCheck lint_checks_exist[] = {
    {"missing-table", "IndexStmt", check_index_names},
    {"missing-table", "AlterTableStmt", check_alter},
    {"missing-table", "CreateStmt", check_create_table},
    {"missing-table", "InsertStmt", check_written},
    {"missing-table", "UpdateStmt", check_written},
    {"missing-table", "DeleteStmt", check_written},
    {"missing-table", "CreateTrigStmt", check_written},
    {"missing-column", "RenameStmt", check_rename},
    {"index-exists", "IndexStmt", check_index_exists},
    {"drop-missing", "DropStmt", check_drop},
    {"column-used-by-view", "AlterTableStmt", check_view_columns},
    {0},
};
