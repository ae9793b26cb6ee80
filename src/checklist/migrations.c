#include "flows/migrations.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "checklist/facts.h"
#include "pg/watch.h"
#include "state/evidence.h"

#define SHOWN              3
#define COMPLEX_STATEMENTS 10
#define DOCUMENT_MAX       ((size_t)4 << 20)
#define GIT_TIMEOUT_MS     20000
#define GIT_OUTPUT_MAX     ((size_t)1 << 20)
#define LEDGER_TIME_SIZE   19 /* "2026-11-23T02:00:00" */

/* NULL (with the outcome SKIP) when there is no folder of migrations. */
static bool find_folder(Facts *facts, CheckOutcome *outcome, const char **folder, Error *err)
{
    const ChecklistSpec *spec = facts->spec;
    if (!migrations_locate(facts->arena, spec->config, spec->env, folder, err))
        return false;
    if (file_is_directory(*folder))
        return true;
    check_fix(facts, outcome, "migrations = FOLDER      (in vaxdb.ini), or vaxdb migrate new NAME");
    (void)check_skip(facts, outcome, "there is no folder of migrations");
    *folder = NULL;
    return true;
}

static bool read_status(Facts *facts, const ChecklistSpec *spec, EnvKind env, Session *session,
                        const char *folder, MigrateStatus *status, Error *err)
{
    return migrate_status(facts->arena, session, folder,
                          config_text(spec->config, env, "ledger_table"), status, err);
}

static const char *count_of(Facts *facts, const MigrateStatus *status, MigrationState state)
{
    return arena_printf(facts->arena, "%zu %s", migrate_status_count(status, state),
                        migration_state_name(state));
}

/* The ledger is looked for in the session's schemas, as the runner does. */
static bool status_here(Facts *facts, const char *folder, MigrateStatus *status, Error *err)
{
    Session *session = facts->spec->session;
    if (!session_execute(session, "RESET search_path", err))
        return false;
    bool done = read_status(facts, facts->spec, facts->spec->env, session, folder, status, err);
    Error ignored = {0};
    return watch_begin(session, done ? err : &ignored) && done;
}

bool probe_migrations_tracked(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const char *folder = NULL;
    MigrateStatus status;
    if (!find_folder(facts, outcome, &folder, err))
        return false;
    if (!folder)
        return true;
    if (!status_here(facts, folder, &status, err))
        return false;
    if (!status.files.count && !status.entry_count)
        return check_skip(facts, outcome, "%s has no migrations", folder);
    if (!status.ledger.exists) {
        check_fix(facts, outcome, "vaxdb migrate up%s", facts->spec->flags);
        return check_fail(facts, outcome, "this database has no ledger (%s)", status.ledger.plain);
    }
    size_t bad = migrate_status_count(&status, MIGRATION_MISSING) +
                 migrate_status_count(&status, MIGRATION_CHANGED) +
                 migrate_status_count(&status, MIGRATION_PARTIAL);
    const char *seen = arena_printf(
        facts->arena, "%s, %s, %s, %s, %s", count_of(facts, &status, MIGRATION_APPLIED),
        count_of(facts, &status, MIGRATION_PENDING), count_of(facts, &status, MIGRATION_CHANGED),
        count_of(facts, &status, MIGRATION_MISSING), count_of(facts, &status, MIGRATION_PARTIAL));
    if (bad)
        return check_fail(facts, outcome, "%s", seen);
    if (migrate_status_count(&status, MIGRATION_PENDING)) {
        check_fix(facts, outcome, "vaxdb migrate up%s", facts->spec->flags);
        return check_warn(facts, outcome, "%s", seen);
    }
    return check_pass(facts, outcome, "%s", seen);
}

static bool scan_files(Facts *facts, CheckOutcome *outcome, MigrationFiles *files, bool *found,
                       Error *err)
{
    const char *folder = NULL;
    *found = false;
    if (!find_folder(facts, outcome, &folder, err))
        return false;
    if (!folder)
        return true;
    if (!migration_files_scan(facts->arena, folder, files, err))
        return false;
    *found = files->count > 0;
    if (!*found)
        (void)check_skip(facts, outcome, "%s has no migrations", folder);
    return true;
}

bool probe_migrations_down(Facts *facts, CheckOutcome *outcome, Error *err)
{
    MigrationFiles files;
    bool found = false;
    if (!scan_files(facts, outcome, &files, &found, err))
        return false;
    if (!found)
        return true;
    StrList without;
    str_list_init(&without, facts->arena);
    for (size_t i = 0; i < files.count; i++) {
        if (!files.items[i].down_path)
            str_list_add(&without, files.items[i].name);
    }
    if (!without.count)
        return check_pass(facts, outcome, "each of %zu has one", files.count);
    check_fix(facts, outcome, "write %s/%.*s.down.sql", files.directory,
              (int)(strlen(without.items[0]) - strlen(".sql")), without.items[0]);
    return check_fail(facts, outcome, "%zu of %zu have none: %s", without.count, files.count,
                      facts_some(facts->arena, &without, SHOWN));
}

/* Staging proved the file as production has it, or a baseline says that production had it when it
 * was taken over. */
static bool is_proved(Facts *facts, const LedgerEntry *entry, bool *proved, Error *err)
{
    Evidence *items = NULL;
    size_t count = 0;
    *proved = false;
    if (!state_evidence_list(facts->spec->state, facts->arena, entry->name, &items, &count, err))
        return false;
    for (size_t i = 0; i < count && !*proved; i++) {
        bool up = str_equal(items[i].kind, "up") &&
                  str_equal(items[i].env, env_name(ENV_STAGING)) &&
                  (str_equal(items[i].roundtrip, "passed") ||
                   str_equal(items[i].roundtrip, "not_possible"));
        bool baseline = str_equal(items[i].kind, "baseline") &&
                        str_equal(items[i].env, env_name(ENV_PRODUCTION));
        *proved = (up || baseline) && str_equal(items[i].up_checksum, entry->checksum);
    }
    return true;
}

typedef struct {
    const LedgerEntry **items; /* of production, that no evidence speaks for */
    size_t count;
} Unproved;

static bool find_unproved(Facts *facts, const MigrateStatus *production, Unproved *unproved,
                          Error *err)
{
    unproved->items = arena_array(facts->arena, production->entry_count, sizeof(*unproved->items));
    unproved->count = 0;
    for (size_t i = 0; i < production->entry_count; i++) {
        bool proved = false;
        if (!is_proved(facts, &production->entries[i], &proved, err))
            return false;
        if (!proved)
            unproved->items[unproved->count++] = &production->entries[i];
    }
    return true;
}

/* What was run before there was evidence, or with --skip-staging, can be in staging all the same.
 */
static void compare_ledgers(const Unproved *unproved, const MigrateStatus *staging,
                            StrList *differing)
{
    for (size_t i = 0; i < unproved->count; i++) {
        const LedgerEntry *entry = unproved->items[i];
        bool same = false;
        for (size_t s = 0; s < staging->entry_count; s++)
            same = same || (str_equal(staging->entries[s].name, entry->name) &&
                            str_equal(staging->entries[s].checksum, entry->checksum));
        if (!same)
            str_list_add(differing, entry->name);
    }
}

/* A session with staging, which is only looked at. */
static bool status_of_staging(Facts *facts, const char *folder, MigrateStatus *status, Error *err)
{
    const ChecklistSpec *spec = facts->spec;
    _cleanup_session_ Session *session = NULL;
    Target target;
    return target_resolve(facts->arena, spec->log, spec->config, ENV_STAGING, NULL, &target, err) &&
           target_connect(facts->arena, spec->log, spec->state, &target, &session, err) &&
           watch_begin(session, err) && session_execute(session, "RESET search_path", err) &&
           read_status(facts, spec, ENV_STAGING, session, folder, status, err);
}

static bool judge_unproved(Facts *facts, CheckOutcome *outcome, const char *folder,
                           const MigrateStatus *production, const Unproved *unproved)
{
    MigrateStatus staging;
    Error unreachable = {0};
    StrList differing;
    str_list_init(&differing, facts->arena);
    if (!config_text(facts->spec->config, ENV_STAGING, "url")) {
        check_fix(facts, outcome, "url = postgresql://...      (under [staging] in vaxdb.ini)");
        return check_skip(facts, outcome,
                          "no database is configured for staging, and there is no evidence of %zu "
                          "of %zu",
                          unproved->count, production->entry_count);
    }
    if (!status_of_staging(facts, folder, &staging, &unreachable))
        return check_skip(facts, outcome,
                          "there is no evidence of %zu of %zu, and staging could not be looked at: "
                          "%s",
                          unproved->count, production->entry_count, unreachable.message);
    compare_ledgers(unproved, &staging, &differing);
    if (differing.count)
        return check_fail(facts, outcome,
                          "in production without evidence, and not the same in staging: %s",
                          facts_some(facts->arena, &differing, SHOWN));
    return check_pass(facts, outcome,
                      "of %zu in production %zu are proved by evidence, the others in staging with "
                      "equal checksums",
                      production->entry_count, production->entry_count - unproved->count);
}

bool probe_migrations_staging(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const ChecklistSpec *spec = facts->spec;
    const char *folder = NULL;
    MigrateStatus production;
    Unproved unproved;
    if (spec->env != ENV_PRODUCTION) {
        check_fix(facts, outcome, "vaxdb checklist -e production migrations.staging-first");
        return check_skip(facts, outcome, "asked of production only; this is %s",
                          env_name(spec->env));
    }
    if (!find_folder(facts, outcome, &folder, err))
        return false;
    if (!folder)
        return true;
    if (!status_here(facts, folder, &production, err))
        return false;
    if (!production.entry_count)
        return check_skip(facts, outcome, "nothing was applied to production yet");
    if (!find_unproved(facts, &production, &unproved, err))
        return false;
    if (unproved.count)
        return judge_unproved(facts, outcome, folder, &production, &unproved);
    return check_pass(facts, outcome, "evidence proves all %zu of production",
                      production.entry_count);
}

/* The ledger's times are without a zone, in the session's; the session is asked for UTC. */
static bool last_applied(Facts *facts, int64_t *unix_s, Error *err)
{
    const ChecklistSpec *spec = facts->spec;
    Ledger ledger;
    const char *text = NULL;
    *unix_s = 0;
    if (!session_execute(spec->session, "RESET search_path", err) ||
        !ledger_find(facts->arena, spec->session,
                     config_text(spec->config, spec->env, "ledger_table"), &ledger, err))
        return false;
    if (!ledger.exists)
        return watch_begin(spec->session, err);
    const char *sql = arena_printf(
        facts->arena, "SELECT extract(epoch FROM max(applied_at)::timestamptz)::bigint FROM %s",
        ledger.table);
    if (!session_scalar(spec->session, facts->arena, sql, &text, err) ||
        !watch_begin(spec->session, err))
        return false;
    if (text && !str_to_int64(text, 0, INT64_MAX, unix_s))
        return error_set(err, ERR_FAILED, "the ledger's times cannot be read");
    return true;
}

bool probe_migrations_backup(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const ChecklistSpec *spec = facts->spec;
    int64_t applied = 0;
    const BackupList *list = NULL;
    if (spec->env != ENV_PRODUCTION) {
        check_fix(facts, outcome, "vaxdb checklist -e production migrations.backup-first");
        return check_skip(facts, outcome, "asked of production only; this is %s",
                          env_name(spec->env));
    }
    if (!last_applied(facts, &applied, err) || !facts_backups(facts, &list, err))
        return false;
    if (!applied)
        return check_skip(facts, outcome, "nothing was applied to production yet");
    const char *when = clock_iso_utc(facts->arena, applied);
    for (size_t i = 0; i < list->count; i++) {
        const Manifest *manifest = &list->items[i].manifest;
        if (manifest->finished_at <= applied && applied - manifest->finished_at <= DAY_S)
            return check_pass(facts, outcome, "the last migration was at %s, after %s", when,
                              manifest->file);
    }
    return check_fail(facts, outcome,
                      "the last migration was at %s, and no backup was made in the 24 hours before",
                      when);
}

static bool mentions_rollback(Arena *arena, const char *path)
{
    char *text = NULL;
    Error ignored = {0};
    if (!str_ends(path, ".md") || file_is_directory(path) ||
        !file_read(arena, path, DOCUMENT_MAX, &text, NULL, &ignored))
        return false;
    return strcasestr(text, "rollback") || strcasestr(text, "roll back") ||
           strcasestr(text, "rolling back");
}

static const char *document_in(Arena *arena, const char *folder)
{
    StrList names;
    str_list_init(&names, arena);
    Error ignored = {0};
    if (!file_is_directory(folder) || !directory_list(arena, folder, &names, &ignored))
        return NULL;
    for (size_t i = 0; i < names.count; i++) {
        const char *path = path_join(arena, folder, names.items[i]);
        if (mentions_rollback(arena, path))
            return path;
    }
    return NULL;
}

bool probe_migrations_rollback(Facts *facts, CheckOutcome *outcome, Error *err)
{
    Arena *arena = facts->arena;
    const char *folder = NULL;
    if (!find_folder(facts, outcome, &folder, err))
        return false;
    if (!folder)
        return true;
    const char *home = config_directory(facts->spec->config);
    const char *const folders[] = {folder, path_join(arena, home, "docs"), home};
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        const char *document = document_in(arena, folders[i]);
        if (document)
            return check_pass(facts, outcome, "written about in %s", document);
    }
    return check_warn(facts, outcome, "no .md file in %s, %s or %s has a word about it", folders[0],
                      folders[1], folders[2]);
}

/* Lines of git's answer; ok false (with the outcome SKIP or FAIL) when git gave none. */
static bool ask_git(Facts *facts, CheckOutcome *outcome, const char *folder, StrList *lines,
                    bool *ok, Error *err)
{
    _cleanup_buffer_ Buffer out = {0};
    _cleanup_buffer_ Buffer complaint = {0};
    buffer_init(&out, GIT_OUTPUT_MAX);
    buffer_init(&complaint, GIT_OUTPUT_MAX);
    const char *const argv[] = {"git", "-C", folder, "status", "--porcelain", "--", ".", NULL};
    ProcessSpec spec = {.argv = argv, .timeout_ms = GIT_TIMEOUT_MS};
    int status = 0;
    *ok = false;
    if (!process_run(&spec, &out, &complaint, &status, err))
        return false;
    if (status != 0 && strstr(complaint.data, "not a git repository"))
        return check_fail(facts, outcome, "%s is not in a git repository", folder);
    if (status != 0)
        return check_skip(facts, outcome, "git does not answer: %s",
                          str_one_line(facts->arena, complaint.data, 120));
    str_split(lines, out.data, "\n");
    *ok = true;
    return true;
}

bool probe_migrations_versioned(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const char *folder = NULL;
    if (!find_folder(facts, outcome, &folder, err))
        return false;
    if (!folder)
        return true;
    if (!process_find(facts->arena, "git"))
        return check_skip(facts, outcome, "git is not installed here");
    check_fix(facts, outcome, "git add %s && git commit", folder);
    StrList lines, unknown, changed;
    str_list_init(&lines, facts->arena);
    str_list_init(&unknown, facts->arena);
    str_list_init(&changed, facts->arena);
    bool ok = false;
    if (!ask_git(facts, outcome, folder, &lines, &ok, err))
        return false;
    for (size_t i = 0; i < lines.count; i++) {
        const char *line = lines.items[i];
        str_list_add(str_starts(line, "??") ? &unknown : &changed, path_basename(line));
    }
    if (!ok)
        return true;
    if (unknown.count)
        return check_fail(facts, outcome, "not known to git: %s",
                          facts_some(facts->arena, &unknown, SHOWN));
    if (changed.count)
        return check_warn(facts, outcome, "changed since the last commit: %s",
                          facts_some(facts->arena, &changed, SHOWN));
    return check_pass(facts, outcome, "git knows all of %s, unchanged", folder);
}

static bool begins_with_comment(const char *text)
{
    text += strspn(text, " \t\r\n");
    return str_starts(text, "--") || str_starts(text, "/*");
}

/* More than a few statements, or words of statements that are not plain definitions. The words are
 * looked for in the text, so that a comment may make a file complex: then it has one. */
static bool is_complex(const char *text)
{
    static const char *const words[] = {
        "\nDO ",     "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", "\nUPDATE ", "\nDELETE ",
        "\nINSERT ", "\nMERGE ",        "CREATE PROCEDURE",           "\nCOPY "};
    size_t statements = 0;
    for (const char *byte = text; *byte; byte++)
        statements += *byte == ';';
    if (statements > COMPLEX_STATEMENTS)
        return true;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        const char *word = words[i];
        bool at_start = *word == '\n' && strncasecmp(text, word + 1, strlen(word + 1)) == 0;
        if (at_start || strcasestr(text, word))
            return true;
    }
    return false;
}

bool probe_migrations_commented(Facts *facts, CheckOutcome *outcome, Error *err)
{
    MigrationFiles files;
    bool found = false;
    if (!scan_files(facts, outcome, &files, &found, err))
        return false;
    if (!found)
        return true;
    StrList bare;
    str_list_init(&bare, facts->arena);
    size_t complex_count = 0;
    for (size_t i = 0; i < files.count; i++) {
        char *text = NULL;
        size_t length = 0;
        char checksum[HASH_HEX_SIZE];
        if (!migration_text_read(facts->arena, files.items[i].path, &text, &length, checksum, NULL,
                                 err))
            return false;
        if (!is_complex(text))
            continue;
        complex_count++;
        if (!begins_with_comment(text))
            str_list_add(&bare, files.items[i].name);
    }
    if (bare.count) {
        check_fix(facts, outcome, "begin %s with a comment: what it changes and why",
                  bare.items[0]);
        return check_warn(facts, outcome, "complex and without a comment at the top: %s",
                          facts_some(facts->arena, &bare, SHOWN));
    }
    return check_pass(facts, outcome, "%zu of %zu are complex, each begins with a comment",
                      complex_count, files.count);
}
