/* ALTER TABLE: columns, constraints and what else a table is made of. */
#include "lint/rule.h"

#include "base/str.h"

typedef struct {
    const LintStatement *now;
    const json_t *relation; /* that is altered */
    const char *table;      /* its name, for messages */
    const json_t *command;
    const char *name;  /* column or constraint that the command names; "" for none */
    const json_t *def; /* inside of its definition */
    int64_t at;        /* where that is in the statement */
} Alter;

/* ---- columns --------------------------------------------------------------------------------- */

static const ModelColumn *column_of(const Alter *alter)
{
    const char *table = node_text(alter->relation, "relname");
    const ModelTable *known =
        table ? model_table(alter->now->model, node_text(alter->relation, "schemaname"), table)
              : NULL;
    return known ? model_column(known, alter->name) : NULL;
}

static void set_not_null(const Alter *alter)
{
    const ModelColumn *column = column_of(alter);
    if (column && (column->not_null || column->has_not_null_check))
        return;
    lint_add_weighed(alter->now, "set-not-null-scans", alter->relation, alter->at,
                     "nobody can use %s while all of it is read for NULLs in %s", alter->table,
                     alter->name);
}

static void drop_not_null(const Alter *alter)
{
    if (!lint_is_down(alter->now) && lint_weight(alter->now, alter->relation) != TABLE_FRESH)
        lint_add(alter->now, "drop-not-null", alter->at,
                 "readers of %s.%s must be ready for NULL first", alter->table, alter->name);
}

/* With a server the catalogue says which changes rewrite the table. */
static void change_type(const Alter *alter)
{
    if (lint_server_version(alter->now) == 0)
        lint_add_weighed(alter->now, "alter-column-type", alter->relation, alter->at,
                         "most changes of type write %s anew while nobody can use it",
                         alter->table);
}

static void drop_column(const Alter *alter)
{
    if (!lint_is_down(alter->now))
        lint_add_loss(alter->now, "drop-column", alter->relation, alter->at,
                      "the values of %s.%s are lost, and whoever still asks for it fails",
                      alter->table, alter->name);
}

static const json_t *constraint_of(const json_t *column, const char *type)
{
    size_t i;
    json_t *element;
    json_array_foreach(node_inner(column, "constraints", NULL), i, element)
    {
        const json_t *constraint = json_object_get(element, "Constraint");
        if (node_is(constraint, "contype", type))
            return constraint;
    }
    return NULL;
}

static const char *type_of(const json_t *column)
{
    const char *name =
        node_name(node_inner(node_inner(column, "typeName", NULL), "names", NULL), NULL);
    return name ? name : "";
}

static bool is_serial(const json_t *column)
{
    const char *type = type_of(column);
    return str_ends(type, "serial") || str_starts(type, "serial");
}

static bool find_volatile(void *data, const char *type, const json_t *node)
{
    const Alter *alter = data;
    if (!str_equal(type, "FuncCall"))
        return true;
    const char *schema = NULL;
    const char *name = node_name(node_inner(node, "funcname", NULL), &schema);
    if (!name || model_volatility(alter->now->model, schema, name) != 'v')
        return true;
    lint_add_weighed(
        alter->now, "add-column-volatile-default", alter->relation, node_location(node, false),
        "%s() gives each row its own value, so %s is written anew", name, alter->table);
    return false;
}

/* Rows that are there have no value for it: the server refuses, unless there are none. */
static void add_not_null(const Alter *alter, const json_t *constraint)
{
    TableWeight weight = lint_weight(alter->now, alter->relation);
    int64_t rows = lint_rows(alter->now, alter->relation);
    if (weight == TABLE_FRESH || rows == 0)
        return;
    int64_t at = node_location(constraint, false);
    lint_add_severity(alter->now, "add-column-not-null-no-default",
                      rows > 0 ? LINT_ERROR : LINT_WARNING, at, NULL,
                      "%s.%s has no default: the rows that are there cannot be NOT NULL",
                      alter->table, alter->name);
}

static void add_column(const Alter *alter)
{
    Alter own = *alter;
    const json_t *column = alter->def;
    const json_t *fallback = constraint_of(column, "CONSTR_DEFAULT");
    const json_t *generated = constraint_of(column, "CONSTR_GENERATED");
    const json_t *identity = constraint_of(column, "CONSTR_IDENTITY");
    const json_t *not_null = constraint_of(column, "CONSTR_NOTNULL");
    bool serial = is_serial(column);
    if (fallback)
        (void)node_walk(node_inner(fallback, "raw_expr", NULL), find_volatile, &own);
    if (generated)
        lint_add_weighed(alter->now, "add-column-generated-stored", alter->relation,
                         node_location(generated, false),
                         "a stored column is computed for every row: %s is written anew",
                         alter->table);
    if (serial || identity)
        lint_add_weighed(alter->now, "add-column-serial", alter->relation, alter->at,
                         "every row gets a number: %s is written anew", alter->table);
    if (not_null && !fallback && !generated && !identity && !serial)
        add_not_null(alter, not_null);
    if (constraint_of(column, "CONSTR_UNIQUE"))
        lint_add_weighed(alter->now, "unique-constraint-builds-index", alter->relation,
                         node_location(constraint_of(column, "CONSTR_UNIQUE"), false),
                         "nobody can use %s while its index is built", alter->table);
}

/* ---- constraints ----------------------------------------------------------------------------- */

static void remember_not_valid(const Alter *alter, const char *constraint)
{
    const char *key = arena_printf(alter->now->arena, "not-valid %s.%s", alter->table, constraint);
    (void)json_object_set_new(lint_memory(alter->now), key, json_true());
}

static const struct {
    const char *type, *rule, *format;
    bool not_valid; /* NOT VALID is a way out; otherwise USING INDEX */
} constraint_rules[] = {
    {"CONSTR_UNIQUE", "unique-constraint-builds-index",
     "nobody can use %s while the index of the constraint is built", false},
    {"CONSTR_PRIMARY", "primary-key-builds-index",
     "nobody can use %s while the index of its primary key is built", false},
    {"CONSTR_EXCLUSION", "exclude-constraint",
     "nobody can use %s while the index of the constraint is built", false},
    {"CONSTR_FOREIGN", "foreign-key-without-not-valid",
     "nobody can write to %s while every row of it is checked", true},
    {"CONSTR_CHECK", "check-without-not-valid",
     "nobody can use %s while every row of it is checked", true},
};

static void add_constraint(const Alter *alter)
{
    const json_t *constraint = alter->def;
    bool not_valid = node_flag(constraint, "skip_validation");
    const char *name = node_text(constraint, "conname");
    if (not_valid && name)
        remember_not_valid(alter, name);
    if (not_valid || node_text(constraint, "indexname"))
        return;
    for (size_t i = 0; i < COUNT_OF(constraint_rules); i++) {
        if (!node_is(constraint, "contype", constraint_rules[i].type))
            continue;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        const char *message =
            arena_printf(alter->now->arena, constraint_rules[i].format, alter->table);
#pragma GCC diagnostic pop
        lint_add_weighed(alter->now, constraint_rules[i].rule, alter->relation, alter->at, "%s",
                         message);
    }
}

static void validate_constraint(const Alter *alter)
{
    const char *key = arena_printf(alter->now->arena, "not-valid %s.%s", alter->table, alter->name);
    if (alter->now->file->transaction && json_object_get(lint_memory(alter->now), key))
        lint_add_weighed(alter->now, "validate-in-same-transaction", alter->relation, alter->at,
                         "the lock of adding %s is held while every row of %s is checked",
                         alter->name, alter->table);
}

/* ---- partitions, storage, triggers --------------------------------------------------------- */

static void detach_partition(const Alter *alter)
{
    int version = lint_server_version(alter->now);
    if (!node_flag(alter->def, "concurrent") && (version == 0 || version >= 140000))
        lint_add_weighed(alter->now, "detach-without-concurrently", alter->relation, alter->at,
                         "whoever reads %s waits, and DETACH waits for whoever reads it",
                         alter->table);
}

static void attach_partition(const Alter *alter)
{
    const json_t *partition = node_inner(alter->def, "name", NULL);
    if (node_text(partition, "relname"))
        lint_add_weighed(alter->now, "attach-partition-scans", partition, alter->at,
                         "every row of %s is checked against the bounds under a lock",
                         lint_relation_name(alter->now, partition));
}

static void rewrite(const Alter *alter)
{
    lint_add_weighed(alter->now, "table-rewrite", alter->relation, alter->at,
                     "%s is written anew while nobody can use it", alter->table);
}

static void set_unlogged(const Alter *alter)
{
    rewrite(alter);
    lint_add(alter->now, "unlogged-table", alter->at, "after a crash of the server %s is empty",
             alter->table);
}

static void disable_trigger(const Alter *alter)
{
    lint_add(alter->now, "disable-trigger", alter->at,
             "what the triggers of %s keep right is not kept while they are off", alter->table);
}

static void disable_security(const Alter *alter)
{
    if (!lint_is_down(alter->now))
        lint_add(alter->now, "disable-row-security", alter->at,
                 "whoever may read %s then sees every row of it", alter->table);
}

static void change_owner(const Alter *alter)
{
    lint_add(alter->now, "change-owner", alter->at,
             "the old owner of %s can then neither alter nor drop it", alter->table);
}

/* ---- dispatch -------------------------------------------------------------------------------- */

static const struct {
    const char *subtype;
    void (*check)(const Alter *alter);
} commands[] = {
    {"AT_AddColumn", add_column},
    {"AT_DropColumn", drop_column},
    {"AT_AlterColumnType", change_type},
    {"AT_SetNotNull", set_not_null},
    {"AT_DropNotNull", drop_not_null},
    {"AT_AddConstraint", add_constraint},
    {"AT_ValidateConstraint", validate_constraint},
    {"AT_DetachPartition", detach_partition},
    {"AT_AttachPartition", attach_partition},
    {"AT_SetLogged", rewrite},
    {"AT_SetUnLogged", set_unlogged},
    {"AT_SetTableSpace", rewrite},
    {"AT_SetAccessMethod", rewrite},
    {"AT_DisableTrig", disable_trigger},
    {"AT_DisableTrigAll", disable_trigger},
    {"AT_DisableTrigUser", disable_trigger},
    {"AT_DisableRowSecurity", disable_security},
    {"AT_ChangeOwner", change_owner},
};

static void check_command(Alter *alter, size_t *cursor)
{
    const json_t *command = alter->command;
    const json_t *wrapped = node_inner(command, "def", NULL);
    const char *type = NULL;
    alter->def = node_open(wrapped, &type);
    const char *name = node_text(command, "name");
    if (!name)
        name = node_text(alter->def, "colname");
    if (!name)
        name = node_text(alter->def, "conname");
    alter->name = name ? name : "";
    alter->at = lint_locate(alter->now, alter->name, cursor);
    int64_t exact = node_location(alter->def, false);
    if (exact > 0)
        alter->at = exact;
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (node_is(command, "subtype", commands[i].subtype))
            commands[i].check(alter);
    }
}

static void check_alter(const LintStatement *now)
{
    if (!node_is(now->node, "objtype", "OBJECT_TABLE"))
        return;
    Alter alter = {.now = now, .relation = node_inner(now->node, "relation", NULL)};
    alter.table = lint_relation_name(now, alter.relation);
    size_t i, cursor = 0;
    json_t *element;
    (void)lint_locate(now, node_text(alter.relation, "relname"), &cursor);
    json_array_foreach(node_inner(now->node, "cmds", NULL), i, element)
    {
        alter.command = json_object_get(element, "AlterTableCmd");
        check_command(&alter, &cursor);
    }
}

const LintRule lint_rules_alter[] = {
    {"set-not-null-scans", LINT_WARNING, false, false,
     "SET NOT NULL reads the whole table under a lock that stops reads and writes",
     "add CHECK (column IS NOT NULL) NOT VALID, VALIDATE it in a second file, then SET NOT NULL "
     "reads nothing, then drop the check"},
    {"drop-not-null", LINT_WARNING, false, false,
     "programs that never met NULL in this column meet it from then on",
     "first make everything that reads the column ready for NULL"},
    {"alter-column-type", LINT_WARNING, false, false,
     "a change of type usually writes the table and its indexes anew under a lock that stops all",
     "add a column of the new type, fill it in batches, switch over, drop the old one later"},
    {"drop-column", LINT_WARNING, false, false,
     "the values are gone, and the program that still names the column fails",
     "first release a program that does not use it; the backup before the migration keeps it"},
    {"add-column-not-null-no-default", LINT_WARNING, false, false,
     "the server refuses a NOT NULL column without a default where the table has rows",
     "give it a DEFAULT, or add it nullable, fill it, and SET NOT NULL later"},
    {"add-column-volatile-default", LINT_WARNING, false, false,
     "a default that differs by row writes the whole table anew under a lock that stops all",
     "add the column without a default, SET DEFAULT for new rows, fill the old ones in batches"},
    {"add-column-generated-stored", LINT_WARNING, false, false,
     "a stored generated column writes the whole table anew under a lock that stops all",
     "add a plain column, fill it in batches, keep it by a trigger; or compute it in a view"},
    {"add-column-serial", LINT_WARNING, false, false,
     "a serial or identity column numbers every row, which writes the whole table anew",
     "add a plain column, fill it in batches, then attach a sequence as its default"},
    {"unique-constraint-builds-index", LINT_WARNING, false, false,
     "adding UNIQUE builds an index under a lock that stops reads and writes",
     "CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT ... UNIQUE USING INDEX"},
    {"primary-key-builds-index", LINT_WARNING, false, false,
     "adding a primary key builds an index, and reads the table for NULLs, while all wait",
     "CREATE UNIQUE INDEX CONCURRENTLY first, then ADD PRIMARY KEY USING INDEX"},
    {"exclude-constraint", LINT_WARNING, false, false,
     "an exclusion constraint builds its index under a lock that stops all; no other way exists",
     "add it while the table is small, or in a window; CHECK in the program until then"},
    {"foreign-key-without-not-valid", LINT_WARNING, false, false,
     "adding a foreign key checks every row while writes to both tables wait",
     "ADD CONSTRAINT ... NOT VALID, and VALIDATE CONSTRAINT in a file of its own"},
    {"check-without-not-valid", LINT_WARNING, false, false,
     "adding a CHECK reads every row while reads and writes wait",
     "ADD CONSTRAINT ... NOT VALID, and VALIDATE CONSTRAINT in a file of its own"},
    {"validate-in-same-transaction", LINT_WARNING, false, false,
     "VALIDATE after ADD ... NOT VALID in one transaction keeps the lock that NOT VALID avoids",
     "put VALIDATE CONSTRAINT into the next file"},
    {"detach-without-concurrently", LINT_WARNING, false, false,
     "DETACH PARTITION stops reads and writes of the partitioned table",
     "DETACH PARTITION ... CONCURRENTLY (from 14), with `-- migrate:transaction none`"},
    {"attach-partition-scans", LINT_WARNING, false, false,
     "ATTACH PARTITION reads the new partition under a lock to check its bounds",
     "first add and validate a CHECK that says the same as the bounds"},
    {"table-rewrite", LINT_WARNING, false, false,
     "a change of storage writes the whole table anew under a lock that stops all",
     "do it in a window, or copy into a new table beside it"},
    {"unlogged-table", LINT_WARNING, false, false,
     "an unlogged table is emptied by a crash, and is neither backed up by WAL nor replicated",
     "leave out UNLOGGED for anything that cannot be computed again"},
    {"disable-trigger", LINT_WARNING, false, false,
     "with triggers off, foreign keys and audit are off too, for every session",
     "for this session alone: SET LOCAL session_replication_role = replica"},
    {"disable-row-security", LINT_WARNING, false, false,
     "without row security everybody with SELECT sees the rows of everybody",
     "change the policies instead"},
    {"change-owner", LINT_INFO, false, false,
     "the next migration of the table must run as the new owner",
     "run all migrations as one role, which owns what they make"},
    {0},
};

const LintCheck lint_checks_alter[] = {
    {"alter-column-type", "AlterTableStmt", check_alter},
    {0},
};
