#include "lint/model_internal.h"

/* Extensions that make no tables or views. Others might, and then nothing is called missing. */
static const char *const plain_extensions[] = {
    "amcheck",
    "bloom",
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "dblink",
    "dict_int",
    "dict_xsyn",
    "earthdistance",
    "file_fdw",
    "fuzzystrmatch",
    "hstore",
    "hypopg",
    "insert_username",
    "intagg",
    "intarray",
    "isn",
    "lo",
    "ltree",
    "moddatetime",
    "pageinspect",
    "pg_buffercache",
    "pg_freespacemap",
    "pg_prewarm",
    "pg_stat_statements",
    "pg_trgm",
    "pg_visibility",
    "pg_walinspect",
    "pgcrypto",
    "pgrowlocks",
    "pgstattuple",
    "plperl",
    "plpgsql",
    "plpython3u",
    "pltcl",
    "postgres_fdw",
    "refint",
    "seg",
    "sslinfo",
    "tablefunc",
    "tcn",
    "tsm_system_rows",
    "tsm_system_time",
    "unaccent",
    "uuid-ossp",
    "vector",
    "xml2",
};

typedef void (*Apply)(Model *model, const json_t *node);

static void create_table(Model *model, const json_t *node)
{
    model_create_table(model, node, 'r');
}

static void create_foreign_table(Model *model, const json_t *node)
{
    model_create_table(model, json_object_get(node, "base"), 'f');
}

static void create_table_as(Model *model, const json_t *node)
{
    model_create_as(model, json_object_get(node, "query"), json_object_get(node, "into"),
                    node_is(node, "objtype", "OBJECT_MATVIEW") ? 'm' : 'r');
}

typedef struct {
    const Model *model;
    bool opaque;
} CallSearch;

/* A function of the users' own may do anything, unless it is declared not to. */
static bool see_call(void *data, const char *type, const json_t *node)
{
    CallSearch *now = data;
    if (!str_equal(type, "FuncCall"))
        return true;
    const char *schema = NULL;
    const char *name = node_name(json_object_get(node, "funcname"), &schema);
    if (!name || str_equal(schema, "pg_catalog"))
        return true;
    bool declared = false;
    for (size_t i = 0; !schema && i < now->model->path.count && !declared; i++)
        declared = name_map_has(&now->model->functions, now->model->path.items[i], name);
    if (schema)
        declared = name_map_has(&now->model->functions, schema, name);
    char volatility = model_volatility(now->model, schema, name);
    if ((declared || schema) && volatility != 'i' && volatility != 's')
        now->opaque = true;
    return !now->opaque;
}

static const char *constant_text(const json_t *item)
{
    const char *text = node_string(item);
    return text ? text : "";
}

static void set_path(Model *model, const StrList *names)
{
    str_list_init(&model->path, model->arena);
    for (size_t i = 0; i < names->count; i++)
        str_list_add(&model->path, names->items[i]);
}

/* SELECT set_config('search_path', 'a, b', ...), as pg_dump writes it. */
static bool see_set_config(void *data, const char *type, const json_t *node)
{
    Model *model = data;
    const json_t *arguments = json_object_get(node, "args");
    if (!str_equal(type, "FuncCall") || json_array_size(arguments) < 2 ||
        !str_equal(node_name(json_object_get(node, "funcname"), NULL), "set_config") ||
        !str_equal(constant_text(json_array_get(arguments, 0)), "search_path"))
        return true;
    StrList names;
    str_list_init(&names, model->arena);
    str_split(&names, constant_text(json_array_get(arguments, 1)), ",\"");
    set_path(model, &names);
    return true;
}

static void do_select(Model *model, const json_t *node)
{
    const json_t *into = json_object_get(node, "intoClause");
    CallSearch calls = {model, false};
    (void)node_walk(node, see_call, &calls);
    (void)node_walk(node, see_set_config, model);
    model->uncertain = model->uncertain || calls.opaque;
    if (into) {
        _cleanup_json_ json_t *query = json_object();
        json_t *borrowed = (json_t *)(uintptr_t)node; /* its count of references changes */
        (void)json_object_set(query, "SelectStmt", borrowed);
        model_create_as(model, query, into, 'r');
    }
}

static void create_composite(Model *model, const json_t *node)
{
    const json_t *range = json_object_get(node, "typevar");
    const char *name = node_text(range, "relname");
    const char *schema = model_home(model, node_text(range, "schemaname"));
    if (!name || name_map_get(&model->relations, schema, name))
        return;
    ModelTable *table = model_add_table(model, schema, name, 'c');
    const json_t *columns = json_object_get(node, "coldeflist");
    size_t i;
    json_t *item;
    json_array_foreach(columns, i, item)
    {
        model_add_column(model, table, json_object_get(item, "ColumnDef"));
    }
}

static void add_type(Model *model, const json_t *names)
{
    const char *schema = NULL;
    const char *name = node_name(names, &schema);
    if (name)
        model_put_named(model, "type", model_home(model, schema), name, model);
}

static void create_enum(Model *model, const json_t *node)
{
    add_type(model, json_object_get(node, "typeName"));
}

static void create_domain(Model *model, const json_t *node)
{
    add_type(model, json_object_get(node, "domainname"));
}

/* OWNED BY: it goes with its column, or, with NONE, no longer. */
static void alter_sequence(Model *model, const json_t *node)
{
    ModelTable *sequence = model_find_range(model, json_object_get(node, "sequence"));
    const json_t *options = json_object_get(node, "options");
    size_t i;
    json_t *item;
    json_array_foreach(options, i, item)
    {
        const json_t *option = json_object_get(item, "DefElem");
        const json_t *names = node_inner(node_inner(option, "arg", "List"), "items", NULL);
        if (sequence && node_is(option, "defname", "owned_by"))
            sequence->may_be_gone = json_array_size(names) > 1;
    }
}

static void create_sequence(Model *model, const json_t *node)
{
    const json_t *range = json_object_get(node, "sequence");
    const char *name = node_text(range, "relname");
    const char *schema = model_home(model, node_text(range, "schemaname"));
    if (!name || name_map_get(&model->relations, schema, name))
        return;
    (void)model_add_table(model, schema, name, 'S');
    alter_sequence(model, node);
}

static const char *function_volatility(const json_t *options)
{
    const char *written = node_option(options, "volatility");
    if (str_equal(written, "immutable"))
        return "i";
    return str_equal(written, "stable") ? "s" : "v";
}

static void put_function(Model *model, const json_t *names, const char *volatility)
{
    const char *schema = NULL;
    const char *name = node_name(names, &schema);
    const char *home = model_home(model, schema);
    if (!name)
        return;
    static char of_several[] = "?";
    char *known = name_map_get(&model->functions, home, name);
    if (known && !str_equal(known, volatility))
        volatility = of_several; /* another overload, or the same one replaced */
    model_put_named(model, "function", home, name, arena_strdup(model->arena, volatility));
}

static void create_function(Model *model, const json_t *node)
{
    put_function(model, json_object_get(node, "funcname"),
                 function_volatility(json_object_get(node, "options")));
}

static void alter_function(Model *model, const json_t *node)
{
    const json_t *actions = json_object_get(node, "actions");
    if (node_option(actions, "volatility"))
        put_function(model, json_object_get(json_object_get(node, "func"), "objname"),
                     function_volatility(actions));
}

static void create_extension(Model *model, const json_t *node)
{
    const char *name = node_text(node, "extname");
    if (!name || model_extension_exists(model, name))
        return;
    model_put_named(model, "extension", "", name, model);
    model->extensions_made = model->extensions_made || !str_equal(name, "plpgsql");
    for (size_t i = 0; i < COUNT_OF(plain_extensions); i++)
        if (str_equal(name, plain_extensions[i]))
            return;
    model->uncertain = true;
}

static void set_variable(Model *model, const json_t *node)
{
    const char *kind = node_text(node, "kind");
    if (str_equal(kind, "VAR_RESET_ALL")) {
        model->path = model->default_path;
        return;
    }
    if (!str_equal(node_text(node, "name"), "search_path"))
        return;
    StrList names;
    str_list_init(&names, model->arena);
    const json_t *arguments = json_object_get(node, "args");
    size_t i;
    json_t *item;
    json_array_foreach(arguments, i, item)
    {
        str_list_add(&names, constant_text(item));
    }
    if (str_equal(kind, "VAR_SET_VALUE"))
        set_path(model, &names);
    else
        model->path = model->default_path;
}

/* Rows are in a table from then on. */
static void fill(Model *model, const json_t *node)
{
    ModelTable *table = model_find_range(model, json_object_get(node, "relation"));
    if (table && table->rows == 0)
        table->rows = -1;
}

static void empty(Model *model, const json_t *node)
{
    const json_t *relations = json_object_get(node, "relations");
    size_t i;
    json_t *item;
    json_array_foreach(relations, i, item)
    {
        ModelTable *table = model_find_range(model, json_object_get(item, "RangeVar"));
        if (table)
            table->rows = 0;
    }
}

static void not_followed(Model *model, const json_t *node)
{
    (void)node;
    model->uncertain = true;
}

static void create_schema(Model *model, const json_t *node);

static const struct {
    const char *type;
    Apply apply;
} applies[] = {
    {"CreateStmt", create_table},
    {"CreateForeignTableStmt", create_foreign_table},
    {"CreateTableAsStmt", create_table_as},
    {"SelectStmt", do_select},
    {"AlterTableStmt", model_alter_table},
    {"IndexStmt", model_create_index},
    {"DropStmt", model_drop},
    {"RenameStmt", model_rename},
    {"AlterObjectSchemaStmt", model_set_schema},
    {"ViewStmt", model_create_view},
    {"CompositeTypeStmt", create_composite},
    {"CreateEnumStmt", create_enum},
    {"CreateDomainStmt", create_domain},
    {"CreateSeqStmt", create_sequence},
    {"CreateSchemaStmt", create_schema},
    {"CreateFunctionStmt", create_function},
    {"AlterFunctionStmt", alter_function},
    {"CreateExtensionStmt", create_extension},
    {"AlterSeqStmt", alter_sequence},
    {"CreateTrigStmt", model_create_trigger},
    {"RuleStmt", model_create_rule},
    {"CreatePolicyStmt", model_create_policy},
    {"VariableSetStmt", set_variable},
    {"InsertStmt", fill},
    {"CopyStmt", fill},
    {"TruncateStmt", empty},
    {"DoStmt", not_followed},
    {"CallStmt", not_followed},
    {"ExecuteStmt", not_followed},
    {"ImportForeignSchemaStmt", not_followed},
    {"DropOwnedStmt", not_followed},
};

static void apply(Model *model, const char *type, const json_t *node)
{
    for (size_t i = 0; i < COUNT_OF(applies); i++)
        if (strcmp(type, applies[i].type) == 0) {
            applies[i].apply(model, node);
            return;
        }
}

/* CREATE SCHEMA a CREATE TABLE t (...): what stands in it is made there. */
static void create_schema(Model *model, const json_t *node)
{
    const char *name = node_text(node, "schemaname");
    if (!name)
        name = node_text(json_object_get(node, "authrole"), "rolename");
    if (!name)
        return;
    name = model_copy(model, name);
    model_put_named(model, "schema", "", name, model);
    const json_t *elements = json_object_get(node, "schemaElts");
    StrList path = model->path, own;
    str_list_init(&own, model->arena);
    str_list_add(&own, name);
    model->path = own;
    size_t i;
    json_t *item;
    json_array_foreach(elements, i, item)
    {
        const char *type = NULL;
        const json_t *inside = node_open(item, &type);
        if (inside && !str_equal(type, "CreateSchemaStmt"))
            apply(model, type, inside);
    }
    model->path = path;
}

void model_apply(Model *model, const char *type, const json_t *node, size_t file_ordinal)
{
    if (file_ordinal != model->file)
        model_begin_file(model, file_ordinal);
    apply(model, type, node);
}
