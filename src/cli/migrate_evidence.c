#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "base/table.h"
#include "cli/commands.h"
#include "state/evidence.h"

#include <stdio.h>

#define SHORT_HASH 12

/* ---- list -------------------------------------------------------------------------------- */

static json_t *evidence_json(const Context *context, const Evidence *evidence)
{
    json_t *object = json_object();
    const struct {
        const char *key;
        const char *text;
    } texts[] = {
        {"name", evidence->name},
        {"kind", evidence->kind},
        {"env", evidence->env},
        {"database", evidence->database},
        {"recorded_at", clock_iso_utc(context->arena, evidence->recorded_at)},
        {"up_checksum", evidence->up_checksum},
        {"down_checksum", evidence->down_checksum},
        {"fingerprint_before", evidence->fingerprint_before},
        {"fingerprint_after", evidence->fingerprint_after},
        {"roundtrip", evidence->roundtrip},
        {"roundtrip_detail", evidence->roundtrip_detail},
        {"origin", evidence->origin},
        {"hash", evidence->hash},
    };
    const struct {
        const char *key;
        int64_t number;
    } numbers[] = {
        {"server_major", evidence->server_major}, {"duration_ms", evidence->duration_ms},
        {"lint_errors", evidence->lint_errors},   {"lint_warnings", evidence->lint_warnings},
        {"sequence", evidence->sequence},
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        (void)json_object_set_new(object, texts[i].key, json_text(texts[i].text));
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        (void)json_object_set_new(object, numbers[i].key, json_integer(numbers[i].number));
    return object;
}

static void print_table(const Context *context, const Evidence *items, size_t count)
{
    Arena *arena = context->arena;
    Table *table = table_create(arena);
    table_column(table, "Migration", TABLE_LEFT);
    table_column(table, "Where", TABLE_LEFT);
    table_column(table, "Recorded at", TABLE_LEFT);
    table_column(table, "Round trip", TABLE_LEFT);
    table_column(table, "Took", TABLE_RIGHT);
    table_column(table, "Hash", TABLE_LEFT);
    for (size_t i = 0; i < count; i++) {
        const Evidence *evidence = &items[i];
        bool baseline = str_equal(evidence->kind, "baseline");
        table_row(table,
                  (const char *[]){
                      evidence->name, evidence->env, clock_iso_utc(arena, evidence->recorded_at),
                      baseline ? "baseline" : evidence->roundtrip,
                      baseline ? NULL : str_duration(arena, (double)evidence->duration_ms),
                      arena_printf(arena, "%.*s", SHORT_HASH, evidence->hash)});
    }
    table_print(table, context->out, table_terminal_width(context->out));
}

static bool run_list(Context *context, State *state, Error *err)
{
    Evidence *items = NULL;
    size_t count = 0;
    if (!state_evidence_list(state, context->arena, NULL, &items, &count, err))
        return false;
    if (context->json) {
        json_t *array = json_array();
        for (size_t i = 0; i < count; i++)
            (void)json_array_append_new(array, evidence_json(context, &items[i]));
        return command_print_json(context, json_pack("{s:o}", "evidence", array), err);
    }
    if (count)
        print_table(context, items, count);
    else
        log_info(context->log,
                 "There is no evidence yet: `vaxdb migrate up -e staging` records it");
    return true;
}

/* ---- export, import ---------------------------------------------------------------------- */

static bool need_file(const Context *context, const char **file, Error *err)
{
    *file = command_argument(context, 1);
    if (*file)
        return true;
    const char *action = command_argument(context, 0);
    (void)error_set(err, ERR_USAGE, "%s needs a file", action);
    return error_hint(err, "vaxdb migrate evidence %s FILE      (- for standard %s)", action,
                      str_equal(action, "export") ? "output" : "input");
}

static bool run_export(Context *context, State *state, Error *err)
{
    const char *file = NULL;
    size_t count = 0;
    _cleanup_buffer_ Buffer lines;
    buffer_init(&lines, BUFFER_MAX_FILE);
    if (!need_file(context, &file, err) ||
        !state_evidence_export(state, context->arena, &lines, &count, err))
        return false;
    if (count == 0) {
        (void)error_set(err, ERR_FAILED, "there is no evidence to export");
        return error_hint(err, "`vaxdb migrate up -e staging` records it");
    }
    if (str_equal(file, "-")) {
        if (context->json)
            return error_set(err, ERR_USAGE, "--json and the evidence cannot share the output");
        if (fwrite(lines.data, 1, lines.length, context->out) != lines.length ||
            fflush(context->out) != 0)
            return error_set(err, ERR_FAILED, "cannot write the evidence");
        return true;
    }
    if (!file_write_atomic(file, lines.data, lines.length, 0600, err))
        return false;
    if (context->json)
        return command_print_json(
            context, json_pack("{s:s, s:I}", "file", file, "records", (json_int_t)count), err);
    log_info(context->log,
             "%zu record%s in %s; on the other host: vaxdb migrate evidence import %s", count,
             count == 1 ? "" : "s", file, path_basename(file));
    return true;
}

static bool read_all(FILE *in, Buffer *text, Error *err)
{
    char piece[65536];
    for (size_t got = 0; (got = fread(piece, 1, sizeof(piece), in)) > 0;) {
        if (!buffer_append(text, piece, got))
            return buffer_check(text, "standard input", err);
    }
    return !ferror(in) || error_set(err, ERR_FAILED, "cannot read standard input");
}

static bool read_evidence(Context *context, const char *file, Buffer *text, Error *err)
{
    char *whole = NULL;
    size_t length = 0;
    if (str_equal(file, "-"))
        return read_all(stdin, text, err);
    return file_read(context->arena, file, BUFFER_MAX_FILE, &whole, &length, err) &&
           (buffer_append(text, whole, length) || buffer_check(text, file, err));
}

static bool run_import(Context *context, State *state, Error *err)
{
    const char *file = NULL;
    size_t added = 0, known = 0;
    _cleanup_buffer_ Buffer text;
    buffer_init(&text, BUFFER_MAX_FILE);
    if (!need_file(context, &file, err) || !read_evidence(context, file, &text, err) ||
        !state_evidence_import(state, context->arena, text.data, text.length,
                               str_equal(file, "-") ? "standard input" : file, &added, &known, err))
        return false;
    if (context->json)
        return command_print_json(
            context,
            json_pack("{s:I, s:I}", "added", (json_int_t)added, "known", (json_int_t)known), err);
    log_info(context->log, "%zu record%s added, %zu known already", added, added == 1 ? "" : "s",
             known);
    return true;
}

static bool run_evidence(Context *context, Error *err)
{
    static const struct {
        const char *action;
        bool (*run)(Context *context, State *state, Error *err);
    } actions[] = {{"list", run_list}, {"export", run_export}, {"import", run_import}};
    _cleanup_state_ State *state = NULL;
    const char *action = command_argument(context, 0);
    size_t i = 0; /* the synopsis lets no other words in */
    while (action && i + 1 < COUNT_OF(actions) && !str_equal(action, actions[i].action))
        i++;
    return state_open(config_state_directory(context->config), &state, err) &&
           actions[i].run(context, state, err);
}

const Command cli_migrate_evidence_commands[] = {
    {"migrate evidence", "[list|export|import] [FILE]",
     "what staging proved of migrations; carries it to another host",
     "`migrate up -e staging` records of each file what production asks for: its hashes, the round "
     "trip, the schema before and after. The records are kept on this machine, outside the "
     "database. Where production is migrated from another host, export them here and import them "
     "there. Each record holds the hash of the one before it, so a file that lacks one, or has one "
     "changed, is refused (exit 4) and nothing of it is taken.\n\n"
     "FILE - is standard output or input.",
     "vaxdb migrate evidence export proved.jsonl     to be imported on production's host", NULL, 0,
     2, false, run_evidence},
    COMMAND_END,
};
