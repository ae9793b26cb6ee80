/* Staging: what is about to run proves its way back, and what has run leaves evidence. */
#include "base/clock.h"
#include "flows/guarded_internal.h"

/* ---- the round trip ---------------------------------------------------------------------- */

static bool refuse_failed(const Guard *guard, const RoundtripStep *step, Error *err)
{
    const char *undone = guard_diff_text(guard, &step->not_undone);
    const char *redone = guard_diff_text(guard, &step->not_redone);
    (void)error_set(err, ERR_REFUSED,
                    "the round trip (up, down, up) of %s failed in a scratch database: %s%s%s",
                    step->name, step->detail, undone, redone);
    return error_hint(err,
                      "nothing was migrated; mend the file or its down, then: vaxdb migrate up "
                      "%s\n      or pass it by: vaxdb migrate up %s --skip-staging REASON",
                      guard->spec->retry, guard->spec->retry);
}

static bool judge(const Guard *guard, Proof *proof, Error *err)
{
    for (size_t i = 0; i < proof->roundtrip->count; i++) {
        const RoundtripStep *step = &proof->roundtrip->steps[i];
        if (step->verdict == ROUNDTRIP_FAILED)
            return refuse_failed(guard, step, err);
        if (step->verdict == ROUNDTRIP_NO_DOWN)
            str_list_addf(proof->warnings,
                          "%s has no down: production will refuse it, or want --skip-staging",
                          step->name);
        else if (step->verdict != ROUNDTRIP_PASSED)
            str_list_addf(proof->warnings, "%s: no round trip: %s", step->name, step->detail);
    }
    return true;
}

static bool make_round_trip(const Guard *guard, const MigrateReview *review, Proof *proof,
                            Error *err)
{
    StrList names;
    Error error = {0};
    MigrateOptions quiet = *guard->options;
    quiet.locked = NULL;
    quiet.approve = NULL;
    quiet.applied = NULL;
    quiet.started = NULL;
    quiet.finished = NULL;
    str_list_init(&names, guard->arena);
    for (size_t i = 0; i < review->plan->count; i++)
        str_list_add(&names, review->plan->steps[i].name);
    RoundtripSpec spec = {.target = guard->target,
                          .session = review->session,
                          .migrate = &quiet,
                          .names = &names,
                          .ignore = guard->spec->ignore,
                          .pg_bindir = guard->spec->pg_bindir};
    log_info(guard->log, "Round trip of %zu migration%s in a scratch database", names.count,
             names.count == 1 ? "" : "s");
    if (roundtrip_run(guard->arena, guard->log, &spec, proof->roundtrip, &error))
        return judge(guard, proof, err);
    if (error.code == ERR_INTERRUPTED || error.code == ERR_UNREACHABLE) {
        *err = error;
        return false;
    }
    proof->roundtrip->count = 0;
    proof->why_not = arena_strdup(guard->arena, error.message);
    str_list_addf(proof->warnings, "no round trip could be made, which production will ask for: %s",
                  error.message);
    return true;
}

/* ---- evidence ---------------------------------------------------------------------------- */

static void take_round_trip(const Proof *proof, Evidence *evidence)
{
    evidence->roundtrip = roundtrip_verdict_name(ROUNDTRIP_NOT_RUN);
    evidence->roundtrip_detail = proof->why_not ? proof->why_not : "";
    for (size_t i = 0; i < proof->roundtrip->count; i++) {
        const RoundtripStep *step = &proof->roundtrip->steps[i];
        if (!str_equal(step->name, evidence->name))
            continue;
        evidence->roundtrip = roundtrip_verdict_name(step->verdict);
        evidence->roundtrip_detail = step->detail ? step->detail : "";
    }
}

static void count_lint(const Proof *proof, const MigrateStep *step, Evidence *evidence)
{
    evidence->lint_errors = proof->lint ? 0 : -1;
    evidence->lint_warnings = proof->lint ? 0 : -1;
    for (size_t i = 0; proof->lint && i < proof->lint->count; i++) {
        const LintFinding *finding = &proof->lint->items[i];
        if (!str_equal(finding->name, step->file_name))
            continue;
        evidence->lint_errors += finding->severity == LINT_ERROR;
        evidence->lint_warnings += finding->severity == LINT_WARNING;
    }
}

bool guard_down_checksum(Arena *arena, const MigrationFile *file, const char **checksum, Error *err)
{
    _cleanup_arena_ Arena *scratch = arena_create();
    char *text = NULL;
    size_t length = 0;
    char hex[HASH_HEX_SIZE];
    *checksum = "";
    if (!file->down_path)
        return true;
    if (!migration_text_read(scratch, file->down_path, &text, &length, hex, NULL, err))
        return false;
    *checksum = arena_strdup(arena, hex);
    return true;
}

/* All that is known of the next step before it runs, kept for the case that this run does not come
 * to say the rest. before: fingerprint of the schema that it finds, "" where it goes on with what
 * was half done. */
static bool begin_evidence(const Guard *guard, Session *session, const char *before, Proof *proof,
                           Error *err)
{
    const MigrateStep *step = &proof->plan->steps[proof->at];
    DatabaseIdentity identity;
    proof->next = (Evidence){.name = step->name,
                             .up_checksum = step->script.checksum,
                             .server_major = session_server_version(session) / 10000,
                             .fingerprint_before = before,
                             .fingerprint_after = "",
                             .env = env_name(ENV_STAGING),
                             .kind = "up",
                             .recorded_at = clock_unix_s()};
    take_round_trip(proof, &proof->next);
    count_lint(proof, step, &proof->next);
    if (!guard_down_checksum(guard->arena, step->migration->file, &proof->next.down_checksum,
                             err) ||
        !session_identity(session, guard->arena, &identity, err))
        return false;
    proof->next.system_identifier = identity.system_identifier;
    proof->next.database = identity.database;
    return state_evidence_begin(guard->state, guard->arena, &proof->next, err);
}

bool guard_proof_begin(const Guard *guard, const MigrateReview *review, Proof *proof, Error *err)
{
    Schema schema;
    bool half_done = review->plan->steps[0].migration->state == MIGRATION_PARTIAL;
    proof->plan = review->plan;
    proof->at = 0;
    if (guard->spec->skip_staging)
        proof->why_not = arena_printf(guard->arena, "skipped: %s", guard->spec->skip_staging);
    else if (half_done) {
        proof->why_not = "the first file was half done";
        str_list_addf(proof->warnings,
                      "%s is half done, so no round trip was made; production will ask for one",
                      review->plan->steps[0].name);
    } else if (!make_round_trip(guard, review, proof, err)) {
        return false;
    }
    if (!guard_schema_read(guard, review->session, &schema, err) ||
        !guard_schema_remember(guard, &schema, err))
        return false;
    const char *before = half_done ? "" : arena_strdup(guard->arena, schema.fingerprint);
    return begin_evidence(guard, review->session, before, proof, err);
}

static bool add_evidence(const Guard *guard, Session *session, int64_t duration_ms, Proof *proof,
                         Error *err)
{
    Schema after;
    if (!guard_schema_read(guard, session, &after, err) ||
        !guard_schema_remember(guard, &after, err))
        return false;
    const char *fingerprint = arena_strdup(guard->arena, after.fingerprint);
    proof->next.fingerprint_after = fingerprint;
    proof->next.duration_ms = duration_ms;
    proof->next.recorded_at = clock_unix_s();
    return state_evidence_add(guard->state, guard->arena, &proof->next, err) &&
           (++proof->at == proof->plan->count ||
            begin_evidence(guard, session, fingerprint, proof, err));
}

bool guard_proof_record(const Guard *guard, const MigrateStep *step, Session *session,
                        int64_t duration_ms, Proof *proof, Error *err)
{
    if (add_evidence(guard, session, duration_ms, proof, err))
        return true;
    (void)error_context(err, "%s is applied, but no evidence of it was recorded", step->name);
    return err->hint[0] ? false
                        : error_hint(err, "mend this; the next run records it: vaxdb migrate up %s",
                                     guard->spec->retry);
}

/* ---- of a run that was killed ------------------------------------------------------------ */

/* Did a run take it to its end, and nothing since concern it? */
static bool find_run(const Guard *guard, const Ledger *ledger, Session *session, Evidence *evidence,
                     bool *ran, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    const char *params[] = {evidence->name, evidence->up_checksum};
    *ran = false;
    if (!ledger->runs_exist)
        return true;
    if (!session_query_params(
            session,
            arena_printf(guard->arena,
                         "SELECT direction = 'up' AND state = 'done' AND lower(checksum) = "
                         "lower($2) AS ran, duration_ms FROM %s WHERE name = $1 AND NOT "
                         "(transactional AND state = 'failed') ORDER BY id DESC LIMIT 1",
                         ledger->runs_table),
            COUNT_OF(params), params, &rows, err))
        return false;
    if (!result_rows(rows))
        return true;
    *ran = result_bool(rows, 0, "ran");
    evidence->duration_ms =
        result_is_null(rows, 0, "duration_ms") ? 0 : result_int64(rows, 0, "duration_ms");
    return true;
}

bool guard_proof_settle(const Guard *guard, const MigrateStatus *status, Session *session,
                        Error *err)
{
    DatabaseIdentity identity;
    Evidence *begun = NULL;
    bool applied = false, ran = false;
    if (!session_identity(session, guard->arena, &identity, err) ||
        !state_evidence_begun(guard->state, guard->arena, identity.system_identifier,
                              identity.database, &begun, err))
        return false;
    if (!begun)
        return true;
    for (size_t i = 0; i < status->entry_count && !applied; i++)
        applied = str_equal(status->entries[i].name, begun->name);
    if (applied && !find_run(guard, &status->ledger, session, begun, &ran, err))
        return false;
    if (!ran)
        return state_evidence_end(guard->state, identity.system_identifier, identity.database, err);
    begun->recorded_at = clock_unix_s();
    if (!state_evidence_add(guard->state, guard->arena, begun, err))
        return false;
    log_info(guard->log, "The run before was ended after %s: its evidence is recorded now",
             begun->name);
    return true;
}
