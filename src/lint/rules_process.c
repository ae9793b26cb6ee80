/* How a file behaves as a whole: its locks, its settings, who may do what afterwards. */
#include "lint/rule.h"

#include "base/str.h"

/* ---- locks over a file ---------------------------------------------------------------------- */

/* The relation that the statement takes ACCESS EXCLUSIVE on; NULL for none, or none that others
 * use. */
static const json_t *locked_by(const LintStatement *now)
{
    static const char *const types[] = {"AlterTableStmt", "RenameStmt", "ClusterStmt"};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (!str_equal(now->type, types[i]))
            continue;
        const json_t *relation = node_inner(now->node, "relation", NULL);
        return relation && lint_weight(now, relation) != TABLE_FRESH ? relation : NULL;
    }
    return NULL;
}

static bool remembers(const LintStatement *now, const char *key)
{
    return json_object_get(lint_memory(now), key) != NULL;
}

static void remember(const LintStatement *now, const char *key, const char *value)
{
    (void)json_object_set_new(lint_memory(now), key, json_text(value));
}

static void check_lock_timeout(const LintStatement *now)
{
    if (now->what->sets_lock_timeout)
        remember(now, "lock-timeout", "");
    const json_t *relation = locked_by(now);
    if (!relation || remembers(now, "lock-timeout"))
        return;
    remember(now, "lock-timeout", "");
    lint_add(now, "no-lock-timeout", -1,
             "while this waits for %s, everything that comes after waits behind it",
             lint_relation_name(now, relation));
}

/* Statements that take as long as there are rows. */
static bool is_slow(const LintStatement *now)
{
    static const char *const types[] = {"UpdateStmt",         "DeleteStmt",        "IndexStmt",
                                        "RefreshMatViewStmt", "CreateTableAsStmt", "CopyStmt"};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (str_equal(now->type, types[i]))
            return true;
    }
    const json_t *rows = node_inner(now->node, "selectStmt", "SelectStmt");
    return str_equal(now->type, "InsertStmt") && node_inner(rows, "fromClause", NULL);
}

static void check_after_lock(const LintStatement *now)
{
    if (!now->file->transaction || !now->type)
        return;
    const json_t *locked = json_object_get(lint_memory(now), "locked");
    if (locked && is_slow(now) && !remembers(now, "after-lock")) {
        remember(now, "after-lock", "");
        lint_add(now, "statement-after-access-exclusive", -1,
                 "nobody can use %s until this is done: it was locked above",
                 json_string_value(locked));
    }
    const json_t *relation = locked_by(now);
    if (relation && !locked)
        remember(now, "locked", lint_relation_name(now, relation));
}

static void check_alters(const LintStatement *now)
{
    const json_t *relation = node_inner(now->node, "relation", NULL);
    const char *name = lint_relation_name(now, relation);
    const json_t *last = json_object_get(lint_memory(now), "altered");
    const json_t *at = json_object_get(lint_memory(now), "altered-at");
    bool next = last && (json_int_t)now->index == json_integer_value(at) + 1;
    if (next && str_equal(json_string_value(last), name) &&
        lint_weight(now, relation) != TABLE_FRESH)
        lint_add(now, "several-alters-of-one-table", -1,
                 "%s is locked, and perhaps read or written anew, once more", name);
    remember(now, "altered", name);
    (void)json_object_set_new(lint_memory(now), "altered-at", json_integer((json_int_t)now->index));
}

/* ---- the file -----------------------------------------------------------------------------------
 */

#define CHANGES_MAX 5

/* Tables that are changed: those that the file makes itself are one change. */
static void check_changes(const LintStatement *now)
{
    bool alters = str_equal(now->type, "AlterTableStmt") || str_equal(now->type, "IndexStmt");
    const json_t *relation = alters ? node_inner(now->node, "relation", NULL) : NULL;
    if (lint_is_down(now) || !relation || lint_weight(now, relation) == TABLE_FRESH)
        return;
    json_t *tables = json_object_get(lint_memory(now), "changes");
    if (!tables) {
        tables = json_object();
        (void)json_object_set_new(lint_memory(now), "changes", tables);
    }
    size_t before = json_object_size(tables);
    (void)json_object_set_new(tables, lint_relation_name(now, relation), json_true());
    if (before == CHANGES_MAX && json_object_size(tables) > CHANGES_MAX)
        lint_add(now, "many-changes-in-one-file", -1, "the file changes more than %d tables",
                 CHANGES_MAX);
}

static const char *drop_without_if(const LintStatement *now)
{
    return str_equal(now->type, "DropStmt") && !node_flag(now->node, "missing_ok")
               ? "DROP without IF EXISTS"
               : NULL;
}

static const char *create_without_if(const LintStatement *now)
{
    static const char *const types[] = {"CreateStmt",          "IndexStmt",
                                        "CreateSeqStmt",       "CreateSchemaStmt",
                                        "CreateExtensionStmt", "CreateTableAsStmt"};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (str_equal(now->type, types[i]) && !node_flag(now->node, "if_not_exists"))
            return "CREATE without IF NOT EXISTS";
    }
    return NULL;
}

/* In a transaction nothing is left when it fails, so there it is a matter of taste. */
static void check_idempotent(const LintStatement *now)
{
    const char *what = drop_without_if(now);
    if (!what)
        what = create_without_if(now);
    if (!what || remembers(now, "not-idempotent"))
        return;
    remember(now, "not-idempotent", "");
    lint_add_severity(now, "not-idempotent", now->file->transaction ? LINT_INFO : LINT_WARNING, -1,
                      NULL, "%s fails when the file runs a second time", what);
}

/* ---- settings -------------------------------------------------------------------------------- */

static void check_setting(const LintStatement *now)
{
    const char *name = node_text(now->node, "name");
    bool role =
        name && (strcasecmp(name, "role") == 0 || strcasecmp(name, "session_authorization") == 0);
    if (node_flag(now->node, "is_local") || !node_is(now->node, "kind", "VAR_SET_VALUE") || !name ||
        str_ends(name, "_timeout"))
        return;
    if (role || strcasecmp(name, "search_path") == 0)
        lint_add(now, "session-setting", -1,
                 "what follows depends on %s, and other runners carry it into the next file", name);
}

static void check_system(const LintStatement *now)
{
    lint_add(now, "alter-system", -1, "every database of the server gets the setting");
}

/* ---- rights ------------------------------------------------------------------------------------
 */

static void check_grant(const LintStatement *now)
{
    if (!node_flag(now->node, "is_grant") || lint_is_down(now))
        return;
    size_t i;
    json_t *element;
    json_array_foreach(node_inner(now->node, "grantees", NULL), i, element)
    {
        const json_t *role = json_object_get(element, "RoleSpec");
        if (node_is(role, "roletype", "ROLESPEC_PUBLIC"))
            lint_add(now, "grant-to-public", node_location(role, false),
                     "everybody who can connect gets the right, now and later");
    }
}

static void check_function(const LintStatement *now)
{
    const json_t *options = node_inner(now->node, "options", NULL);
    bool definer = false, path = false;
    int64_t at = -1;
    size_t i;
    json_t *element;
    json_array_foreach(options, i, element)
    {
        const json_t *option = json_object_get(element, "DefElem");
        const json_t *value = node_inner(option, "arg", NULL);
        if (node_is(option, "defname", "security")) {
            definer = node_flag(json_object_get(value, "Boolean"), "boolval");
            at = node_location(option, false);
        }
        const char *name = node_text(json_object_get(value, "VariableSetStmt"), "name");
        path |= node_is(option, "defname", "set") && name && strcasecmp(name, "search_path") == 0;
    }
    if (definer && !path)
        lint_add(now, "security-definer-without-search-path", at,
                 "whoever calls it chooses by search_path which tables and functions it uses");
}

static void check_role(const LintStatement *now)
{
    size_t i;
    json_t *element;
    json_array_foreach(node_inner(now->node, "options", NULL), i, element)
    {
        const json_t *option = json_object_get(element, "DefElem");
        const json_t *value = node_inner(option, "arg", NULL);
        if (node_is(option, "defname", "password") && json_object_get(value, "String"))
            lint_add(now, "password-in-file", node_location(option, false),
                     "whoever reads the file, or the log of the server, knows the password");
        if (node_is(option, "defname", "superuser") &&
            node_flag(json_object_get(value, "Boolean"), "boolval"))
            lint_add(now, "superuser-role", node_location(option, false),
                     "a superuser passes every check, and can run programs on the server");
    }
}

const LintRule lint_rules_process[] = {
    {"no-lock-timeout", LINT_INFO, false, false,
     "a statement that waits for its lock holds up everybody behind it; run by `vaxdb migrate up` "
     "it gives up and tries again, run by others it does not",
     "SET lock_timeout = '5s' at the beginning of the file"},
    {"statement-after-access-exclusive", LINT_WARNING, false, false,
     "a lock that stops all is held to the end of the file, through whatever is slow after it",
     "put what is slow into a file of its own, or before the ALTER TABLE"},
    {"several-alters-of-one-table", LINT_INFO, false, false,
     "each ALTER TABLE takes the lock, and reads or rewrites the table, on its own",
     "put them into one ALTER TABLE, separated by commas"},
    {"many-changes-in-one-file", LINT_INFO, false, false,
     "a file with one change is easy to take back and to understand when it fails",
     "make a file of each change: `vaxdb migrate new NAME`"},
    {"not-idempotent", LINT_WARNING, false, false,
     "a file that stopped half-way and was partly mended by hand cannot be run again",
     "CREATE ... IF NOT EXISTS, DROP ... IF EXISTS"},
    {"session-setting", LINT_INFO, false, false,
     "a setting of the session outlives the file where the runner does not clean up",
     "SET LOCAL, or name the schema where it is needed"},
    {"alter-system", LINT_WARNING, false, false,
     "ALTER SYSTEM changes the whole server, and no down of a schema belongs to it",
     "set it where the server is configured, or with ALTER DATABASE ... SET"},
    {"grant-to-public", LINT_WARNING, false, false,
     "PUBLIC is everybody, also roles that are made later", "grant to the role that needs it"},
    {"security-definer-without-search-path", LINT_WARNING, false, false,
     "a SECURITY DEFINER function runs as its owner with the caller's search_path",
     "add SET search_path = pg_catalog, SCHEMA to the function"},
    {"password-in-file", LINT_WARNING, false, false,
     "a password in a migration is in the repository, its history and the server's log",
     "make the role without one, and set it with \\password in psql"},
    {"superuser-role", LINT_WARNING, false, false, "a migration rarely needs to make a superuser",
     "grant the rights that are needed"},
    {0},
};

const LintCheck lint_checks_process[] = {
    {"no-lock-timeout", NULL, check_lock_timeout},
    {"statement-after-access-exclusive", NULL, check_after_lock},
    {"several-alters-of-one-table", "AlterTableStmt", check_alters},
    {"many-changes-in-one-file", NULL, check_changes},
    {"not-idempotent", NULL, check_idempotent},
    {"session-setting", "VariableSetStmt", check_setting},
    {"alter-system", "AlterSystemStmt", check_system},
    {"grant-to-public", "GrantStmt", check_grant},
    {"security-definer-without-search-path", "CreateFunctionStmt", check_function},
    {"password-in-file", "CreateRoleStmt", check_role},
    {"password-in-file", "AlterRoleStmt", check_role},
    {0},
};
