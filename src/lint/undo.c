#include "base/str.h"
#include "lint/engine.h"

/* What an up makes and its down takes back, by keys such as "table public.t". A table takes its
 * indexes, columns, triggers and constraints with it. Names without a schema are of the first one
 * of the search path, whatever that is: "table t" and "table public.t" are the same. */

void undo_begin(LintRun *run)
{
    run->made = json_object();
    run->undone = json_object();
    run->follow = true;
    run->did = run->undoes = false;
}

void undo_end(LintRun *run)
{
    json_decref(TAKE(run->made));
    json_decref(TAKE(run->undone));
}

typedef struct {
    LintRun *run;
    const LintStatement *now;
    bool down;
} Undo;

static const char *key_of(const Undo *undo, const char *kind, const char *schema, const char *name,
                          const char *part)
{
    bool plain = !schema || str_equal(schema, "public");
    return arena_printf(undo->now->arena, "%s %s%s%s%s%s", kind, plain ? "" : schema,
                        plain ? "" : ".", name, part ? "." : "", part ? part : "");
}

/* owner: the key of the table whose end is its end too. */
static void made(const Undo *undo, const char *key, const char *owner)
{
    if (!undo->down)
        (void)json_object_set_new(undo->run->made, key, json_text(owner ? owner : ""));
}

static void dropped(const Undo *undo, const char *key)
{
    if (undo->down)
        (void)json_object_set_new(undo->run->undone, key, json_true());
    else
        (void)json_object_del(undo->run->made, key);
}

static const char *relation_key(const Undo *undo, const char *kind, const json_t *relation,
                                const char *part)
{
    const char *name = node_text(relation, "relname");
    return name ? key_of(undo, kind, node_text(relation, "schemaname"), name, part) : NULL;
}

static void made_relation(const Undo *undo, const char *kind, const json_t *relation)
{
    const char *key = relation_key(undo, kind, relation, NULL);
    if (key && !node_is(relation, "relpersistence", "t"))
        made(undo, key, NULL);
}

static void made_on(const Undo *undo, const char *kind, const json_t *relation, const char *name)
{
    const char *table = relation_key(undo, "table", relation, NULL);
    if (table && name)
        made(undo, relation_key(undo, kind, relation, name), table);
}

/* ---- statements ------------------------------------------------------------------------------ */

static void see_alter_table(const Undo *undo, const json_t *node)
{
    const json_t *relation = node_inner(node, "relation", NULL);
    size_t i;
    json_t *element;
    json_array_foreach(node_inner(node, "cmds", NULL), i, element)
    {
        const json_t *command = json_object_get(element, "AlterTableCmd");
        const json_t *def = node_inner(command, "def", NULL);
        if (node_is(command, "subtype", "AT_AddColumn"))
            made_on(undo, "column", relation,
                    node_text(json_object_get(def, "ColumnDef"), "colname"));
        else if (node_is(command, "subtype", "AT_AddConstraint"))
            made_on(undo, "constraint", relation,
                    node_text(json_object_get(def, "Constraint"), "conname"));
        const char *name = node_text(command, "name");
        if (!name || !node_text(relation, "relname"))
            continue;
        if (node_is(command, "subtype", "AT_DropColumn"))
            dropped(undo, relation_key(undo, "column", relation, name));
        else if (node_is(command, "subtype", "AT_DropConstraint"))
            dropped(undo, relation_key(undo, "constraint", relation, name));
    }
}

/* Kinds of DROP and what CREATE calls them here. */
static const struct {
    const char *type, *kind;
} drop_kinds[] = {
    {"OBJECT_TABLE", "table"},
    {"OBJECT_FOREIGN_TABLE", "table"},
    {"OBJECT_INDEX", "index"},
    {"OBJECT_VIEW", "view"},
    {"OBJECT_MATVIEW", "view"},
    {"OBJECT_SEQUENCE", "sequence"},
    {"OBJECT_TYPE", "type"},
    {"OBJECT_DOMAIN", "type"},
    {"OBJECT_FUNCTION", "function"},
    {"OBJECT_PROCEDURE", "function"},
    {"OBJECT_ROUTINE", "function"},
    {"OBJECT_AGGREGATE", "function"},
    {"OBJECT_SCHEMA", "schema"},
    {"OBJECT_TRIGGER", "trigger"},
    {"OBJECT_POLICY", "policy"},
    {"OBJECT_RULE", "rule"},
    {"OBJECT_PUBLICATION", "publication"},
};

/* The list of String nodes that names an object of a DROP, whatever it is wrapped in. */
static const json_t *object_name(const json_t *object)
{
    const json_t *list = json_object_get(object, "List");
    if (list)
        return node_inner(list, "items", NULL);
    const json_t *type = json_object_get(object, "TypeName");
    if (type)
        return node_inner(type, "names", NULL);
    return node_inner(json_object_get(object, "ObjectWithArgs"), "objname", NULL);
}

static void drop_object(const Undo *undo, const char *kind, const json_t *object)
{
    const char *alone = node_string(object);
    const json_t *parts = object_name(object);
    size_t count = json_array_size(parts);
    bool on_table =
        str_equal(kind, "trigger") || str_equal(kind, "policy") || str_equal(kind, "rule");
    const char *schema = NULL, *name = alone, *part = NULL;
    if (on_table && count > 1) {
        part = node_string(json_array_get(parts, count - 1));
        name = node_string(json_array_get(parts, count - 2));
        schema = count > 2 ? node_string(json_array_get(parts, count - 3)) : NULL;
    } else if (!alone) {
        name = node_name(parts, &schema);
    }
    if (name)
        dropped(undo, key_of(undo, kind, schema, name, part));
}

static void see_drop(const Undo *undo, const json_t *node)
{
    /* CASCADE takes more with it than the statement names. */
    undo->run->follow &= !(undo->down && node_is(node, "behavior", "DROP_CASCADE"));
    const char *kind = NULL;
    for (size_t i = 0; i < COUNT_OF(drop_kinds); i++) {
        if (node_is(node, "removeType", drop_kinds[i].type))
            kind = drop_kinds[i].kind;
    }
    size_t i;
    json_t *object;
    json_array_foreach(node_inner(node, "objects", NULL), i, object)
    {
        if (kind)
            drop_object(undo, kind, object);
    }
}

static void see_index(const Undo *undo, const json_t *node)
{
    const json_t *relation = node_inner(node, "relation", NULL);
    const char *name = node_text(node, "idxname"), *schema = node_text(relation, "schemaname");
    const char *table = relation_key(undo, "table", relation, NULL);
    if (name && table)
        made(undo, key_of(undo, "index", schema, name, NULL), table);
}

static void see_named(const Undo *undo, const char *kind, const json_t *names)
{
    const char *schema = NULL;
    const char *name = node_name(names, &schema);
    if (name)
        made(undo, key_of(undo, kind, schema, name, NULL), NULL);
}

static void see_create_table(const Undo *undo, const json_t *node)
{
    const json_t *relation = node_inner(node, "relation", NULL);
    const json_t *parent = json_array_get(node_inner(node, "inhRelations", NULL), 0);
    const char *key = relation_key(undo, "table", relation, NULL);
    if (!key || node_is(relation, "relpersistence", "t"))
        return;
    /* A partition goes with its table. */
    bool partition = node_inner(node, "partbound", NULL) != NULL;
    made(undo, key,
         partition ? relation_key(undo, "table", json_object_get(parent, "RangeVar"), NULL) : NULL);
}

static void see_foreign_table(const Undo *undo, const json_t *node)
{
    see_create_table(undo, node_inner(node, "base", NULL));
}

static void see_table_as(const Undo *undo, const json_t *node)
{
    const json_t *into = node_inner(node, "into", NULL);
    bool view = node_is(node, "objtype", "OBJECT_MATVIEW");
    made_relation(undo, view ? "view" : "table", node_inner(into, "rel", NULL));
}

/* CREATE OR REPLACE may have replaced one that was there before. */
static void see_view(const Undo *undo, const json_t *node)
{
    if (!node_flag(node, "replace"))
        made_relation(undo, "view", node_inner(node, "view", NULL));
}

static void see_sequence(const Undo *undo, const json_t *node)
{
    made_relation(undo, "sequence", node_inner(node, "sequence", NULL));
}

static void see_function(const Undo *undo, const json_t *node)
{
    if (!node_flag(node, "replace"))
        see_named(undo, "function", node_inner(node, "funcname", NULL));
}

static void see_enum(const Undo *undo, const json_t *node)
{
    see_named(undo, "type", node_inner(node, "typeName", NULL));
}

static void see_domain(const Undo *undo, const json_t *node)
{
    see_named(undo, "type", node_inner(node, "domainname", NULL));
}

static void see_composite(const Undo *undo, const json_t *node)
{
    made_relation(undo, "type", node_inner(node, "typevar", NULL));
}

static void see_trigger(const Undo *undo, const json_t *node)
{
    if (!node_flag(node, "replace"))
        made_on(undo, "trigger", node_inner(node, "relation", NULL), node_text(node, "trigname"));
}

static void see_policy(const Undo *undo, const json_t *node)
{
    made_on(undo, "policy", node_inner(node, "table", NULL), node_text(node, "policy_name"));
}

static void see_schema(const Undo *undo, const json_t *node)
{
    const char *name = node_text(node, "schemaname");
    if (name)
        made(undo, key_of(undo, "schema", NULL, name, NULL), NULL);
}

/* What gets another name, or runs code, can no longer be followed by names. */
static void see_unknown(const Undo *undo, const json_t *node)
{
    (void)node;
    undo->run->follow = false;
}

static const struct {
    const char *type;
    void (*see)(const Undo *undo, const json_t *node);
} statements[] = {
    {"CreateStmt", see_create_table},
    {"CreateForeignTableStmt", see_foreign_table},
    {"CreateTableAsStmt", see_table_as},
    {"IndexStmt", see_index},
    {"ViewStmt", see_view},
    {"CreateSeqStmt", see_sequence},
    {"CreateFunctionStmt", see_function},
    {"CreateEnumStmt", see_enum},
    {"CreateDomainStmt", see_domain},
    {"CompositeTypeStmt", see_composite},
    {"CreateTrigStmt", see_trigger},
    {"CreatePolicyStmt", see_policy},
    {"CreateSchemaStmt", see_schema},
    {"AlterTableStmt", see_alter_table},
    {"DropStmt", see_drop},
    {"RenameStmt", see_unknown},
    {"AlterObjectSchemaStmt", see_unknown},
    {"DoStmt", see_unknown},
    {"CallStmt", see_unknown},
    {"DropOwnedStmt", see_unknown},
};

/* A DO block of the up makes something, but what it makes is not asked for; one of the down may
 * have dropped anything. */
void undo_see(LintRun *run, const LintStatement *now)
{
    Undo undo = {run, now, now->file->direction == RUN_DOWN};
    StatementKind kind = now->what->kind;
    bool did = kind != STATEMENT_SET && kind != STATEMENT_NEUTRAL;
    if (undo.down)
        run->undoes |= did;
    else
        run->did |= did;
    if (!now->type) {
        run->follow &= !undo.down;
        return;
    }
    for (size_t i = 0; i < COUNT_OF(statements); i++) {
        if (!str_equal(statements[i].type, now->type))
            continue;
        bool code = statements[i].see == see_unknown && !undo.down &&
                    (str_equal(now->type, "DoStmt") || str_equal(now->type, "CallStmt"));
        if (!code)
            statements[i].see(&undo, now->node);
    }
}

/* ---- the verdict ----------------------------------------------------------------------------- */

#define LEFT_NAMED 3

/* "index s.i" lies in the schema s when that goes, too. */
static bool schema_goes(const LintRun *run, const char *key)
{
    const char *name = strchr(key, ' ') + 1, *dot = strchr(name, '.');
    if (!dot)
        return false;
    const char *schema = arena_printf(run->work, "schema %.*s", (int)(dot - name), name);
    return json_object_get(run->undone, schema) != NULL;
}

static bool is_undone(const LintRun *run, const char *key, const char *owner)
{
    if (json_object_get(run->undone, key) || (*owner && json_object_get(run->undone, owner)))
        return true;
    return schema_goes(run, key);
}

void undo_check(LintRun *run)
{
    const LintFile *file = &run->text->file;
    run->statement = SIZE_MAX;
    size_t start = run->text->script.count ? run->text->script.items[0].piece.start : 0;
    if (run->did && !run->undoes) {
        lint_add_at(run, file, start, "down-does-not-undo",
                    "the down holds no statement that changes anything");
        return;
    }
    if (!run->follow)
        return;
    StrList left;
    str_list_init(&left, run->work);
    size_t count = 0;
    const char *key;
    json_t *owner;
    json_object_foreach(run->made, key, owner)
    {
        if (is_undone(run, key, json_string_value(owner)))
            continue;
        if (count++ < LEFT_NAMED)
            str_list_add(&left, key);
    }
    if (count > 0)
        lint_add_at(run, file, start, "down-does-not-undo",
                    "the down leaves what the up made: %s%s", str_list_join(&left, run->work, ", "),
                    count > LEFT_NAMED ? ", ..." : "");
}
