#include "flows/guarded.h"

#include "base/file.h"
#include "flows/guarded_internal.h"

typedef struct {
    Guard guard;
    GuardedReport *report;
    Proof proof;
    const char *after; /* fingerprint that staging had in the end; NULL: not asked, "" not known */
} Guarded;

static bool is_production(const Guard *guard)
{
    return guard->target->guard == ENV_PRODUCTION;
}

static bool is_staging(const Guard *guard)
{
    return guard->target->env == ENV_STAGING && !is_production(guard);
}

/* ---- what is passed by ------------------------------------------------------------------- */

static bool check_reason(const char *flag, const char *reason, Error *err)
{
    if (!reason || reason[strspn(reason, " \t\n")])
        return true;
    (void)error_set(err, ERR_USAGE, "--%s wants a reason, which is recorded", flag);
    return error_hint(err, "--%s \"the change was tried by hand on a copy\"", flag);
}

/* Only what would have been asked here is recorded as passed by. */
static const char *note_overrides(Guarded *guarded)
{
    const Guard *guard = &guarded->guard;
    const GuardSpec *spec = guard->spec;
    StrList *told = &guarded->report->overrides;
    _cleanup_json_ json_t *object = json_object();
    if (spec->no_lint) {
        (void)json_object_set_new(object, "no_lint", json_true());
        str_list_add(told, "lint");
    }
    if (spec->skip_staging && (is_production(guard) || is_staging(guard))) {
        (void)json_object_set_new(object, "skip_staging", json_text(spec->skip_staging));
        str_list_addf(told, "%s: %s",
                      is_production(guard) ? "staging's evidence" : "the round trip",
                      spec->skip_staging);
    }
    if (spec->no_backup && is_production(guard)) {
        (void)json_object_set_new(object, "no_backup", json_text(spec->no_backup));
        str_list_addf(told, "the backup: %s", spec->no_backup);
    }
    for (size_t i = 0; i < told->count; i++)
        log_warn(guard->log, "Passed by, and recorded: %s", told->items[i]);
    return told->count ? json_compact(guard->arena, object) : NULL;
}

/* ---- before and after -------------------------------------------------------------------- */

static bool check_lint(Guarded *guarded, const MigrateReview *review, Error *err)
{
    const Guard *guard = &guarded->guard;
    LintReport *lint = &guarded->report->lint;
    if (guard->spec->no_lint)
        return true;
    if (!lint_pending(guard->arena, review->session, review->status, review->plan, lint, err))
        return false;
    guarded->proof.lint = lint;
    return lint->errors == 0 || lint_refusal(lint, err);
}

/* Extensions may differ, as they may from staging. */
static const char *drift_beyond_extensions(const Guard *guard, const MigrateDrift *drift)
{
    SchemaDiff diff = {.items = arena_array(guard->arena, drift->diff.count, sizeof(*diff.items))};
    str_list_init(&diff.reordered, guard->arena);
    for (size_t i = 0; drift->state == DRIFT_FOUND && i < drift->diff.count; i++) {
        if (!str_equal(drift->diff.items[i].kind, "extension"))
            diff.items[diff.count++] = drift->diff.items[i];
    }
    return diff.count ? guard_diff_text(guard, &diff) : NULL;
}

/* What somebody changed by hand is looked at before anything builds on it. */
static bool check_drift(const Guard *guard, const MigrateDrift *drift, Error *err)
{
    const char *changes = drift_beyond_extensions(guard, drift);
    if (!changes)
        return true;
    (void)error_set(err, ERR_REFUSED,
                    "production was changed by hand since its last migration run (%.10s)%s",
                    drift->taken_at, changes);
    return error_hint(err,
                      "undo it, make a migration of it, or take it for right as it is:\n      "
                      "vaxdb migrate verify %s --accept REASON\n      drift_ignore in vaxdb.ini "
                      "lists what may differ",
                      guard->spec->retry);
}

static bool approve(void *data, MigrateReview *review, Error *err)
{
    Guarded *guarded = data;
    const Guard *guard = &guarded->guard;
    GuardedReport *report = guarded->report;
    StrList *warnings = &report->run.warnings;
    guarded->proof.warnings = warnings;
    review->overrides = note_overrides(guarded);
    if (!check_lint(guarded, review, err))
        return false;
    if (is_staging(guard))
        return guard_proof_begin(guard, review, &guarded->proof, err);
    if (!is_production(guard))
        return true;
    if (!check_drift(guard, review->drift, err))
        return false;
    if (!guard->spec->skip_staging &&
        !guard_gate_check(guard, review, warnings, &guarded->after, err))
        return false;
    if (guard->spec->no_backup)
        return true;
    if (!guard_backup_need(guard, &report->backup, &report->backup_is_new, err))
        return false;
    review->backup_id = path_basename(report->backup);
    return true;
}

static bool locked(void *data, const MigrateStatus *status, Session *session, Error *err)
{
    const Guarded *guarded = data;
    return !is_staging(&guarded->guard) ||
           guard_proof_settle(&guarded->guard, status, session, err);
}

static bool applied(void *data, const MigrateStep *step, Session *session, int64_t duration_ms,
                    Error *err)
{
    Guarded *guarded = data;
    return !is_staging(&guarded->guard) || step->direction == RUN_DOWN ||
           guard_proof_record(&guarded->guard, step, session, duration_ms, &guarded->proof, err);
}

static void listen(MigrateOptions *options, Guarded *guarded,
                   bool (*judge)(void *, MigrateReview *, Error *))
{
    options->locked = locked;
    options->approve = judge;
    options->applied = applied;
    options->guardian = guarded;
}

static void stop_listening(MigrateOptions *options)
{
    options->locked = NULL;
    options->approve = NULL;
    options->applied = NULL;
    options->guardian = NULL;
}

static void init_report(Arena *arena, GuardedReport *report)
{
    *report = (GuardedReport){0};
    str_list_init(&report->overrides, arena);
    str_list_init(&report->run.warnings, arena);
    str_list_init(&report->run.done, arena);
}

bool guarded_up(Arena *arena, Log *log, State *state, const Target *target, Session *session,
                MigrateOptions *options, const char *to, const GuardSpec *spec,
                GuardedReport *report, Error *err)
{
    Guarded guarded = {.guard = {arena, log, state, target, session, options, spec},
                       .report = report,
                       .proof = {.roundtrip = &report->roundtrip}};
    init_report(arena, report);
    if (!check_reason("skip-staging", spec->skip_staging, err) ||
        !check_reason("no-backup", spec->no_backup, err))
        return false;
    listen(options, &guarded, approve);
    bool done = migrate_up(arena, options, to, &report->run, err);
    stop_listening(options);
    return done && (str_empty(guarded.after) ||
                    guard_gate_compare(&guarded.guard, guarded.after, &report->run.warnings, err));
}

/* Production runs again what went through the gate when it was applied, and nothing else. */
static bool approve_redo_there(Guarded *guarded, MigrateReview *review, Error *err)
{
    const Guard *guard = &guarded->guard;
    const MigrateStep *step = &review->plan->steps[0];
    GuardedReport *report = guarded->report;
    if (step->migration->state != MIGRATION_APPLIED) {
        (void)error_set(err, ERR_REFUSED, "production refuses a redo of %s: it is %s", step->name,
                        migration_state_name(step->migration->state));
        return error_hint(
            err,
            "vaxdb migrate rollback %s --confirm %s, then: vaxdb migrate up %s, which "
            "has the gate",
            guard->spec->retry, guard->target->database, guard->spec->retry);
    }
    if (!guard_backup_need(guard, &report->backup, &report->backup_is_new, err))
        return false;
    review->backup_id = path_basename(report->backup);
    return true;
}

/* Asked before the down and before the up. */
static bool approve_redo(void *data, MigrateReview *review, Error *err)
{
    Guarded *guarded = data;
    bool up = review->plan->steps[0].direction == RUN_UP;
    if (is_production(&guarded->guard))
        return up || approve_redo_there(guarded, review, err);
    return !up || !is_staging(&guarded->guard) || approve(data, review, err);
}

bool guarded_redo(Arena *arena, Log *log, State *state, const Target *target, Session *session,
                  MigrateOptions *options, const GuardSpec *spec, GuardedReport *report, Error *err)
{
    Guarded guarded = {.guard = {arena, log, state, target, session, options, spec},
                       .report = report,
                       .proof = {.roundtrip = &report->roundtrip}};
    init_report(arena, report);
    listen(options, &guarded, approve_redo);
    bool done = migrate_redo(arena, options, &report->run, err);
    stop_listening(options);
    return done;
}

/* ---- what they would say ----------------------------------------------------------------- */

/* A guard that refuses says so in a line; what kept it from looking is an error. */
static bool would(StrList *says, const char *what, bool fine, const char *text, const Error *said,
                  Error *err)
{
    if (fine)
        str_list_addf(says, "%s: %s", what, text);
    else if (said->code == ERR_REFUSED)
        str_list_addf(says, "%s would refuse: %s", what, said->message);
    else
        *err = *said;
    return fine || said->code == ERR_REFUSED;
}

static void list_lint_errors(const LintReport *lint, StrList *says)
{
    for (size_t i = 0; i < lint->count; i++) {
        const LintFinding *finding = &lint->items[i];
        if (finding->severity == LINT_ERROR)
            str_list_addf(says, "lint: %s:%d:%d: %s [%s]", finding->file, finding->line,
                          finding->column, finding->message, finding->rule->id);
    }
}

static bool preview_production(Guarded *guarded, const MigrateReview *review, StrList *says,
                               Error *err)
{
    const Guard *guard = &guarded->guard;
    Error said = {0};
    MigrateDrift drift;
    const char *backup = NULL;
    if (!migrate_drift(guard->arena, guard->session, guard->options->ledger_table,
                       guard->spec->ignore, false, &drift, err) ||
        !would(says, "drift", check_drift(guard, &drift, &said),
               drift.state == DRIFT_NONE || drift.state == DRIFT_FOUND ? "none" : "cannot be told",
               &said, err))
        return false;
    said = (Error){0};
    if (guard->spec->skip_staging)
        str_list_add(says, "staging: passed by");
    else if (!would(says, "staging", guard_gate_check(guard, review, says, &guarded->after, &said),
                    "every file is proved", &said, err))
        return false;
    if (guard->spec->no_backup) {
        str_list_add(says, "backup: passed by");
        return true;
    }
    if (!guard_backup_look(guard, &backup, err))
        return false;
    str_list_addf(says, "backup: %s", backup ? backup : "a new one would be made and verified");
    return true;
}

bool guarded_preview(Arena *arena, Log *log, State *state, const Target *target, Session *session,
                     const MigrateOptions *options, const MigrateStatus *status,
                     const MigratePlan *plan, const GuardSpec *spec, StrList *says, Error *err)
{
    GuardedReport report;
    Error said = {0};
    Guarded guarded = {.guard = {arena, log, state, target, session, options, spec},
                       .report = &report,
                       .proof = {.roundtrip = &report.roundtrip}};
    MigrateReview review = {.status = status, .plan = plan, .session = session};
    init_report(arena, &report);
    str_list_init(says, arena);
    if (!check_reason("skip-staging", spec->skip_staging, err) ||
        !check_reason("no-backup", spec->no_backup, err))
        return false;
    if (plan->count == 0)
        return true;
    if (spec->no_lint)
        str_list_add(says, "lint: passed by");
    else if (!would(says, "lint", check_lint(&guarded, &review, &said), "no errors", &said, err))
        return false;
    list_lint_errors(&report.lint, says);
    if (is_staging(&guarded.guard))
        str_list_add(says, spec->skip_staging ? "round trip: passed by"
                                              : "round trip: made first, in a scratch database");
    return !is_production(&guarded.guard) || preview_production(&guarded, &review, says, err);
}
