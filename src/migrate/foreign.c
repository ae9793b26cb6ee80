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
    "true AS fine FROM %s ORDER BY version",
    "SELECT version::text AS name, version::text AS version, NULL AS applied_at, NULL AS checksum, "
    "NOT dirty AS fine FROM %s ORDER BY version",
    "SELECT name, version, applied_at, checksum, fine FROM (SELECT DISTINCT ON (coalesce(version, "
    "script)) script AS name, version, checksum::text AS checksum, success AS fine, type, "
    "installed_rank, " TIME_TEXT("installed_on")
    " FROM %s ORDER BY coalesce(version, script), installed_rank DESC) AS latest WHERE NOT fine OR "
    "(type NOT IN ('SCHEMA', 'DELETE') AND type NOT LIKE 'UNDO%') ORDER BY installed_rank",
    "SELECT change AS name, NULL AS version, NULL AS checksum, true AS fine, " TIME_TEXT(
        "committed_at") " FROM %s ORDER BY committed_at",
};
/* clang-format on */

/* ---- which tool -------------------------------------------------------------------------- */

static bool refuse_ours(const char *from, const char *ledger_table, const char *tool, Error *err)
{
    (void)error_set(err, ERR_USAGE,
                    "%s is %s's ledger and would be vaxdb's too (ledger_table = %s)", from, tool,
                    ledger_table);
    return error_hint(err, "give ours another name, then run this again; the line for vaxdb.ini:\n"
                           "      ledger_table = vaxdb_migrations");
}

static bool find_tool(const Result *rows, const char *from, const char *ledger_table,
                      ForeignTool *tool, Error *err)
{
    const char *name = result_text(rows, 0, "tool");
    if (result_is_null(rows, 0, "relation"))
        return error_set(err, ERR_USAGE, "there is no table %s in this database", from);
    for (size_t i = 0; name && i < COUNT_OF(tools); i++) {
        if (!str_equal(name, tools[i]))
            continue;
        *tool = (ForeignTool)i;
        return !result_bool(rows, 0, "is_ours") || refuse_ours(from, ledger_table, name, err);
    }
    if (name) {
        (void)error_set(err, ERR_USAGE, "%s is a ledger as vaxdb has it", from);
        return error_hint(err, "set ledger_table = %s in vaxdb.ini: its entries count as they are",
                          from);
    }
    (void)error_set(err, ERR_USAGE, "%s is no ledger of a tool that is known", from);
    return error_hint(err, "known are dbmate, golang-migrate, Flyway and Sqitch (--from sqitch); "
                           "or name the newest applied migration with --to MIGRATION");
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
                                .checksum = copy_text(arena, rows, i, "checksum")};
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

bool foreign_read(Arena *arena, Session *session, const char *from, const char *ledger_table,
                  Foreign *foreign, Error *err)
{
    _cleanup_result_ Result *found = NULL;
    _cleanup_result_ Result *rows = NULL;
    const char *params[] = {from, ledger_table};
    *foreign = (Foreign){0};
    if (!session_query_params(session, sql_migrate_foreign_find, 2, params, &found, err) ||
        !find_tool(found, from, ledger_table, &foreign->tool, err))
        return false;
    const char *relation = result_text(found, 0, "relation");
    if (!session_query(session, query_of(arena, foreign->tool, relation), &rows, err))
        return error_context(err, "cannot read the ledger %s", from);
    return take_entries(arena, rows, foreign, err);
}

/* ---- entries and files ------------------------------------------------------------------- */

/* Two numbers in front of texts, of any length. */
static int compare_numbers(const char *a, const char *b)
{
    a += strspn(a, "0");
    b += strspn(b, "0");
    size_t one = strspn(a, "0123456789"), two = strspn(b, "0123456789");
    return one == two ? strncmp(a, b, one) : (one > two) - (one < two);
}

/* Can the two be compared by number? Flyway has versions such as 1.1. */
static bool is_number(const char *file, const char *version)
{
    return version && *version && strspn(version, "0123456789") == strlen(version) &&
           strspn(file, "0123456789") > 0;
}

/* "users" is users.sql, and 001_users.sql. */
static bool is_change(const char *change, const char *file)
{
    size_t digits = strspn(file, "0123456789");
    const char *rest = digits && strchr("_-", file[digits]) ? file + digits + 1 : file;
    size_t length = strlen(change);
    return (strncmp(file, change, length) == 0 && str_equal(file + length, ".sql")) ||
           (strncmp(rest, change, length) == 0 && str_equal(rest + length, ".sql"));
}

static bool is_script(const char *script, const char *file)
{
    const char *slash = strrchr(script, '/');
    return str_equal(slash ? slash + 1 : script, file);
}

bool foreign_names(const Foreign *foreign, const ForeignEntry *entry, const MigrationFile *file)
{
    if (foreign->tool == FOREIGN_SQITCH)
        return is_change(entry->name, file->name);
    if (foreign->tool == FOREIGN_FLYWAY && is_script(entry->name, file->name))
        return true;
    return is_number(file->name, entry->version) &&
           compare_numbers(file->name, entry->version) == 0;
}

bool foreign_matches(const Foreign *foreign, const ForeignEntry *entry, const MigrationFile *file)
{
    if (foreign->tool != FOREIGN_GOLANG)
        return foreign_names(foreign, entry, file);
    return is_number(file->name, entry->version) &&
           compare_numbers(file->name, entry->version) <= 0;
}

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
