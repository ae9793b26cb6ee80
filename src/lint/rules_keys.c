/* Indexes and keys, judged by the columns and indexes that are there. */
#include "base/str.h"
#include "lint/effects.h"
#include "lint/rule.h"

static const ModelTable *table_of(const LintStatement *now, const json_t *range)
{
    return model_table(now->model, node_text(range, "schemaname"), node_text(range, "relname"));
}

/* ---- operator classes ---------------------------------------------------------------------- */

static void check_opclass(const LintStatement *now)
{
    const char *method = node_text(now->node, "accessMethod");
    const ModelTable *table = table_of(now, json_object_get(now->node, "relation"));
    const json_t *keys = json_object_get(now->node, "indexParams");
    size_t i;
    json_t *item;
    json_array_foreach(keys, i, item)
    {
        const json_t *element = json_object_get(item, "IndexElem");
        const ModelColumn *column = model_column(table, node_text(element, "name"));
        if (!column || json_array_size(json_object_get(element, "opclass")) > 0 ||
            model_opclass(now->model, method, column->base_type) != OPCLASS_NONE)
            continue;
        /* Without a server an extension may be there that the files do not name. */
        LintSeverity severity = lint_server_version(now) > 0 || str_equal(column->base_type, "json")
                                    ? LINT_ERROR
                                    : LINT_WARNING;
        lint_add_severity(now, "no-operator-class", severity, -1, NULL,
                          "%s has no operator class for %s.%s of type %s", method, table->name,
                          column->name, column->type);
    }
}

/* ---- duplicates ----------------------------------------------------------------------------- */

/* Is the index the first columns of the other, both plain and of one method? */
static bool is_prefix(const char *signature, const char *other)
{
    const char *end = strchr(signature, ')');
    const char *other_end = strchr(other, ')');
    size_t length = end ? (size_t)(end - signature) : 0;
    return end && other_end && str_starts(signature, "btree(") && str_equal(end, ")|") &&
           str_ends(other, "|") && strncmp(signature, other, length) == 0 && other[length] != ')';
}

static void check_duplicate(const LintStatement *now)
{
    const ModelTable *table = table_of(now, json_object_get(now->node, "relation"));
    const char *wanted = model_signature_of(now->arena, now->node);
    const char *name = node_text(now->node, "idxname");
    bool unique = node_flag(now->node, "unique");
    for (size_t i = 0;
         table && wanted && !lint_is_down(now) && !now->file->resumed && i < table->index_count;
         i++) {
        const ModelIndex *index = &table->indexes[i];
        const char *there = model_signature(now->model, index);
        if (!there || !index->valid || str_equal(index->name, name) || (unique && !index->unique))
            continue;
        if (str_equal(there, wanted)) {
            lint_add(now, "duplicate-index", -1, "%s is the same index already", index->name);
            return;
        }
        if (!unique && is_prefix(wanted, there)) {
            lint_add(now, "redundant-index", -1, "%s begins with the same columns", index->name);
            return;
        }
    }
}

/* ---- unique keys over what is there ---------------------------------------------------------- */

/* Statistics of one column can show duplicates; of several they cannot. */
static void check_distinct(const LintStatement *now, const ModelTable *table, const char *name)
{
    const ModelColumn *column = model_column(table, name);
    if (!column || column->distinct == 0 || table->rows < 2)
        return;
    double values =
        column->distinct < 0 ? -column->distinct * (double)table->rows : column->distinct;
    double rows =
        (double)table->rows * (1 - (column->null_fraction > 0 ? column->null_fraction : 0));
    if (values < rows * 0.9)
        lint_add(now, "unique-over-duplicates", -1, "%s.%s has about %.0f values in %s rows",
                 table->name, name, values, str_count(now->arena, table->rows));
}

static void check_unique_index(const LintStatement *now)
{
    const json_t *keys = json_object_get(now->node, "indexParams");
    const json_t *only = json_object_get(json_array_get(keys, 0), "IndexElem");
    if (node_flag(now->node, "unique") && json_array_size(keys) == 1 &&
        !json_object_get(now->node, "whereClause") && !lint_is_down(now))
        check_distinct(now, table_of(now, json_object_get(now->node, "relation")),
                       node_text(only, "name"));
}

/* ---- CONCURRENTLY ---------------------------------------------------------------------------- */

static void check_concurrently(const LintStatement *now)
{
    int version = lint_server_version(now);
    const ModelTable *table = table_of(now, json_object_get(now->node, "relation"));
    bool reindexes = str_equal(now->type, "ReindexStmt");
    bool concurrent =
        reindexes ? node_option_is_on(json_object_get(now->node, "params"), "concurrently", false)
                  : node_flag(now->node, "concurrent");
    if (!concurrent)
        return;
    if (version >= 140000 && version < 140004)
        lint_add(now, "concurrently-corrupts", -1,
                 "PostgreSQL 14.%d: an index built CONCURRENTLY can miss rows", version % 10000);
    if (!reindexes && table && table->kind == 'p')
        lint_add(now, "concurrently-on-partitioned", -1, "%s is partitioned", table->name);
}

/* ---- foreign keys -----------------------------------------------------------------------------
 */

typedef struct {
    const char *const *names; /* of the referencing columns */
    const char *const *types; /* their catalogue names; NULL elements: not known */
    size_t count;
    const ModelTable *table; /* that gets the foreign key; NULL while it is being made */
    const char *table_name;
} Key;

static const char *family_of(const char *type)
{
    static const struct {
        const char *type, *family;
    } families[] = {
        {"int2", "number"},   {"int4", "number"},    {"int8", "number"},      {"numeric", "number"},
        {"float4", "number"}, {"float8", "number"},  {"oid", "oid"},          {"text", "text"},
        {"varchar", "text"},  {"bpchar", "text"},    {"uuid", "uuid"},        {"bool", "bool"},
        {"date", "time"},     {"timestamp", "time"}, {"timestamptz", "time"}, {"bytea", "bytea"},
    };
    for (size_t i = 0; i < COUNT_OF(families); i++)
        if (str_equal(type, families[i].type))
            return families[i].family;
    return NULL;
}

static void compare_types(const LintStatement *now, const Key *key, size_t at,
                          const ModelTable *referenced, const char *to, int64_t location)
{
    const ModelColumn *column = model_column(referenced, to);
    const char *type = key->types[at];
    if (!column || !type || str_equal(type, column->base_type))
        return;
    const char *family = family_of(type), *other = family_of(column->base_type);
    if (family && other && !str_equal(family, other))
        lint_add(now, "fk-types-incompatible", location, "%s is %s and %s.%s is %s", key->names[at],
                 type, referenced->name, to, column->type);
    else if (family && other)
        lint_add(now, "fk-types-differ", location, "%s is %s and %s.%s is %s", key->names[at], type,
                 referenced->name, to, column->type);
}

static bool same_columns(const ModelIndex *index, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t k = 0; k < index->column_count; k++)
            found = found || str_equal(index->columns[k], names[i]);
        if (!found)
            return false;
    }
    return index->column_count == count;
}

static bool is_whole(const ModelIndex *index, const Model *model)
{
    const char *signature = index->constraint ? NULL : model_signature(model, index);
    return index->constraint || (signature && str_ends(signature, "|"));
}

static const ModelIndex *primary_of(const ModelTable *table)
{
    for (size_t i = 0; i < table->index_count; i++)
        if (table->indexes[i].primary)
            return &table->indexes[i];
    return NULL;
}

static void check_referenced(const LintStatement *now, const Key *key, const json_t *constraint)
{
    const ModelTable *referenced = table_of(now, json_object_get(constraint, "pktable"));
    int64_t location = node_location(constraint, false);
    if (!model_knows(now->model, referenced) || lint_is_down(now) || now->file->resumed ||
        referenced == key->table)
        return;
    const json_t *list = json_object_get(constraint, "pk_attrs");
    size_t count = json_array_size(list);
    const ModelIndex *primary = primary_of(referenced);
    const char **names = arena_array(now->arena, count + 1, sizeof(*names));
    for (size_t i = 0; i < count; i++)
        names[i] = node_string(json_array_get(list, i));
    bool unique = count == 0 && primary;
    for (size_t i = 0; i < referenced->index_count && !unique; i++) {
        const ModelIndex *index = &referenced->indexes[i];
        unique = count > 0 && index->unique && index->valid && is_whole(index, now->model) &&
                 same_columns(index, names, count);
    }
    if (!unique)
        lint_add(now, "fk-referenced-not-unique", location,
                 count ? "no unique constraint of %s is on those columns"
                       : "%s has no primary key to refer to",
                 referenced->name);
    for (size_t i = 0; i < key->count; i++) {
        const char *to = count > i                              ? names[i]
                         : primary && i < primary->column_count ? primary->columns[i]
                                                                : NULL;
        compare_types(now, key, i, referenced, to, location);
    }
}

/* Does an index begin with these columns, in any order? */
static bool is_indexed(const ModelTable *table, const Key *key)
{
    for (size_t i = 0; table && i < table->index_count; i++) {
        ModelIndex index = table->indexes[i];
        if (index.column_count > key->count)
            index.column_count = key->count;
        if (same_columns(&index, key->names, key->count))
            return true;
    }
    return false;
}

static void check_key(const LintStatement *now, const Key *key, const json_t *constraint)
{
    if (!node_is(constraint, "contype", "CONSTR_FOREIGN"))
        return;
    check_referenced(now, key, constraint);
    /* A table that is being made mostly gets its indexes next. */
    if (key->table && !key->table->is_new && key->count > 0 && !lint_is_down(now) &&
        !is_indexed(key->table, key))
        lint_add(now, "fk-without-index", node_location(constraint, false),
                 "%s has no index that begins with %s%s", key->table_name, key->names[0],
                 key->count > 1 ? " and the other columns of the key" : "");
}

/* The referencing columns: the list of the constraint, or the column that it stands behind. */
static void see_constraint(const LintStatement *now, const json_t *constraint, const json_t *column,
                           const ModelTable *table, const char *table_name, const json_t *elements)
{
    const json_t *list = json_object_get(constraint, "fk_attrs");
    size_t count = json_array_size(list);
    size_t size = count ? count : 1;
    const char **names = arena_array(now->arena, size, sizeof(*names));
    const char **types = arena_array(now->arena, size, sizeof(*types));
    for (size_t i = 0; i < size; i++) {
        names[i] = count ? node_string(json_array_get(list, i)) : node_text(column, "colname");
        const ModelColumn *known = model_column(table, names[i]);
        types[i] = known ? known->base_type : NULL;
        const json_t *definition = count ? NULL : column;
        for (size_t k = 0; count && k < json_array_size(elements); k++) {
            const json_t *other = json_object_get(json_array_get(elements, k), "ColumnDef");
            if (str_equal(node_text(other, "colname"), names[i]))
                definition = other;
        }
        const char *shown = NULL;
        if (definition)
            model_type_of(now->arena, json_object_get(definition, "typeName"), &shown, &types[i]);
    }
    Key key = {names, types, names[0] ? size : 0, table, table_name};
    check_key(now, &key, constraint);
}

static void see_column(const LintStatement *now, const json_t *column, const ModelTable *table,
                       const char *table_name)
{
    const json_t *constraints = json_object_get(column, "constraints");
    for (size_t i = 0; i < json_array_size(constraints); i++)
        see_constraint(now, json_object_get(json_array_get(constraints, i), "Constraint"), column,
                       table, table_name, NULL);
}

static void check_created_keys(const LintStatement *now)
{
    const json_t *elements = json_object_get(now->node, "tableElts");
    const char *name = node_text(json_object_get(now->node, "relation"), "relname");
    for (size_t i = 0; i < json_array_size(elements); i++) {
        const json_t *element = json_array_get(elements, i);
        see_column(now, json_object_get(element, "ColumnDef"), NULL, name);
        if (json_object_get(element, "Constraint"))
            see_constraint(now, json_object_get(element, "Constraint"), NULL, NULL, name, elements);
    }
}

static void check_added_keys(const LintStatement *now)
{
    const json_t *range = json_object_get(now->node, "relation");
    const ModelTable *table = table_of(now, range);
    const json_t *commands = json_object_get(now->node, "cmds");
    size_t i;
    json_t *item;
    json_array_foreach(commands, i, item)
    {
        const json_t *definition = json_object_get(json_object_get(item, "AlterTableCmd"), "def");
        see_column(now, json_object_get(definition, "ColumnDef"), table,
                   node_text(range, "relname"));
        if (json_object_get(definition, "Constraint"))
            see_constraint(now, json_object_get(definition, "Constraint"), NULL, table,
                           node_text(range, "relname"), NULL);
    }
}

const LintRule lint_rules_keys[] = {
    {"no-operator-class", LINT_ERROR, false, true,
     "GIN and GiST take values made of parts (arrays, jsonb, text search, ranges), not plain ones",
     "an ordinary index (btree), or name the operator class: gin (col gin_trgm_ops)"},
    {"duplicate-index", LINT_WARNING, false, false,
     "an index like another one costs every write twice and helps no query", "leave it out"},
    {"redundant-index", LINT_INFO, false, false,
     "an index that begins with the same columns answers the same queries",
     "is the shorter one worth what it costs each write?"},
    {"unique-over-duplicates", LINT_WARNING, true, false,
     "statistics show values that occur more than once: the build would fail at the end",
     "find them first: SELECT col, count(*) FROM t GROUP BY 1 HAVING count(*) > 1"},
    {"concurrently-corrupts", LINT_ERROR, true, false,
     "PostgreSQL 14.0 to 14.3 can build a corrupt index CONCURRENTLY",
     "update the server to 14.4 or later first"},
    {"concurrently-on-partitioned", LINT_ERROR, false, true,
     "the server refuses CREATE INDEX CONCURRENTLY on a partitioned table",
     "CREATE INDEX ON ONLY the parent, CONCURRENTLY on each partition, then ALTER INDEX ... "
     "ATTACH"},
    {"fk-types-incompatible", LINT_ERROR, false, true,
     "the server refuses a foreign key between types that do not compare",
     "give both columns one type"},
    {"fk-types-differ", LINT_WARNING, false, false,
     "each check of the key converts a value, and one side can hold what the other cannot",
     "give both columns one type"},
    {"fk-referenced-not-unique", LINT_ERROR, false, true,
     "the server refuses a foreign key to columns that are not unique",
     "add a primary key or a unique constraint there first"},
    {"fk-without-index", LINT_WARNING, false, false,
     "each DELETE and key UPDATE of the referenced row reads the whole referencing table",
     "CREATE INDEX CONCURRENTLY on the referencing columns first"},
    {0},
};

const LintCheck lint_checks_keys[] = {
    {"no-operator-class", "IndexStmt", check_opclass},
    {"duplicate-index", "IndexStmt", check_duplicate},
    {"unique-over-duplicates", "IndexStmt", check_unique_index},
    {"concurrently-corrupts", "IndexStmt", check_concurrently},
    {"concurrently-corrupts", "ReindexStmt", check_concurrently},
    {"fk-referenced-not-unique", "CreateStmt", check_created_keys},
    {"fk-referenced-not-unique", "AlterTableStmt", check_added_keys},
    {0},
};
