#include "base/file.h"
#include "base/str.h"
#include "lint/engine.h"

/* ---- reading one file ---------------------------------------------------------------------- */

typedef struct {
    LintRun *run;
    const LintOptions *options;
    const char *here; /* the working directory, with "/" */
    const MigrateStatus *status;
    json_t *wanted;  /* paths of the files to report on; NULL: all */
    json_t *numbers; /* number -> how many pending migrations have it */
} Folder;

static const char *shown_path(const char *here, const char *path)
{
    return here && str_starts(path, here) && path[strlen(here)] ? path + strlen(here) : path;
}

static char *working_directory(Arena *arena)
{
    _cleanup_free_ char *here = realpath(".", NULL);
    return here ? arena_printf(arena, "%s/", str_equal(here, "/") ? "" : here) : NULL;
}

static void unreadable(LintRun *run, const Error *why)
{
    const LintRule *rule = lint_rule_find("unreadable-file");
    findings_add(run, 0, rule, rule->severity, why->hint[0] ? why->hint : NULL, why->message);
}

/* Fills in text. A file that is no text is a finding, and empty. */
static bool load(LintRun *run, const char *path, LintText *text, Error *err)
{
    char *bytes = NULL;
    char checksum[HASH_HEX_SIZE];
    Error why = {0};
    text->file.text = "";
    if (migration_text_read(run->work, path, &bytes, &text->file.length, checksum, NULL, &why)) {
        text->file.text = bytes;
        return true;
    }
    text->file.length = 0;
    if (why.code != ERR_USAGE || !file_exists(path)) {
        *err = why;
        return false;
    }
    engine_begin(run, text);
    unreadable(run, &why);
    return true;
}

static void begin_file(LintRun *run, Arena *work)
{
    run->work = work;
    run->statement = SIZE_MAX;
}

/* ---- what a migration as a whole must be ------------------------------------------------- */

#define COMPLEX_STATEMENTS 10

static bool has_comment(const LintText *text)
{
    size_t at = 0;
    for (size_t i = 0; i < text->script.count; i++) {
        const SqlPiece *piece = &text->script.items[i].piece;
        for (; at + 1 < piece->start; at++) {
            const char *c = text->file.text + at;
            bool note = (c[0] == '-' && c[1] == '-') || (c[0] == '/' && c[1] == '*');
            if (note && strncasecmp(c + 2, " migrate:", 9) != 0)
                return true;
        }
        at = piece->start + piece->length;
    }
    return false;
}

static void check_size(LintRun *run, const LintText *text)
{
    size_t count = text->script.count;
    if (count >= COMPLEX_STATEMENTS && !has_comment(text))
        lint_add_at(run, &text->file, text->script.items[0].piece.start, "complex-without-comment",
                    "%zu statements and no comment that says why", count);
}

static void check_pair(LintRun *run, const LintText *text)
{
    const MigrationFile *migration = text->file.migration;
    if (migration && !migration->down_path)
        lint_add_at(run, &text->file, 0, "missing-down", "%s cannot be taken back: it has no down",
                    migration->name);
}

static bool is_file(LintRun *run, const LintText *text, const char *suffix, const char *other)
{
    const char *path = text->file.migration->path;
    return str_ends(path, suffix) &&
           file_exists(arena_printf(run->work, "%.*s%s", (int)(strlen(path) - strlen(suffix)), path,
                                    other));
}

static void check_twin(LintRun *run, const LintText *text)
{
    if (is_file(run, text, ".up.sql", ".sql"))
        lint_add_at(run, &text->file, 0, "ambiguous-pair",
                    "%s and the file of that name without .up are the same migration twice",
                    text->file.name);
}

/* ---- one migration ----------------------------------------------------------------------- */

static bool is_wanted(const Folder *folder, const char *path)
{
    return !folder->wanted || json_object_get(folder->wanted, path);
}

static bool is_pending(const Folder *folder, size_t index)
{
    if (!folder->status)
        return true;
    MigrationState state = folder->status->items[index].state;
    return state == MIGRATION_PENDING || state == MIGRATION_PARTIAL;
}

static size_t first_of(const Folder *folder, size_t index)
{
    const LedgerRun *run = folder->status ? folder->status->items[index].run : NULL;
    return run && run->direction == RUN_UP && run->completed > 0 ? (size_t)run->completed : 0;
}

static void check_number(const Folder *folder, const LintText *text)
{
    const char *number = migration_number(folder->run->work, text->file.name);
    const json_t *names = json_object_get(folder->numbers, number);
    for (size_t i = 0; *number && i < json_array_size(names); i++) {
        const char *other = json_string_value(json_array_get(names, i));
        if (str_equal(other, text->file.name))
            continue;
        lint_add_at(folder->run, &text->file, 0, "duplicate-number",
                    "%s has the number %s too: which runs first is an accident of spelling", other,
                    number);
        return;
    }
}

static LintText text_for(const Folder *folder, const MigrationFile *file, size_t ordinal,
                         RunDirection direction)
{
    const char *path = direction == RUN_UP ? file->path : file->down_path;
    return (LintText){.file = {.name = direction == RUN_UP ? file->name : file->down_name,
                               .path = shown_path(folder->here, path),
                               .direction = direction,
                               .reported = is_wanted(folder, path),
                               .migration = file,
                               .ordinal = ordinal}};
}

static bool lint_up(Folder *folder, const MigrationFile *file, size_t index, bool pending,
                    Error *err)
{
    LintRun *run = folder->run;
    LintText text = text_for(folder, file, index, RUN_UP);
    text.first = pending ? first_of(folder, index) : 0;
    text.file.resumed = pending && folder->status && folder->status->items[index].run;
    size_t from = run->report->count;
    bool ok = load(run, file->path, &text, err);
    if (ok) {
        text_read(run, &text);
        check_twin(run, &text);
        check_pair(run, &text);
        check_size(run, &text);
        if (pending)
            check_number(folder, &text);
        ok = engine_text(run, &text, pending ? run->model : run->blank, pending, err);
        ignores_report(run);
    }
    text_free(&text);
    findings_sort(run->report, from);
    return ok;
}

static bool lint_down(Folder *folder, const MigrationFile *file, size_t index, bool pending,
                      Error *err)
{
    LintRun *run = folder->run;
    LintText text = text_for(folder, file, index, RUN_DOWN);
    if (!text.file.reported)
        return true;
    size_t from = run->report->count;
    bool ok = load(run, file->down_path, &text, err);
    if (ok) {
        text_read(run, &text);
        ok = engine_text(run, &text, pending ? run->model : run->blank, false, err);
        undo_check(run);
        ignores_report(run);
    }
    text_free(&text);
    findings_sort(run->report, from);
    return ok;
}

static bool lint_migration(Folder *folder, const MigrationFile *file, size_t index, Error *err)
{
    bool pending = is_pending(folder, index);
    bool reported = folder->wanted ? is_wanted(folder, file->path) ||
                                         (file->down_path && is_wanted(folder, file->down_path))
                                   : pending;
    if (!pending && !reported)
        return true;
    _cleanup_arena_ Arena *work = arena_create();
    begin_file(folder->run, work);
    undo_begin(folder->run);
    bool ok = lint_up(folder, file, index, pending, err) &&
              (!file->down_path || lint_down(folder, file, index, pending, err));
    undo_end(folder->run);
    return ok;
}

/* ---- other files ------------------------------------------------------------------------- */

/* A down without an up, or a file that is not in the folder. */
static bool lint_other(Folder *folder, const char *path, bool orphan, Error *err)
{
    LintRun *run = folder->run;
    if (!is_wanted(folder, path))
        return true;
    _cleanup_arena_ Arena *work = arena_create();
    begin_file(run, work);
    undo_begin(run);
    LintText text = {.file = {.name = arena_strdup(run->arena, path_basename(path)),
                              .path = arena_strdup(run->arena, shown_path(folder->here, path)),
                              .direction = str_ends(path, ".down.sql") ? RUN_DOWN : RUN_UP,
                              .reported = true,
                              .ordinal = SIZE_MAX - 1}};
    size_t from = run->report->count;
    bool ok = load(run, path, &text, err);
    if (ok) {
        text_read(run, &text);
        if (orphan)
            lint_add_at(run, &text.file, 0, "down-without-up",
                        "%s takes back a migration that is not there", text.file.name);
        ok = engine_text(run, &text, orphan ? run->blank : run->model, false, err);
        ignores_report(run);
    }
    text_free(&text);
    undo_end(run);
    findings_sort(run->report, from);
    return ok;
}

static bool lint_orphans(Folder *folder, const MigrationFiles *files, Error *err)
{
    for (size_t i = 0; i < files->orphans.count; i++) {
        const char *path = path_join(folder->run->arena, files->directory, files->orphans.items[i]);
        if (!lint_other(folder, path, true, err))
            return false;
    }
    return true;
}

/* ---- the folder ---------------------------------------------------------------------------- */

static void count_numbers(Folder *folder, const MigrationFiles *files)
{
    for (size_t i = 0; i < files->count; i++) {
        if (!is_pending(folder, i))
            continue;
        const char *number = migration_number(folder->run->arena, files->items[i].name);
        json_t *names = json_object_get(folder->numbers, number);
        if (!names) {
            names = json_array();
            (void)json_object_set_new(folder->numbers, number, names);
        }
        (void)json_array_append_new(names, json_text(files->items[i].name));
    }
}

/* A name of the folder, or a path from the working directory. */
static bool take_wanted(Folder *folder, const char *word, Error *err)
{
    Arena *arena = folder->run->arena;
    const char *in_folder = path_join(arena, folder->options->directory, word);
    char *path = NULL;
    if (!strchr(word, '/') && !file_exists(word) && file_exists(in_folder))
        path = arena_strdup(arena, in_folder);
    else if (!path_absolute(arena, word, &path, err))
        return false;
    if (!file_exists(path)) {
        (void)error_set(err, ERR_USAGE, "there is no file %s", word);
        return error_hint(err, "name files of %s, or paths; --dir names another folder",
                          folder->options->directory);
    }
    if (file_is_directory(path)) {
        (void)error_set(err, ERR_USAGE, "%s is a folder", word);
        return error_hint(err, "name the folder with --dir %s", word);
    }
    const char *directory = path_dirname(arena, path);
    _cleanup_free_ char *real = realpath(directory, NULL);
    _cleanup_free_ char *real_folder = realpath(folder->options->directory, NULL);
    if (real && real_folder && str_equal(real, real_folder))
        path = path_join(arena, folder->options->directory, path_basename(path));
    (void)json_object_set_new(folder->wanted, path, json_true());
    return true;
}

static bool take_all_wanted(Folder *folder, Error *err)
{
    const StrList *files = folder->options->files;
    if (!files || files->count == 0)
        return true;
    folder->wanted = json_object();
    for (size_t i = 0; i < files->count; i++) {
        if (!take_wanted(folder, files->items[i], err))
            return false;
    }
    return true;
}

static bool lint_outside(Folder *folder, const MigrationFiles *files, Error *err)
{
    _cleanup_json_ json_t *known = json_object();
    for (size_t i = 0; i < files->count; i++) {
        (void)json_object_set_new(known, files->items[i].path, json_true());
        if (files->items[i].down_path)
            (void)json_object_set_new(known, files->items[i].down_path, json_true());
    }
    for (size_t i = 0; i < files->orphans.count; i++)
        (void)json_object_set_new(
            known, path_join(folder->run->arena, files->directory, files->orphans.items[i]),
            json_true());
    for (void *at = json_object_iter(folder->wanted); at;
         at = json_object_iter_next(folder->wanted, at)) {
        const char *path = json_object_iter_key(at);
        if (!json_object_get(known, path) && !lint_other(folder, path, false, err))
            return false;
    }
    return true;
}

static bool lint_files(Folder *folder, const MigrationFiles *files, Error *err)
{
    count_numbers(folder, files);
    for (size_t i = 0; i < files->count; i++) {
        if (!lint_migration(folder, &files->items[i], i, err))
            return false;
    }
    return lint_orphans(folder, files, err) && lint_outside(folder, files, err);
}

static bool prepare(LintRun *run, Error *err)
{
    run->model = model_create(run->arena);
    run->blank = model_create(run->arena);
    run->report->catalogue = run->session != NULL;
    return !run->session || model_load(run->model, run->session, err);
}

bool lint_folder(Arena *arena, const LintOptions *options, LintReport *report, Error *err)
{
    *report = (LintReport){0};
    LintRun run = {.arena = arena, .session = options->session, .report = report};
    _cleanup_json_ json_t *wanted = NULL, *numbers = json_object();
    Folder folder = {
        .run = &run, .options = options, .here = working_directory(arena), .numbers = numbers};
    MigrationFiles scanned = {0};
    MigrateStatus status = {0};
    bool ok = take_all_wanted(&folder, err);
    wanted = folder.wanted;
    if (!ok || !prepare(&run, err))
        return false;
    if (options->session) {
        if (!migrate_status(arena, options->session, options->directory, options->ledger_table,
                            &status, err))
            return false;
        folder.status = &status;
    } else if (!migration_files_scan(arena, options->directory, &scanned, err)) {
        return false;
    }
    ok = lint_files(&folder, folder.status ? &status.files : &scanned, err) &&
         model_check(run.model, err);
    findings_count(report);
    return ok;
}

/* ---- what is about to run ------------------------------------------------------------------ */

static bool lint_step(LintRun *run, const char *here, const MigrateStep *step, size_t ordinal,
                      Error *err)
{
    const MigrationFile *file = step->migration->file;
    const LedgerRun *before = step->migration->run;
    const char *path = step->direction == RUN_UP || !file ? (file ? file->path : step->file_name)
                                                          : file->down_path;
    LintText text = {.file = {.name = step->file_name,
                              .path = shown_path(here, path),
                              .text = step->script.text,
                              .length = step->script.length,
                              .direction = step->direction,
                              .reported = true,
                              .resumed = before != NULL,
                              .migration = file,
                              .ordinal = ordinal}};
    if (before && before->direction == step->direction && before->completed > 0)
        text.first = (size_t)before->completed;
    size_t from = run->report->count;
    text_take(run, &text, &step->script);
    if (step->direction == RUN_UP)
        check_pair(run, &text);
    bool ok = engine_text(run, &text, run->model, true, err);
    ignores_report(run);
    text_free(&text);
    findings_sort(run->report, from);
    return ok;
}

static bool lint_step_down(LintRun *run, const char *here, const MigrateStep *step, Error *err)
{
    const MigrationFile *file = step->migration->file;
    if (step->direction != RUN_UP || !file || !file->down_path)
        return true;
    LintText text = {.file = {.name = file->down_name,
                              .path = shown_path(here, file->down_path),
                              .direction = RUN_DOWN,
                              .reported = true,
                              .migration = file},
                     .pair_only = true};
    bool ok = load(run, file->down_path, &text, err);
    if (ok) {
        text_read(run, &text);
        ok = engine_text(run, &text, run->blank, false, err);
        undo_check(run);
    }
    text_free(&text);
    return ok;
}

bool lint_pending(Arena *arena, Session *session, const MigrateStatus *status,
                  const MigratePlan *plan, LintReport *report, Error *err)
{
    (void)status;
    *report = (LintReport){0};
    LintRun run = {.arena = arena, .session = session, .report = report};
    const char *here = working_directory(arena);
    if (!prepare(&run, err))
        return false;
    for (size_t i = 0; i < plan->count; i++) {
        _cleanup_arena_ Arena *work = arena_create();
        begin_file(&run, work);
        undo_begin(&run);
        bool ok = lint_step(&run, here, &plan->steps[i], i, err) &&
                  lint_step_down(&run, here, &plan->steps[i], err);
        undo_end(&run);
        if (!ok)
            return false;
    }
    findings_count(report);
    return model_check(run.model, err);
}

/* ---- its rules ------------------------------------------------------------------------------ */

const LintRule lint_rules_folder[] = {
    {"duplicate-number", LINT_ERROR, false, false,
     "two migrations with one number run in an order that nobody chose",
     "rename one of them, with its down, to the next free number"},
    {"ambiguous-pair", LINT_ERROR, false, true,
     "NAME.sql and NAME.up.sql are one migration: the ledger could not tell which has run",
     "remove one of them"},
    {"down-without-up", LINT_ERROR, false, false,
     "a down that belongs to no migration never runs, or belongs to one that was renamed",
     "rename it to the name of its migration with .down.sql at the end, or remove it"},
    {"missing-down", LINT_WARNING, false, false,
     "without a down the way back is a restore of the whole database",
     "write NAME.down.sql beside it; `vaxdb migrate new` makes both"},
    {"down-does-not-undo", LINT_ERROR, false, false,
     "a down that leaves what its up made reports success and changes nothing back",
     "drop in the down what the up creates, last first"},
    {"complex-without-comment", LINT_INFO, false, false,
     "who must decide at night whether to take it back needs to know what it is for",
     "begin the file with a comment that says why"},
    {0},
};
