#include "lint/rule.h"

#include "base/str.h"

/* ---- locks ------------------------------------------------------------------------------- */

static void check_create(const LintStatement *now)
{
    const json_t *relation = node_inner(now->node, "relation", NULL);
    if (node_flag(now->node, "concurrent"))
        return;
    lint_add_weighed(now, "create-index-blocks-writes", relation, -1,
                     "writes to %s wait until the index is built",
                     lint_relation_name(now, relation));
}

/* DROP INDEX of one table's index: the index names its table only in the model. */
static void check_drop(const LintStatement *now)
{
    if (!node_is(now->node, "removeType", "OBJECT_INDEX") || node_flag(now->node, "concurrent"))
        return;
    size_t i;
    json_t *object;
    json_array_foreach(node_inner(now->node, "objects", NULL), i, object)
    {
        const char *schema = NULL;
        const char *name =
            node_name(node_inner(json_object_get(object, "List"), "items", NULL), &schema);
        const ModelTable *table = NULL;
        if (name && model_index(now->model, schema, name, &table) && table && table->is_new)
            continue;
        lint_add(now, "drop-index-blocks", -1,
                 "reads and writes of the table of %s wait for this lock", name ? name : "it");
    }
}

static void check_reindex(const LintStatement *now)
{
    if (node_option_is_on(node_inner(now->node, "params", NULL), "concurrently", false))
        return;
    const json_t *relation = node_inner(now->node, "relation", NULL);
    if (relation && node_is(now->node, "kind", "REINDEX_OBJECT_TABLE"))
        lint_add_weighed(now, "reindex-blocks", relation, -1,
                         "writes to %s wait until its indexes are built anew",
                         lint_relation_name(now, relation));
    else
        lint_add(now, "reindex-blocks", -1,
                 "whatever uses these indexes waits until they are built anew");
}

/* ---- what the server would refuse -------------------------------------------------------- */

typedef struct {
    const LintStatement *now;
    const char *part; /* "predicate", "key" */
} Search;

static const char *value_function(const json_t *node)
{
    static const struct {
        const char *op, *name;
    } names[] = {
        {"SVFOP_CURRENT_DATE", "CURRENT_DATE"},
        {"SVFOP_CURRENT_TIME", "CURRENT_TIME"},
        {"SVFOP_CURRENT_TIME_N", "CURRENT_TIME"},
        {"SVFOP_CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP"},
        {"SVFOP_CURRENT_TIMESTAMP_N", "CURRENT_TIMESTAMP"},
        {"SVFOP_LOCALTIME", "LOCALTIME"},
        {"SVFOP_LOCALTIME_N", "LOCALTIME"},
        {"SVFOP_LOCALTIMESTAMP", "LOCALTIMESTAMP"},
        {"SVFOP_LOCALTIMESTAMP_N", "LOCALTIMESTAMP"},
        {"SVFOP_CURRENT_ROLE", "CURRENT_ROLE"},
        {"SVFOP_CURRENT_USER", "CURRENT_USER"},
        {"SVFOP_USER", "USER"},
        {"SVFOP_SESSION_USER", "SESSION_USER"},
        {"SVFOP_CURRENT_CATALOG", "CURRENT_CATALOG"},
        {"SVFOP_CURRENT_SCHEMA", "CURRENT_SCHEMA"},
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (node_is(node, "op", names[i].op))
            return names[i].name;
    }
    return "CURRENT_DATE";
}

static void say_not_immutable(const Search *search, int64_t location, const char *name)
{
    lint_add(search->now, "predicate-not-immutable", location,
             "%s in an index %s: its value changes, so the server refuses it", name, search->part);
}

static bool see_immutable(void *data, const char *type, const json_t *node)
{
    const Search *search = data;
    if (str_equal(type, "SQLValueFunction")) {
        say_not_immutable(search, node_location(node, false), value_function(node));
    } else if (str_equal(type, "FuncCall")) {
        const char *schema = NULL;
        const char *name = node_name(node_inner(node, "funcname", NULL), &schema);
        char volatility = name ? model_volatility(search->now->model, schema, name) : 'i';
        if (volatility == 's' || volatility == 'v')
            say_not_immutable(search, node_location(node, false),
                              arena_printf(search->now->arena, "%s()", name));
    }
    return true;
}

static void check_immutable(const LintStatement *now)
{
    Search search = {now, "key"};
    (void)node_walk(node_inner(now->node, "indexParams", NULL), see_immutable, &search);
    search.part = "predicate";
    (void)node_walk(node_inner(now->node, "whereClause", NULL), see_immutable, &search);
}

static void check_concurrently(const LintStatement *now)
{
    if (now->file->transaction && statement_needs_no_transaction(now->what->kind))
        lint_add(now, "concurrently-in-transaction", -1, "%s cannot run inside a transaction",
                 now->what->tag);
}

/* ---- style ------------------------------------------------------------------------------- */

static void check_name(const LintStatement *now)
{
    if (!node_text(now->node, "idxname"))
        lint_add(now, "index-without-name", -1,
                 "the server will invent a name, and the down has to guess it");
}

static void check_hash(const LintStatement *now)
{
    if (node_is(now->node, "accessMethod", "hash"))
        lint_add(now, "hash-index", -1, "a hash index serves only =, and cannot be unique");
}

const LintRule lint_rules_index[] = {
    {"create-index-blocks-writes", LINT_WARNING, false, false,
     "CREATE INDEX holds a lock that stops every write to the table until it is built",
     "CREATE INDEX CONCURRENTLY, in a file that begins with `-- migrate:transaction none`"},
    {"drop-index-blocks", LINT_WARNING, false, false,
     "DROP INDEX waits for every query of the table, and everything after it waits for DROP INDEX",
     "DROP INDEX CONCURRENTLY, in a file that begins with `-- migrate:transaction none`"},
    {"reindex-blocks", LINT_WARNING, false, false,
     "REINDEX stops writes to the table, and reads that would use the index",
     "REINDEX (CONCURRENTLY), or `vaxdb index rebuild`"},
    {"concurrently-in-transaction", LINT_ERROR, false, true,
     "CONCURRENTLY commits by itself and is refused inside a transaction",
     "begin the file with `-- migrate:transaction none`"},
    {"predicate-not-immutable", LINT_ERROR, false, true,
     "an index may only use what gives the same answer for ever; the server refuses anything else",
     "compare with a constant, or leave the condition out of the index and in the query"},
    {"index-without-name", LINT_INFO, false, false,
     "an index without a name gets one from the server, which the down must know",
     "CREATE INDEX idx_TABLE_COLUMNS ON ..."},
    {"hash-index", LINT_INFO, false, false,
     "a hash index serves only equality, no order, no ranges, no uniqueness",
     "leave out USING hash: a B-tree does all that a hash index does, and more"},
    {0},
};

const LintCheck lint_checks_index[] = {
    {"create-index-blocks-writes", "IndexStmt", check_create},
    {"drop-index-blocks", "DropStmt", check_drop},
    {"reindex-blocks", "ReindexStmt", check_reindex},
    {"concurrently-in-transaction", NULL, check_concurrently},
    {"predicate-not-immutable", "IndexStmt", check_immutable},
    {"index-without-name", "IndexStmt", check_name},
    {"hash-index", "IndexStmt", check_hash},
    {0},
};
