#include "flows/roundtrip_internal.h"

#include "pg/node.h"
#include "pg/parse.h"

#include <ctype.h>
#include <string.h>

/* Statements about what a server's databases share, or outside of the server. */
static const char *const global_nodes[] = {
    "CreateRoleStmt",
    "AlterRoleStmt",
    "AlterRoleSetStmt",
    "DropRoleStmt",
    "GrantRoleStmt",
    "CreatedbStmt",
    "DropdbStmt",
    "AlterDatabaseStmt",
    "AlterDatabaseSetStmt",
    "CreateTableSpaceStmt",
    "DropTableSpaceStmt",
    "AlterTableSpaceOptionsStmt",
    "CreateSubscriptionStmt",
    "AlterSubscriptionStmt",
    "DropSubscriptionStmt",
    "AlterSystemStmt",
    "ReassignOwnedStmt",
    "DropOwnedStmt",
};

/* Kinds of objects that are shared, in statements that take any kind. */
static const char *const global_objects[] = {
    "OBJECT_ROLE",         "OBJECT_DATABASE",      "OBJECT_TABLESPACE",
    "OBJECT_SUBSCRIPTION", "OBJECT_PARAMETER_ACL",
};

/* In code that is text to the parser (DO), and in SQL newer than it. */
static const char *const global_words[] = {
    "create role",     "create user",         "alter role",         "alter user",
    "drop role",       "drop user",           "create group",       "drop group",
    "create database", "drop database",       "alter database",     "create tablespace",
    "drop tablespace", "create subscription", "alter subscription", "drop subscription",
    "alter system",
};

static bool is_one_of(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; text && i < count; i++) {
        if (str_equal(text, list[i]))
            return true;
    }
    return false;
}
#define IS_ONE_OF(text, list) is_one_of(text, list, sizeof(list) / sizeof(*(list)))

/* Lower case, with single spaces. */
static char *words_of(Arena *arena, const char *text)
{
    char *words = arena_strdup(arena, text), *out = words;
    for (const char *in = text; *in; in++) {
        bool space = isspace((unsigned char)*in);
        if (!space)
            *out++ = (char)tolower((unsigned char)*in);
        else if (out > words && out[-1] != ' ')
            *out++ = ' ';
    }
    *out = '\0';
    return words;
}

static const char *find_words(Arena *arena, const char *text)
{
    const char *words = words_of(arena, text);
    for (size_t i = 0; i < sizeof(global_words) / sizeof(*global_words); i++) {
        const char *found = strstr(words, global_words[i]);
        if (found && !str_starts(found, "create user mapping") &&
            !str_starts(found, "alter user mapping") && !str_starts(found, "drop user mapping"))
            return global_words[i];
    }
    return NULL;
}

static bool is_global(const char *type, const json_t *node)
{
    if (IS_ONE_OF(type, global_nodes))
        return true;
    if (str_equal(type, "CopyStmt"))
        return node_flag(node, "is_program") ||
               (node_text(node, "filename") && !node_flag(node, "is_from"));
    return IS_ONE_OF(node_text(node, "renameType"), global_objects) ||
           IS_ONE_OF(node_text(node, "objectType"), global_objects) ||
           IS_ONE_OF(node_text(node, "objtype"), global_objects);
}

/* What of a statement reaches beyond; NULL: nothing. */
static const char *global_of(Arena *arena, const Script *script, size_t index)
{
    const ScriptStatement *item = &script->items[index];
    const char *sql = arena_strndup(arena, script->text + item->piece.start, item->piece.length);
    _cleanup_json_ json_t *tree = NULL;
    Error ignored = {0};
    const char *type = NULL;
    if (!item->what.analysed || !statement_tree(sql, &tree, &ignored))
        return find_words(arena, sql);
    const json_t *first = json_array_get(json_object_get(tree, "stmts"), 0);
    const json_t *node = node_open(json_object_get(first, "stmt"), &type);
    if (!node)
        return NULL;
    if (str_equal(type, "DoStmt"))
        return find_words(arena, sql);
    return is_global(type, node) ? item->what.tag : NULL;
}

static bool find_in_file(Arena *arena, const char *path, RunDirection direction,
                         const char **reason, Error *err)
{
    _cleanup_arena_ Arena *scratch = arena_create();
    Script script;
    bool (*read)(Arena *, const char *, Script *, Error *) =
        direction == RUN_UP ? script_read : script_read_down;
    if (!read(scratch, path, &script, err))
        return false;
    for (size_t i = 0; i < script.count && !*reason; i++) {
        const char *what = global_of(scratch, &script, i);
        if (what)
            *reason = arena_printf(arena, "%s reaches beyond the database: %s", script.name, what);
    }
    return true;
}

bool roundtrip_find_globals(Arena *arena, const MigrationFile *file, const char **reason,
                            Error *err)
{
    *reason = NULL;
    return find_in_file(arena, file->path, RUN_UP, reason, err) &&
           (*reason || !file->down_path ||
            find_in_file(arena, file->down_path, RUN_DOWN, reason, err));
}
