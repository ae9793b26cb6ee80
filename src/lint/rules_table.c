/* Statements about whole tables, schemas and what is in them. */
#include "lint/rule.h"

#include "base/str.h"

/* ---- DROP and RENAME ------------------------------------------------------------------------ */

/* The parts of a dropped table's name as a RangeVar. */
static json_t *relation_of(const json_t *object)
{
    const char *schema = NULL;
    const char *name =
        node_name(node_inner(json_object_get(object, "List"), "items", NULL), &schema);
    json_t *relation = json_object();
    if (schema)
        (void)json_object_set_new(relation, "schemaname", json_text(schema));
    if (name)
        (void)json_object_set_new(relation, "relname", json_text(name));
    return relation;
}

static void check_drop_table(const LintStatement *now, const json_t *objects)
{
    size_t i, cursor = 0;
    json_t *object;
    json_array_foreach(objects, i, object)
    {
        _cleanup_json_ json_t *relation = relation_of(object);
        int64_t at = lint_locate(now, node_text(relation, "relname"), &cursor);
        lint_add_loss(now, "drop-table", relation, at,
                      "all rows of %s are lost, and whoever still uses it fails",
                      lint_relation_name(now, relation));
    }
}

static void check_drop(const LintStatement *now)
{
    const json_t *objects = node_inner(now->node, "objects", NULL);
    if (node_is(now->node, "behavior", "DROP_CASCADE"))
        lint_add(now, "drop-cascade", -1,
                 "CASCADE drops whatever hangs on it, also what this file does not name");
    if (lint_is_down(now))
        return;
    if (node_is(now->node, "removeType", "OBJECT_TABLE"))
        check_drop_table(now, objects);
    else if (node_is(now->node, "removeType", "OBJECT_SCHEMA"))
        lint_add(now, "drop-schema", -1, "whatever is in schema %s goes with it",
                 str_one_line(now->arena, node_string(json_array_get(objects, 0)) ?: "?", 64));
}

static void check_alter_cascade(const LintStatement *now)
{
    size_t i;
    json_t *element;
    json_array_foreach(node_inner(now->node, "cmds", NULL), i, element)
    {
        const json_t *command = json_object_get(element, "AlterTableCmd");
        size_t cursor = 0;
        if (!node_is(command, "behavior", "DROP_CASCADE"))
            continue;
        lint_add(now, "drop-cascade", lint_locate(now, "cascade", &cursor),
                 "CASCADE drops whatever hangs on it, also what this file does not name");
        return;
    }
}

static void check_drop_database(const LintStatement *now)
{
    const char *name = node_text(now->node, "dbname");
    lint_add(now, "drop-database", -1, "the whole database %s is lost", name ? name : "?");
}

static void check_rename(const LintStatement *now)
{
    const json_t *relation = node_inner(now->node, "relation", NULL);
    const char *old = node_text(now->node, "subname"), *name = node_text(now->node, "newname");
    bool table = node_is(now->node, "renameType", "OBJECT_TABLE");
    bool column = node_is(now->node, "renameType", "OBJECT_COLUMN") &&
                  node_is(now->node, "relationType", "OBJECT_TABLE");
    if (lint_is_down(now) || (!table && !column) || lint_weight(now, relation) == TABLE_FRESH)
        return;
    const char *whole = lint_relation_name(now, relation);
    size_t cursor = 0;
    if (table)
        lint_add(now, "rename-table", node_location(relation, false),
                 "from the commit on, whoever asks for %s fails", whole);
    else if (old && name)
        lint_add(now, "rename-column", lint_locate(now, old, &cursor),
                 "from the commit on, whoever asks for %s.%s fails", whole, old);
}

/* ---- TRUNCATE and whole-table work --------------------------------------------------------- */

static void check_truncate(const LintStatement *now)
{
    bool cascade = node_is(now->node, "behavior", "DROP_CASCADE");
    size_t i, cursor = 0;
    json_t *element;
    if (cascade)
        lint_add(now, "truncate-cascade", lint_locate(now, "cascade", &cursor),
                 "every table with a foreign key to these is emptied too");
    json_array_foreach(node_inner(now->node, "relations", NULL), i, element)
    {
        const json_t *relation = json_object_get(element, "RangeVar");
        lint_add_loss(now, "truncate", relation, node_location(relation, false),
                      "all rows of %s are lost", lint_relation_name(now, relation));
    }
}

static void check_cluster(const LintStatement *now)
{
    const json_t *relation = node_inner(now->node, "relation", NULL);
    if (relation)
        lint_add_weighed(now, "cluster", relation, node_location(relation, false),
                         "%s is written anew while nobody can use it",
                         lint_relation_name(now, relation));
    else
        lint_add(now, "cluster", -1,
                 "every clustered table is written anew while nobody can use "
                 "it");
}

static void check_vacuum(const LintStatement *now)
{
    if (!node_flag(now->node, "is_vacuumcmd") ||
        !node_option_is_on(node_inner(now->node, "options", NULL), "full", false))
        return;
    const json_t *tables = node_inner(now->node, "rels", NULL);
    size_t i;
    json_t *element;
    json_array_foreach(tables, i, element)
    {
        const json_t *relation =
            node_inner(json_object_get(element, "VacuumRelation"), "relation", NULL);
        lint_add_weighed(now, "vacuum-full", relation, node_location(relation, false),
                         "%s is written anew while nobody can use it",
                         lint_relation_name(now, relation));
    }
    if (json_array_size(tables) == 0)
        lint_add(now, "vacuum-full", -1, "every table is written anew while nobody can use it");
}

static void check_refresh(const LintStatement *now)
{
    const json_t *relation = node_inner(now->node, "relation", NULL);
    if (!node_flag(now->node, "concurrent") && !node_flag(now->node, "skipData"))
        lint_add_weighed(now, "refresh-blocks-reads", relation, node_location(relation, false),
                         "readers of %s wait until it is computed",
                         lint_relation_name(now, relation));
}

#define LOCK_SHARE 5 /* numbers of lockdefs.h; 4 and below let writers go on */

static void check_lock(const LintStatement *now)
{
    if (json_get_int(now->node, "mode", 0) >= LOCK_SHARE)
        lint_add(now, "lock-table", -1, "the lock is held until the whole file is done");
}

static void check_rule(const LintStatement *now)
{
    lint_add(now, "create-rule", -1, "a rule rewrites statements in ways that few foresee");
}

static void check_create(const LintStatement *now)
{
    const json_t *relation = node_inner(now->node, "relation", NULL);
    if (node_is(relation, "relpersistence", "u"))
        lint_add(now, "unlogged-table", node_location(relation, false),
                 "after a crash of the server %s is empty", lint_relation_name(now, relation));
}

/* ---- data ------------------------------------------------------------------------------------ */

static void check_update(const LintStatement *now)
{
    const json_t *relation = node_inner(now->node, "relation", NULL);
    if (!node_inner(now->node, "whereClause", NULL) && !node_inner(now->node, "fromClause", NULL))
        lint_add_weighed(now, "update-without-where", relation, node_location(relation, false),
                         "every row of %s is written and locked in one transaction",
                         lint_relation_name(now, relation));
}

static void check_delete(const LintStatement *now)
{
    const json_t *relation = node_inner(now->node, "relation", NULL);
    if (!node_inner(now->node, "whereClause", NULL) && !node_inner(now->node, "usingClause", NULL))
        lint_add_loss(now, "delete-without-where", relation, node_location(relation, false),
                      "all rows of %s are lost", lint_relation_name(now, relation));
}

static void check_insert(const LintStatement *now)
{
    const json_t *relation = node_inner(now->node, "relation", NULL);
    bool values = node_inner(now->node, "selectStmt", NULL) != NULL;
    if (values && json_array_size(node_inner(now->node, "cols", NULL)) == 0 &&
        lint_weight(now, relation) != TABLE_FRESH)
        lint_add(now, "insert-without-columns", node_location(relation, false),
                 "which value goes where depends on the columns that %s has that day",
                 lint_relation_name(now, relation));
}

static void check_view(const LintStatement *now)
{
    const json_t *query = node_inner(now->node, "query", "SelectStmt");
    size_t i;
    json_t *target;
    json_array_foreach(node_inner(query, "targetList", NULL), i, target)
    {
        const json_t *value = node_inner(json_object_get(target, "ResTarget"), "val", "ColumnRef");
        const json_t *fields = node_inner(value, "fields", NULL);
        size_t count = json_array_size(fields);
        if (count == 0 || !json_object_get(json_array_get(fields, count - 1), "A_Star"))
            continue;
        lint_add(now, "select-star-in-view", node_location(value, false),
                 "the view keeps the columns of today; later ones never show up in it");
        return;
    }
}

const LintRule lint_rules_table[] = {
    {"drop-table", LINT_WARNING, false, false, "the rows are gone, and with them what uses them",
     "first release a program that does not use it; rename it, wait, then drop it"},
    {"drop-schema", LINT_WARNING, false, false, "a schema goes with all that is in it",
     "drop its objects one by one, so that the file names what is lost"},
    {"drop-database", LINT_ERROR, false, false, "a migration that drops a database loses all of it",
     "take it out: databases are dropped by hand, never by a migration"},
    {"drop-cascade", LINT_WARNING, false, false,
     "CASCADE also drops views, keys and columns that somebody hung on it since",
     "leave out CASCADE, and drop by name what depends on it"},
    {"rename-table", LINT_WARNING, false, false,
     "the program and the database cannot change at the same moment: one of them fails",
     "make a view of the old name in the same file, and drop it when no program uses it"},
    {"rename-column", LINT_WARNING, false, false,
     "the program and the database cannot change at the same moment: one of them fails",
     "add the new column, write both, switch the readers, drop the old one later"},
    {"truncate", LINT_WARNING, false, false,
     "TRUNCATE loses all rows, and no down brings them back",
     "keep the rows in another table first, or take it out"},
    {"truncate-cascade", LINT_ERROR, false, false,
     "CASCADE empties every table that refers to this one, whatever it is",
     "name the tables that are to be emptied"},
    {"cluster", LINT_WARNING, false, false, "CLUSTER writes the table anew; all wait",
     "do it in a window, or not at all: new rows are not kept in order anyway"},
    {"vacuum-full", LINT_WARNING, false, false, "VACUUM FULL writes the table anew; all wait",
     "plain VACUUM stops nobody; for bloat see `vaxdb index bloat`"},
    {"refresh-blocks-reads", LINT_WARNING, false, false,
     "REFRESH stops reads of the materialized view until it is computed",
     "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index on it"},
    {"lock-table", LINT_WARNING, false, false,
     "a lock that is taken by hand stops others for as long as the file runs",
     "leave it out: each statement takes the lock that it needs"},
    {"create-rule", LINT_WARNING, false, false,
     "rules surprise with volatile functions, RETURNING and COPY", "use a trigger, or a view"},
    {"update-without-where", LINT_WARNING, false, false,
     "one UPDATE of all rows locks them all, doubles the table and floods the WAL",
     "fill in batches of some thousand rows, each in a transaction of its own"},
    {"delete-without-where", LINT_WARNING, false, false,
     "DELETE without WHERE loses all rows, and no down brings them back",
     "say with WHERE which rows are meant"},
    {"insert-without-columns", LINT_WARNING, false, false,
     "an INSERT without its columns breaks, or fills the wrong one, when the table changes",
     "INSERT INTO table (column, ...) VALUES ..."},
    {"select-star-in-view", LINT_WARNING, false, false,
     "* is spelled out when the view is made, and the columns cannot be dropped from then on",
     "name the columns"},
    {0},
};

const LintCheck lint_checks_table[] = {
    {"drop-table", "DropStmt", check_drop},
    {"drop-cascade", "AlterTableStmt", check_alter_cascade},
    {"drop-database", "DropdbStmt", check_drop_database},
    {"rename-table", "RenameStmt", check_rename},
    {"truncate", "TruncateStmt", check_truncate},
    {"cluster", "ClusterStmt", check_cluster},
    {"vacuum-full", "VacuumStmt", check_vacuum},
    {"refresh-blocks-reads", "RefreshMatViewStmt", check_refresh},
    {"lock-table", "LockStmt", check_lock},
    {"create-rule", "RuleStmt", check_rule},
    {"unlogged-table", "CreateStmt", check_create},
    {"update-without-where", "UpdateStmt", check_update},
    {"delete-without-where", "DeleteStmt", check_delete},
    {"insert-without-columns", "InsertStmt", check_insert},
    {"select-star-in-view", "ViewStmt", check_view},
    {0},
};
