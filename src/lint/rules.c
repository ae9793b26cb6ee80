#include "lint/engine.h"

#include "base/str.h"

#include <assert.h>
#include <pthread.h>

static const LintRule *const rule_tables[] = {
    lint_rules_engine,
    lint_rules_folder,
    lint_rules_index,
    lint_rules_alter,
    lint_rules_table,
    lint_rules_type,
    lint_rules_process,
    lint_rules_exist,
    lint_rules_keys,
    lint_rules_rows,
    NULL,
};

const LintCheck *const lint_check_tables[] = {
    lint_checks_index, lint_checks_alter,   lint_checks_table,
    lint_checks_type,  lint_checks_process, lint_checks_exist,
    lint_checks_keys,  lint_checks_rows,    NULL,
};

/* What the engine itself finds. */
const LintRule lint_rules_engine[] = {
    {"syntax-error", LINT_ERROR, false, true, "the server would refuse the statement as it stands",
     "mend the statement at the place shown"},
    {"index-expression-parentheses", LINT_ERROR, false, true,
     "an index key that is neither a column nor a function call needs parentheses of its own",
     "write CREATE INDEX ... ON t ((a + b)): one more pair of parentheses"},
    {"psql-meta-command", LINT_ERROR, false, true,
     "only psql knows commands that begin with a backslash; the server would refuse them",
     "write the SQL itself"},
    {"unreadable-sql", LINT_ERROR, false, true,
     "a quote, comment or COPY without its end leaves no telling where a statement ends",
     "close it; is the file cut off?"},
    {"unreadable-file", LINT_ERROR, false, true, "a migration is a file of UTF-8 text",
     "save it as UTF-8"},
    {"statement-refused", LINT_ERROR, false, true,
     "what changes how strings are read, or writes to the terminal, cannot run in a migration",
     "take it out of the file"},
    {"transaction-mode", LINT_ERROR, false, true,
     "a file runs in one transaction or statement by statement; this one does not fit either",
     "split the file, or begin it with `-- migrate:transaction none`"},
    {"transaction-control-in-file", LINT_ERROR, false, true,
     "a file runs in one transaction; its own BEGIN or COMMIT would end it half-way",
     "take it out, or begin the file with `-- migrate:transaction none` to run it as written"},
    {"not-analysed", LINT_INFO, true, false,
     "the statement is newer than the grammar that the rules read; it runs, unjudged",
     "read it twice"},
    {"unused-ignore", LINT_WARNING, false, false,
     "an ignore comment that leaves nothing out hides the next finding of that rule",
     "take the comment out"},
    {"ignore-without-reason", LINT_WARNING, false, false,
     "an ignore comment without a reason is not followed: nobody could tell later whether it holds",
     "write why behind the rule: -- lint:ignore RULE the table has 12 rows"},
    {0},
};

#define RULES_MAX 256

static const LintRule *all[RULES_MAX];
static size_t all_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int compare_rules(const void *a, const void *b)
{
    return strcmp((*(const LintRule *const *)a)->id, (*(const LintRule *const *)b)->id);
}

static void collect(void)
{
    for (const LintRule *const *table = rule_tables; *table; table++) {
        for (const LintRule *row = *table; row->id; row++) {
            assert(all_count < RULES_MAX);
            all[all_count++] = row;
        }
    }
    qsort(all, all_count, sizeof(all[0]), compare_rules);
}

const LintRule *const *lint_rules(size_t *count)
{
    (void)pthread_once(&once, collect);
    *count = all_count;
    return all;
}

static int compare_id(const void *id, const void *row)
{
    return strcmp(id, (*(const LintRule *const *)row)->id);
}

const LintRule *lint_rule_find(const char *id)
{
    size_t count = 0;
    const LintRule *const *rules = lint_rules(&count);
    const LintRule *const *found = bsearch(id, rules, count, sizeof(*rules), compare_id);
    return found ? *found : NULL;
}
