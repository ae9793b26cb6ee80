#include "migrate/foreign.h"

#include "base/str.h"
#include "sql_texts.h"

#include <string.h>

#define TIME_TEXT(COLUMN)                                                                          \
    "to_char(" COLUMN "::timestamp, 'YYYY-MM-DD\"T\"HH24:MI:SS.US') AS applied_at"

static const char *const tools[] = {"dbmate", "golang-migrate", "Flyway", "Sqitch"};

/* clang-format off */
/* Of Flyway the latest word on each version or repeatable script counts: it may have been undone,
 * or deleted, since it ran. */
static const char *const queries[] = {
    "SELECT version::text AS name, version::text AS version, NULL AS applied_at, NULL AS checksum, "
    "true AS fine, false AS and_before FROM %s ORDER BY version",
    "SELECT version::text AS name, version::text AS version, NULL AS applied_at, NULL AS checksum, "
    "NOT dirty AS fine, true AS and_before FROM %s ORDER BY version",
    "SELECT name, version, applied_at, checksum, fine, type LIKE '%BASELINE' AS and_before FROM "
    "(SELECT DISTINCT ON (coalesce(version, "
    "script)) script AS name, version, checksum::text AS checksum, success AS fine, type, "
    "installed_rank, " TIME_TEXT("installed_on")
    " FROM %s ORDER BY coalesce(version, script), installed_rank DESC) AS latest WHERE NOT fine OR "
    "(type NOT IN ('SCHEMA', 'DELETE') AND type NOT LIKE 'UNDO%') ORDER BY installed_rank",
    "SELECT change AS name, NULL AS version, NULL AS checksum, true AS fine, false AS and_before, "
    TIME_TEXT("committed_at") " FROM %s WHERE project = $1 ORDER BY committed_at",
};
/* clang-format on */

/* ---- which tool -------------------------------------------------------------------------- */

static bool known_tool(const char *name, ForeignTool *tool)
{
    for (size_t i = 0; name && i < COUNT_OF(tools); i++) {
        if (!str_equal(name, tools[i]))
            continue;
        *tool = (ForeignTool)i;
        return true;
    }
    return false;
}

bool foreign_refuse_place(Session *session, const char *relation, const char *ledger_table,
                          Error *err)
{
    _cleanup_result_ Result *found = NULL;
    const char *params[] = {relation, ledger_table};
    ForeignTool tool = FOREIGN_DBMATE;
    if (!session_query_params(session, sql_migrate_foreign_find, 2, params, &found, err))
        return false;
    if (!known_tool(result_text(found, 0, "tool"), &tool)) {
        (void)error_set(err, ERR_REFUSED,
                        "the table %s is not a ledger of vaxdb: its columns differ", ledger_table);
        return error_hint(err, "name a table of our own in vaxdb.ini: "
                               "ledger_table = vaxdb_migrations");
    }
    (void)error_set(err, ERR_REFUSED, "%s is %s's ledger and would be vaxdb's too", ledger_table,
                    tools[tool]);
    return error_hint(err,
                      "give ours another name in vaxdb.ini,\n"
                      "      ledger_table = vaxdb_migrations\n"
                      "  then take over what %s ran: vaxdb migrate baseline --from %s",
                      tools[tool], ledger_table);
}

static bool find_tool(const Result *rows, const char *from, ForeignTool *tool, Error *err)
{
    const char *name = result_text(rows, 0, "tool");
    if (result_is_null(rows, 0, "relation"))
        return error_set(err, ERR_USAGE, "there is no table %s in this database", from);
    if (known_tool(name, tool))
        return true;
    if (name && result_bool(rows, 0, "is_ours")) {
        *tool = FOREIGN_SCRIPT;
        return true;
    }
    if (name) {
        (void)error_set(err, ERR_USAGE, "%s is a ledger as vaxdb has it", from);
        return error_hint(err,
                          "set ledger_table = %s in vaxdb.ini, then run this again: its "
                          "entries are checked and taken over where they are",
                          from);
    }
    (void)error_set(err, ERR_USAGE, "%s is no ledger of a tool that is known", from);
    return error_hint(err, "known are dbmate, golang-migrate, Flyway and Sqitch (--from sqitch); "
                           "or name the newest applied migration with --to MIGRATION");
}

/* ---- the projects of Sqitch -------------------------------------------------------------- */

static bool refuse_project(Arena *arena, const Result *rows, const char *from, const char *project,
                           Error *err)
{
    StrList names;
    str_list_init(&names, arena);
    for (size_t i = 0; i < result_rows(rows); i++)
        str_list_add(&names, result_text(rows, i, "project"));
    if (project)
        (void)error_set(err, ERR_USAGE, "%s has no project %s, but %s", from, project,
                        names.count ? str_list_join(&names, arena, ", ") : "none at all");
    else
        (void)error_set(err, ERR_USAGE, "%s has changes of %zu projects: %s", from, names.count,
                        str_list_join(&names, arena, ", "));
    return error_hint(err,
                      "say whose folder this is: vaxdb migrate baseline --from %s --project "
                      "%s",
                      from, names.count ? names.items[0] : "NAME");
}

/* Two projects of one ledger may have changes of the same name. */
static bool find_project(Arena *arena, Session *session, const char *from, const char *relation,
                         const char **project, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(
            session,
            arena_printf(arena, "SELECT DISTINCT project FROM %s ORDER BY project", relation),
            &rows, err))
        return error_context(err, "cannot read the ledger %s", from);
    size_t count = result_rows(rows);
    if (!*project && count < 2) {
        *project = count ? arena_strdup(arena, result_text(rows, 0, "project")) : "";
        return true;
    }
    for (size_t i = 0; *project && i < count; i++) {
        if (str_equal(result_text(rows, i, "project"), *project))
            return true;
    }
    return refuse_project(arena, rows, from, *project, err);
}

/* ---- its entries ------------------------------------------------------------------------- */

static bool refuse_failed(ForeignTool tool, const char *name, Error *err)
{
    (void)error_set(err, ERR_REFUSED, "%s's ledger says that %s failed half way", tools[tool],
                    name);
    if (tool == FOREIGN_FLYWAY)
        return error_hint(err, "undo by hand what it left, run `flyway repair`, then this again");
    return error_hint(
        err, "finish or undo by hand what it left, say which with `migrate force VERSION`, "
             "then run this again");
}

static const char *copy_text(Arena *arena, const Result *rows, size_t row, const char *column)
{
    const char *text = result_text(rows, row, column);
    return text ? arena_strdup(arena, text) : NULL;
}

static bool take_entries(Arena *arena, const Result *rows, Foreign *foreign, Error *err)
{
    foreign->count = result_rows(rows);
    foreign->entries = arena_array(arena, foreign->count, sizeof(*foreign->entries));
    for (size_t i = 0; i < foreign->count; i++) {
        ForeignEntry *entry = &foreign->entries[i];
        *entry = (ForeignEntry){.name = copy_text(arena, rows, i, "name"),
                                .version = copy_text(arena, rows, i, "version"),
                                .applied_at = copy_text(arena, rows, i, "applied_at"),
                                .checksum = copy_text(arena, rows, i, "checksum"),
                                .and_before = result_bool(rows, i, "and_before")};
        if (!result_bool(rows, i, "fine"))
            return refuse_failed(foreign->tool, entry->name, err);
    }
    return true;
}

static const char *query_of(Arena *arena, ForeignTool tool, const char *relation)
{
    const char *text = queries[tool];
    const char *at = strstr(text, "%s");
    const char *before = arena_strndup(arena, text, (size_t)(at - text));
    return arena_printf(arena, "%s%s%s", before, relation, at + 2);
}

static bool read_entries(Arena *arena, Session *session, const BaselineSpec *spec,
                         const char *relation, Foreign *foreign, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    const char *project = spec->project;
    bool sqitch = foreign->tool == FOREIGN_SQITCH;
    if (sqitch && !find_project(arena, session, spec->from, relation, &project, err))
        return false;
    if (!sqitch && project)
        return error_set(err, ERR_USAGE, "--project is for Sqitch, and %s is %s's ledger",
                         spec->from, tools[foreign->tool]);
    const char *params[] = {project};
    if (!session_query_params(session, query_of(arena, foreign->tool, relation), sqitch ? 1 : 0,
                              params, &rows, err))
        return error_context(err, "cannot read the ledger %s", spec->from);
    return take_entries(arena, rows, foreign, err);
}

bool foreign_read(Arena *arena, Session *session, const BaselineSpec *spec,
                  const char *ledger_table, Foreign *foreign, Error *err)
{
    _cleanup_result_ Result *found = NULL;
    const char *params[] = {spec->from, ledger_table};
    *foreign = (Foreign){0};
    if (!session_query_params(session, sql_migrate_foreign_find, 2, params, &found, err) ||
        !find_tool(found, spec->from, &foreign->tool, err))
        return false;
    if (foreign->tool == FOREIGN_SCRIPT)
        return true;
    if (result_bool(found, 0, "is_ours"))
        return foreign_refuse_place(session, spec->from, ledger_table, err);
    return read_entries(arena, session, spec, result_text(found, 0, "relation"), foreign, err);
}

/* ---- under their usual names ------------------------------------------------------------- */

static bool warn_of(Arena *arena, Session *session, const char *relation, MigrateStatus *status,
                    Error *err)
{
    _cleanup_result_ Result *found = NULL;
    _cleanup_result_ Result *rows = NULL;
    const char *params[] = {relation, status->ledger.plain};
    if (!session_query_params(session, sql_migrate_foreign_find, 2, params, &found, err) ||
        !session_query(session, arena_printf(arena, "SELECT FROM %s LIMIT 1", relation), &rows,
                       err))
        return false;
    const char *tool = result_text(found, 0, "tool");
    if (!tool || result_bool(found, 0, "is_ours") || result_rows(rows) == 0)
        return true;
    if (str_equal(tool, "vaxdb"))
        str_list_addf(&status->adoptable,
                      "%s is a ledger as vaxdb has it, and not empty; is it this folder's? Then "
                      "set ledger_table = %s in vaxdb.ini",
                      relation, relation);
    else
        str_list_addf(&status->adoptable,
                      "this database has been migrated by %s: vaxdb migrate baseline --from %s",
                      tool, relation);
    return true;
}

bool foreign_find_others(Arena *arena, Session *session, MigrateStatus *status, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (status->entry_count > 0)
        return true;
    if (!session_query(session, sql_migrate_foreign_usual, &rows, err))
        return error_context(err, "looking for the ledgers of other tools");
    for (size_t i = 0; i < result_rows(rows); i++) {
        if (!warn_of(arena, session, result_text(rows, i, "relation"), status, err))
            return error_context(err, "looking for the ledgers of other tools");
    }
    return true;
}

/* ---- entries and files ------------------------------------------------------------------- */

/* CRC-32 (IEEE 802.3) over the bytes of the lines, without their ends, as a signed number. */
static int64_t crc_of_lines(const char *text, size_t length)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n' || text[i] == '\r')
            continue;
        crc ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320U : 0);
    }
    int64_t sum = (int64_t)(crc ^ UINT32_MAX);
    return sum > INT32_MAX ? sum - ((int64_t)UINT32_MAX + 1) : sum;
}

bool foreign_same_text(Arena *arena, const ForeignEntry *entry, const MigrationFile *file,
                       bool *same, Error *err)
{
    _cleanup_arena_ Arena *scratch = arena_create();
    char *text = NULL;
    size_t length = 0;
    char hex[HASH_HEX_SIZE];
    *same = true;
    if (!entry->checksum)
        return true;
    if (!migration_text_read(scratch, file->path, &text, &length, hex, NULL, err))
        return false;
    const char *sum = arena_printf(arena, "%lld", (long long)crc_of_lines(text, length));
    *same = str_equal(sum, entry->checksum);
    return true;
}
