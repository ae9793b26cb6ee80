#include "pg/parse.h"

#include "base/str.h"
#include "pg/lex.h"
#include "pg/node.h"

#include <assert.h>
#include <pg_query.h>

/* Data as long as this is not parsed: its tree would take a hundred times its size. */
#define PARSE_MAX_BYTES ((size_t)1 << 20)
#define FIRST_WORDS     8
/* Deeper trees are not made: libpg_query prints them by recursion without a look at its stack, and
 * 8 MB of it end at some 60,000 levels. */
#define NESTING_MAX ((size_t)20000)

bool statement_needs_no_transaction(StatementKind kind)
{
    return kind >= STATEMENT_CREATE_INDEX_CONCURRENTLY;
}

static bool parse_failed(const PgQueryError *error, Error *err)
{
    (void)error_set(err, ERR_PROBLEMS, "%s", error->message);
    (void)snprintf(err->sqlstate, sizeof(err->sqlstate), "42601");
    err->position = error->cursorpos > 0 ? error->cursorpos : 1;
    return false;
}

/* ---- how deep it can be ------------------------------------------------------------------ */

typedef struct {
    size_t item;      /* tokens since the last comma: each may be one level around those before */
    size_t most;      /* of the items before */
    size_t set_words; /* UNION and the like, which hold what stands on both sides of commas */
} Nesting;

static void close_item(Nesting *level)
{
    if (level->item > level->most)
        level->most = level->item;
    level->item = 0;
}

static bool is_set_word(const SqlLexer *lexer, SqlToken token)
{
    return sql_token_is(lexer, token, "union") || sql_token_is(lexer, token, "intersect") ||
           sql_token_is(lexer, token, "except");
}

static size_t levels_of(Nesting *level)
{
    close_item(level);
    return level->most + level->set_words;
}

/* Tells by the tokens alone, with too many levels rather than too few: 1+1+1 is nested too. */
static bool is_nested_deeply(const char *text, size_t length)
{
    if (length <= NESTING_MAX)
        return false;
    _cleanup_free_ Nesting *levels = calloc(NESTING_MAX, sizeof(*levels));
    assert(levels);
    SqlLexer lexer;
    sql_lexer_init(&lexer, text, length);
    for (size_t open = 0; open + 1 < NESTING_MAX && levels[open].item <= NESTING_MAX;) {
        SqlToken token = sql_lexer_next(&lexer);
        Nesting *level = &levels[open];
        if (token.kind == TOKEN_END || token.kind == TOKEN_ERROR)
            return levels_of(level) > NESTING_MAX;
        level->item++;
        level->set_words += is_set_word(&lexer, token);
        if (token.kind != TOKEN_SYMBOL)
            continue;
        char symbol = text[token.start];
        if (symbol == ',' || symbol == ';')
            close_item(level);
        if (symbol == '(' || symbol == '[')
            levels[++open] = (Nesting){0};
        else if ((symbol == ')' || symbol == ']') && open > 0)
            levels[--open].item += levels_of(level);
    }
    return true;
}

static bool fail_nested(Error *err)
{
    (void)error_set(err, ERR_PROBLEMS, "the statement is nested too deeply to be analysed");
    err->position = 1;
    return false;
}

bool statement_tree(const char *text, json_t **tree, Error *err)
{
    if (is_nested_deeply(text, strlen(text)))
        return fail_nested(err);
    PgQueryParseResult parsed = pg_query_parse(text);
    bool ok = parsed.error ? parse_failed(parsed.error, err)
                           : json_parse(parsed.parse_tree, strlen(parsed.parse_tree),
                                        "the parse tree", tree, err);
    pg_query_free_parse_result(parsed);
    return ok;
}

/* ---- by the parse tree ------------------------------------------------------------------- */

typedef struct {
    Arena *arena;
    const char *text; /* NUL-terminated */
    size_t length;
    const json_t *node; /* inside of the statement's node */
    Statement *statement;
} Classifier;

static const char *copied(const Classifier *now, const char *text)
{
    return text ? arena_strdup(now->arena, text) : NULL;
}

static const char *member_text(const Classifier *now, const char *key)
{
    return copied(now, node_text(now->node, key));
}

static void set_kind(Statement *statement, StatementKind kind, const char *tag)
{
    statement->kind = kind;
    statement->tag = tag;
}

static void take_relation(const Classifier *now, const char *key, const char **schema,
                          const char **name)
{
    const json_t *relation = json_object_get(now->node, key);
    *schema = copied(now, json_get_text(relation, "schemaname", NULL));
    *name = copied(now, json_get_text(relation, "relname", NULL));
}

static void see_index(const Classifier *now)
{
    Statement *statement = now->statement;
    if (!node_flag(now->node, "concurrent"))
        return;
    set_kind(statement, STATEMENT_CREATE_INDEX_CONCURRENTLY, "CREATE INDEX CONCURRENTLY");
    take_relation(now, "relation", &statement->table_schema, &statement->table);
    statement->name = member_text(now, "idxname");
    statement->if_exists = node_flag(now->node, "if_not_exists");
    statement->unique = node_flag(now->node, "unique");
}

static void see_drop(const Classifier *now)
{
    Statement *statement = now->statement;
    if (!node_flag(now->node, "concurrent"))
        return;
    set_kind(statement, STATEMENT_DROP_INDEX_CONCURRENTLY, "DROP INDEX CONCURRENTLY");
    statement->if_exists = node_flag(now->node, "missing_ok");
    const json_t *first = json_array_get(json_object_get(now->node, "objects"), 0);
    const json_t *parts = json_object_get(json_object_get(first, "List"), "items");
    size_t count = json_array_size(parts);
    if (count > 0)
        statement->name = copied(now, node_string(json_array_get(parts, count - 1)));
    if (count > 1)
        statement->schema = copied(now, node_string(json_array_get(parts, count - 2)));
}

static void see_reindex(const Classifier *now)
{
    Statement *statement = now->statement;
    bool whole = !node_is(now->node, "kind", "REINDEX_OBJECT_INDEX") &&
                 !node_is(now->node, "kind", "REINDEX_OBJECT_TABLE");
    if (!whole && !node_option_is_on(json_object_get(now->node, "params"), "concurrently", false))
        return;
    set_kind(statement, STATEMENT_REINDEX, whole ? "REINDEX" : "REINDEX CONCURRENTLY");
    take_relation(now, "relation", &statement->table_schema, &statement->table);
    if (node_is(now->node, "kind", "REINDEX_OBJECT_INDEX")) {
        statement->schema = TAKE(statement->table_schema);
        statement->name = TAKE(statement->table);
    }
}

static void see_alter_table(const Classifier *now)
{
    Statement *statement = now->statement;
    const json_t *first = json_array_get(json_object_get(now->node, "cmds"), 0);
    const json_t *command = json_object_get(first, "AlterTableCmd");
    const json_t *partition = json_object_get(json_object_get(command, "def"), "PartitionCmd");
    if (!node_is(command, "subtype", "AT_DetachPartition") || !node_flag(partition, "concurrent"))
        return;
    set_kind(statement, STATEMENT_DETACH_CONCURRENTLY, "DETACH PARTITION CONCURRENTLY");
    take_relation(now, "relation", &statement->table_schema, &statement->table);
    Classifier inner = *now;
    inner.node = partition;
    take_relation(&inner, "name", &statement->schema, &statement->name);
}

static void see_transaction(const Classifier *now)
{
    static const struct {
        const char *node;
        StatementKind kind;
        const char *tag;
    } forms[] = {
        {"TRANS_STMT_BEGIN", STATEMENT_BEGIN, "BEGIN"},
        {"TRANS_STMT_START", STATEMENT_BEGIN, "START TRANSACTION"},
        {"TRANS_STMT_COMMIT", STATEMENT_COMMIT, "COMMIT"},
        {"TRANS_STMT_ROLLBACK", STATEMENT_TRANSACTION, "ROLLBACK"},
        {"TRANS_STMT_PREPARE", STATEMENT_TRANSACTION, "PREPARE TRANSACTION"},
        {"TRANS_STMT_SAVEPOINT", STATEMENT_SAVEPOINT, "SAVEPOINT"},
        {"TRANS_STMT_RELEASE", STATEMENT_SAVEPOINT, "RELEASE"},
        {"TRANS_STMT_ROLLBACK_TO", STATEMENT_SAVEPOINT, "ROLLBACK TO"},
        {"TRANS_STMT_COMMIT_PREPARED", STATEMENT_PREPARED_TRANSACTION, "COMMIT PREPARED"},
        {"TRANS_STMT_ROLLBACK_PREPARED", STATEMENT_PREPARED_TRANSACTION, "ROLLBACK PREPARED"},
    };
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (node_is(now->node, "kind", forms[i].node))
            set_kind(now->statement, forms[i].kind, forms[i].tag);
    }
    bool plain = !json_object_get(now->node, "options") && !node_flag(now->node, "chain");
    if (!plain &&
        (now->statement->kind == STATEMENT_BEGIN || now->statement->kind == STATEMENT_COMMIT))
        now->statement->kind = STATEMENT_TRANSACTION;
    now->statement->name = member_text(now, "gid");
}

static void see_setting(Statement *statement, const char *name, const json_t *value)
{
    statement->sets_lock_timeout |= name && strcasecmp(name, "lock_timeout") == 0;
    if (!name || strcasecmp(name, "standard_conforming_strings") != 0)
        return;
    const json_t *constant = json_object_get(value, "A_Const");
    const char *text = node_string(value);
    bool on = false;
    if (!text)
        on = json_get_int(json_object_get(constant, "ival"), "ival", 0) != 0 ||
             node_flag(json_object_get(constant, "boolval"), "boolval");
    else if (!str_to_bool(text, &on))
        on = false;
    statement->strings_off = !on;
}

static void see_set(const Classifier *now)
{
    set_kind(now->statement, STATEMENT_SET, "SET");
    if (node_is(now->node, "kind", "VAR_SET_VALUE"))
        see_setting(now->statement, json_get_text(now->node, "name", NULL),
                    json_array_get(json_object_get(now->node, "args"), 0));
}

/* SELECT set_config('name', 'value', false), as pg_dump writes it. */
static void see_select(const Classifier *now)
{
    const json_t *targets = json_object_get(now->node, "targetList");
    size_t i;
    json_t *target;
    json_array_foreach(targets, i, target)
    {
        const json_t *value = json_object_get(json_object_get(target, "ResTarget"), "val");
        const json_t *call = json_object_get(value, "FuncCall");
        const json_t *parts = json_object_get(call, "funcname");
        const char *function = node_string(json_array_get(parts, json_array_size(parts) - 1));
        if (!str_equal(function, "set_config"))
            continue;
        set_kind(now->statement, STATEMENT_SET, "SET");
        const json_t *arguments = json_object_get(call, "args");
        see_setting(now->statement, node_string(json_array_get(arguments, 0)),
                    json_array_get(arguments, 1));
    }
}

static void see_vacuum(const Classifier *now)
{
    if (node_flag(now->node, "is_vacuumcmd"))
        set_kind(now->statement, STATEMENT_REPEATABLE, "VACUUM");
    else
        set_kind(now->statement, STATEMENT_NEUTRAL, "ANALYZE");
}

static void see_cluster(const Classifier *now)
{
    if (!json_object_get(now->node, "relation"))
        set_kind(now->statement, STATEMENT_REPEATABLE, "CLUSTER");
}

static void see_discard(const Classifier *now)
{
    bool all = node_is(now->node, "target", "DISCARD_ALL") || !json_object_get(now->node, "target");
    set_kind(now->statement, all ? STATEMENT_REPEATABLE : STATEMENT_SET,
             all ? "DISCARD ALL" : "DISCARD");
}

static void see_copy(const Classifier *now)
{
    if (!node_flag(now->node, "is_from") && !json_object_get(now->node, "filename"))
        set_kind(now->statement, STATEMENT_COPY_OUT, "COPY TO STDOUT");
}

static bool text_commits(const char *text, size_t length);

/* A DO block commits where a statement of its text is COMMIT or ROLLBACK. */
static void see_do(const Classifier *now)
{
    set_kind(now->statement, STATEMENT_CALL, "DO");
    size_t i;
    json_t *element;
    json_array_foreach(json_object_get(now->node, "args"), i, element)
    {
        const json_t *option = json_object_get(element, "DefElem");
        const char *body = node_string(json_object_get(option, "arg"));
        if (node_is(option, "defname", "as") && body && text_commits(body, strlen(body)))
            set_kind(now->statement, STATEMENT_CALL_COMMITS, "DO");
    }
}

static bool text_commits(const char *text, size_t length)
{
    static const char *const openers[] = {"begin", "then", "else", "loop"};
    SqlLexer lexer;
    sql_lexer_init(&lexer, text, length);
    SqlToken last = {0};
    for (;;) {
        SqlToken token = sql_lexer_next(&lexer);
        if (token.kind == TOKEN_END || token.kind == TOKEN_ERROR)
            return false;
        bool opens = sql_token_is_symbol(&lexer, last, ';');
        for (size_t i = 0; i < COUNT_OF(openers); i++)
            opens |= sql_token_is(&lexer, last, openers[i]);
        if (opens &&
            (sql_token_is(&lexer, token, "commit") || sql_token_is(&lexer, token, "rollback")))
            return true;
        last = token;
    }
}

static void see_create_subscription(const Classifier *now)
{
    const json_t *options = json_object_get(now->node, "options");
    now->statement->name = member_text(now, "subname");
    if (node_option_is_on(options, "connect", true) &&
        node_option_is_on(options, "create_slot", true))
        set_kind(now->statement, STATEMENT_CREATE_SUBSCRIPTION, "CREATE SUBSCRIPTION");
}

static void see_drop_subscription(const Classifier *now)
{
    set_kind(now->statement, STATEMENT_DROP_SUBSCRIPTION, "DROP SUBSCRIPTION");
    now->statement->name = member_text(now, "subname");
}

static void see_alter_subscription(const Classifier *now)
{
    if (node_is(now->node, "kind", "ALTER_SUBSCRIPTION_REFRESH") ||
        strstr(json_get_text(now->node, "kind", ""), "PUBLICATION"))
        if (node_option_is_on(json_object_get(now->node, "options"), "refresh", true))
            set_kind(now->statement, STATEMENT_REPEATABLE, "ALTER SUBSCRIPTION");
}

static void see_alter_database(const Classifier *now)
{
    if (node_option(json_object_get(now->node, "options"), "tablespace"))
        set_kind(now->statement, STATEMENT_REPEATABLE, "ALTER DATABASE SET TABLESPACE");
}

/* One row a node type. A row without a function sets kind and tag, and takes the name from key. */
static const struct {
    const char *node;
    void (*see)(const Classifier *now);
    StatementKind kind;
    const char *tag;
    const char *key;
} node_types[] = {
    {"IndexStmt", see_index},
    {"DropStmt", see_drop},
    {"ReindexStmt", see_reindex},
    {"AlterTableStmt", see_alter_table},
    {"TransactionStmt", see_transaction},
    {"VariableSetStmt", see_set},
    {"SelectStmt", see_select},
    {"VacuumStmt", see_vacuum},
    {"ClusterStmt", see_cluster},
    {"DiscardStmt", see_discard},
    {"CopyStmt", see_copy},
    {"DoStmt", see_do},
    {"CreateSubscriptionStmt", see_create_subscription},
    {"DropSubscriptionStmt", see_drop_subscription},
    {"AlterSubscriptionStmt", see_alter_subscription},
    {"AlterDatabaseStmt", see_alter_database},
    {"CallStmt", NULL, STATEMENT_CALL, "CALL"},
    {"LoadStmt", NULL, STATEMENT_SET, "LOAD"},
    {"PrepareStmt", NULL, STATEMENT_SET, "PREPARE"},
    {"VariableShowStmt", NULL, STATEMENT_NEUTRAL, "SHOW"},
    {"CheckPointStmt", NULL, STATEMENT_NEUTRAL, "CHECKPOINT"},
    {"AlterSystemStmt", NULL, STATEMENT_REPEATABLE, "ALTER SYSTEM"},
    {"CreatedbStmt", NULL, STATEMENT_CREATE_DATABASE, "CREATE DATABASE", "dbname"},
    {"DropdbStmt", NULL, STATEMENT_DROP_DATABASE, "DROP DATABASE", "dbname"},
    {"CreateTableSpaceStmt", NULL, STATEMENT_CREATE_TABLESPACE, "CREATE TABLESPACE",
     "tablespacename"},
    {"DropTableSpaceStmt", NULL, STATEMENT_DROP_TABLESPACE, "DROP TABLESPACE", "tablespacename"},
};

static void see_node(Classifier *now, size_t type)
{
    if (node_types[type].see) {
        node_types[type].see(now);
        return;
    }
    set_kind(now->statement, node_types[type].kind, node_types[type].tag);
    now->statement->loads_library = str_equal(node_types[type].node, "LoadStmt");
    if (!node_types[type].key)
        return;
    now->statement->name = member_text(now, node_types[type].key);
    now->statement->if_exists = node_flag(now->node, "missing_ok");
}

/* Most statements are of no kind that matters: their tree's first node name says so and the tree is
 * not read unless it is wanted. A SELECT matters when it could be a set_config. False where it is
 * nested deeper than JSON is read. */
static bool see_tree(Classifier *now, const char *text, json_t **tree)
{
    static const char start[] = "\"stmts\":[{\"stmt\":{\"";
    const char *at = strstr(text, start);
    if (!at)
        return true;
    at += sizeof(start) - 1;
    size_t width = strcspn(at, "\""), type = COUNT_OF(node_types);
    for (size_t i = 0; i < COUNT_OF(node_types); i++) {
        if (strncmp(node_types[i].node, at, width) == 0 && !node_types[i].node[width])
            type = i;
    }
    if (type < COUNT_OF(node_types) && node_types[type].see == see_select &&
        !strcasestr(now->text, "set_config"))
        type = COUNT_OF(node_types);
    if (type == COUNT_OF(node_types) && !tree)
        return true;
    _cleanup_json_ json_t *root = NULL;
    Error ignored = {0};
    if (!json_parse(text, strlen(text), "the parse tree", &root, &ignored))
        return false;
    if (type < COUNT_OF(node_types)) {
        const json_t *first = json_array_get(json_object_get(root, "stmts"), 0);
        now->node = json_object_get(json_object_get(first, "stmt"), node_types[type].node);
        see_node(now, type);
    }
    if (tree)
        *tree = TAKE(root);
    return true;
}

/* ---- by its words ------------------------------------------------------------------------ */

typedef struct {
    SqlLexer lexer;
    SqlToken words[FIRST_WORDS];
    size_t count;
} FirstWords;

static void read_first_words(FirstWords *first, const char *text, size_t length)
{
    *first = (FirstWords){0};
    sql_lexer_init(&first->lexer, text, length);
    while (first->count < FIRST_WORDS) {
        SqlToken token = sql_lexer_next(&first->lexer);
        if (token.kind == TOKEN_END || token.kind == TOKEN_ERROR)
            return;
        first->words[first->count++] = token;
    }
}

static bool word_is(const FirstWords *first, size_t index, const char *word)
{
    return index < first->count && sql_token_is(&first->lexer, first->words[index], word);
}

static bool has_word(const FirstWords *first, const char *word)
{
    for (size_t i = 0; i < first->count; i++) {
        if (word_is(first, i, word))
            return true;
    }
    return false;
}

static void classify_by_words(const FirstWords *first, Statement *statement)
{
    static const char *const alone[] = {"vacuum", "reindex"};
    for (size_t i = 0; i < COUNT_OF(alone); i++) {
        if (word_is(first, 0, alone[i]))
            set_kind(statement, STATEMENT_REPEATABLE, "maintenance command");
    }
    bool index = (word_is(first, 0, "create") || word_is(first, 0, "drop")) &&
                 (word_is(first, 1, "index") || word_is(first, 2, "index"));
    bool detach = word_is(first, 0, "alter") && has_word(first, "detach");
    if ((index || detach) && has_word(first, "concurrently"))
        set_kind(statement, STATEMENT_OUTSIDE_OTHER, "CONCURRENTLY");
    bool object = word_is(first, 1, "database") || word_is(first, 1, "tablespace") ||
                  word_is(first, 1, "subscription");
    if (object && (word_is(first, 0, "create") || word_is(first, 0, "drop")))
        set_kind(statement, STATEMENT_OUTSIDE_OTHER, "CREATE or DROP");
    if (word_is(first, 0, "alter") && word_is(first, 1, "system"))
        set_kind(statement, STATEMENT_REPEATABLE, "ALTER SYSTEM");
    if (word_is(first, 0, "set"))
        set_kind(statement, STATEMENT_SET, "SET");
    if (word_is(first, 0, "begin") || word_is(first, 0, "commit") || word_is(first, 0, "rollback"))
        set_kind(statement, STATEMENT_TRANSACTION, "transaction control");
}

/* Rows as data: nothing of them matters here but that they are many. */
static bool is_bulk(const FirstWords *first, size_t length)
{
    return length > PARSE_MAX_BYTES &&
           (word_is(first, 0, "insert") || word_is(first, 0, "values") ||
            word_is(first, 0, "update") || word_is(first, 0, "with"));
}

static bool parse(Classifier *now, json_t **tree, Error *err)
{
    PgQueryParseResult parsed = pg_query_parse(now->text);
    bool ok = parsed.error ? parse_failed(parsed.error, err)
                           : see_tree(now, parsed.parse_tree, tree) || fail_nested(err);
    pg_query_free_parse_result(parsed);
    return ok;
}

void statement_read(Arena *arena, const char *text, size_t length, Statement *statement,
                    json_t **tree, Error *syntax)
{
    *statement = (Statement){.kind = STATEMENT_ORDINARY, .tag = "statement", .analysed = true};
    FirstWords first;
    read_first_words(&first, text, length);
    if (is_bulk(&first, length))
        return;
    Error why = {0};
    statement->analysed = !is_nested_deeply(text, length) || fail_nested(&why);
    if (statement->analysed) {
        _cleanup_free_ char *terminated = strndup(text, length);
        assert(terminated);
        Classifier now = {arena, terminated, length, NULL, statement};
        statement->analysed = parse(&now, tree, &why);
    }
    if (statement->analysed)
        return;
    if (syntax)
        *syntax = why;
    classify_by_words(&first, statement);
}

void statement_classify(Arena *arena, const char *text, size_t length, Statement *statement,
                        Error *syntax)
{
    statement_read(arena, text, length, statement, NULL, syntax);
}
