#include "base/clock.h"
#include "checklist/facts.h"
#include "pool/size.h"
#include "state/samples.h"

#define TIMEOUT_MAX_MS 30000
#define IDLE_TIMES     10 /* idle this many times the timeout: the timeout is not in force */

static bool is_default(const Facts *facts, const char *key)
{
    return str_equal(config_source(facts->spec->config, facts->spec->env, key), "default");
}

static const char *source(const Facts *facts, const char *key)
{
    return config_source(facts->spec->config, facts->spec->env, key);
}

bool probe_pooling_cores(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const ChecklistSpec *spec = facts->spec;
    PoolServer server;
    if (!pool_server_read(spec->session, &server, err))
        return false;
    if (!server.local) {
        check_fix(facts, outcome, "vaxdb pool size%s --cores N --spindles N", spec->flags);
        return check_skip(facts, outcome,
                          "the server runs on another machine, whose cores cannot be seen");
    }
    Machine machine;
    machine_detect(facts->arena, "/sys", &machine);
    PoolSizeInput input = {.cores = machine.cores, .spindles = machine.spindles, .instances = 1};
    PoolSize size;
    pool_size_compute(facts->arena, &input, &size);
    int64_t pool_max = config_int(spec->config, spec->env, "pool_max");
    const char *seen = arena_printf(facts->arena, "pool_max = %lld (%s); %s", (long long)pool_max,
                                    source(facts, "pool_max"), size.formula);
    if (pool_max <= size.formula_result && !is_default(facts, "pool_max"))
        return check_pass(facts, outcome, "%s", seen);
    check_fix(facts, outcome, "pool_max = %lld      (in vaxdb.ini; and max in the application)",
              (long long)size.formula_result);
    return check_warn(facts, outcome, "%s", seen);
}

/* Settings that only the application can put in force: written in vaxdb.ini, they were at least
 * decided. */
static bool judge_written(Facts *facts, CheckOutcome *outcome, const char *key, const char *seen)
{
    if (is_default(facts, key))
        return check_warn(facts, outcome, "%s is vaxdb's default; nothing is written in vaxdb.ini",
                          seen);
    return check_pass(facts, outcome, "%s (%s)", seen, source(facts, key));
}

bool probe_pooling_min(Facts *facts, CheckOutcome *outcome, Error *err)
{
    (void)err;
    const ChecklistSpec *spec = facts->spec;
    int64_t min = config_int(spec->config, spec->env, "pool_min");
    int64_t max = config_int(spec->config, spec->env, "pool_max");
    const char *seen = arena_printf(facts->arena, "pool_min = %lld", (long long)min);
    check_fix(facts, outcome, "pool_min = %lld      (in vaxdb.ini; and min in the application)",
              (long long)(min ? min : 1));
    if (min < 1)
        return check_fail(facts, outcome, "%s: no connection is kept ready", seen);
    if (min > max)
        return check_fail(facts, outcome, "%s is above pool_max = %lld", seen, (long long)max);
    return judge_written(facts, outcome, "pool_min", seen);
}

static const char *duration(Facts *facts, const char *key, int64_t *ms)
{
    *ms = config_int(facts->spec->config, facts->spec->env, key);
    return arena_printf(facts->arena, "%s = %s", key, str_duration(facts->arena, (double)*ms));
}

bool probe_pooling_connect_timeout(Facts *facts, CheckOutcome *outcome, Error *err)
{
    (void)err;
    int64_t ms = 0;
    const char *seen = duration(facts, "pool_connect_timeout", &ms);
    check_fix(facts, outcome,
              "pool_connect_timeout = 2s      (in vaxdb.ini; connectionTimeoutMillis in the"
              " application)");
    if (ms <= 0)
        return check_fail(facts, outcome, "%s: an exhausted pool makes the application hang", seen);
    if (ms > TIMEOUT_MAX_MS)
        return check_warn(facts, outcome, "%s: nobody waits that long for a page", seen);
    return judge_written(facts, outcome, "pool_connect_timeout", seen);
}

bool probe_pooling_idle_timeout(Facts *facts, CheckOutcome *outcome, Error *err)
{
    int64_t ms = 0;
    const char *seen = duration(facts, "pool_idle_timeout", &ms);
    check_fix(facts, outcome,
              "pool_idle_timeout = 30s      (in vaxdb.ini; idleTimeoutMillis in the application)");
    if (ms <= 0)
        return check_fail(facts, outcome, "%s: idle connections are never closed", seen);
    Connections connections;
    if (!monitor_connections(facts->spec->session, facts->arena, MONITOR_LONG_SECONDS,
                             MONITOR_IDLE_IN_TX_SECONDS, &connections, err))
        return false;
    for (size_t i = 0; i < connections.application_count; i++) {
        const ApplicationConnections *row = &connections.applications[i];
        if (row->longest_idle_seconds * 1000.0 > (double)ms * IDLE_TIMES)
            return check_warn(facts, outcome,
                              "%s, but a connection of %s (%s) has been idle for %s", seen,
                              row->role, *row->application ? row->application : "no name",
                              str_duration(facts->arena, row->longest_idle_seconds * 1000.0));
    }
    return judge_written(facts, outcome, "pool_idle_timeout", seen);
}

bool probe_pooling_monitored(Facts *facts, CheckOutcome *outcome, Error *err)
{
    const ChecklistSpec *spec = facts->spec;
    int64_t newest = 0;
    if (!state_samples_newest(spec->state, SAMPLE_CONNECTIONS, spec->identity.system_identifier,
                              spec->identity.database, &newest, err))
        return false;
    if (!newest)
        return check_fail(facts, outcome, "nobody has looked from this machine yet");
    const char *when = clock_iso_utc(facts->arena, newest);
    if (clock_unix_s() - newest > DAY_S)
        return check_warn(facts, outcome, "the last look was more than a day ago, at %s", when);
    return check_pass(facts, outcome, "last looked at %s", when);
}

bool probe_pooling_retry(Facts *facts, CheckOutcome *outcome, Error *err)
{
    (void)err;
    return check_skip(facts, outcome,
                      "the application's code cannot be seen; vaxdb itself tries 3"
                      " times from 1 s on, with growing pauses");
}

bool probe_pooling_load(Facts *facts, CheckOutcome *outcome, Error *err)
{
    (void)err;
    return check_skip(facts, outcome, "no load test is on record: vaxdb does not run them yet");
}
