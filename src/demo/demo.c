#include "demo/demo.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "demo/steps.h"
#include "flows/private_cluster.h"

#include <stdarg.h>

#define COMMAND_WIDTH 40

void demo_say(const Demo *demo, const char *format, ...)
{
    FILE *out = demo->options->out;
    if (!out)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("   ", out);
    (void)vfprintf(out, format, arguments);
    (void)fputc('\n', out);
    (void)fflush(out);
    va_end(arguments);
}

void demo_set_text(json_t *facts, const char *key, const char *value)
{
    (void)json_object_set_new(facts, key, json_text(value));
}

void demo_set_int(json_t *facts, const char *key, int64_t value)
{
    (void)json_object_set_new(facts, key, json_integer(value));
}

/* Backups of the tour would lie among those of a real production, and retention would count them.
 */
static bool check_configuration(const Config *config, Error *err)
{
    for (int env = 0; env < ENV_COUNT; env++) {
        const char *url = config_text(config, (EnvKind)env, "url");
        if (!url || str_equal(url, PRIVATE_CLUSTER_URL))
            continue;
        (void)error_set(err, ERR_REFUSED,
                        "%s says that %s is a server of its own; the demo only plays with private "
                        "databases",
                        config_path(config), env_name((EnvKind)env));
        return error_hint(err, "run it in a folder without a vaxdb.ini of yours, with "
                               "VAXDB_STATE_DIR set to an empty folder");
    }
    return true;
}

static bool find_folders(Demo *demo, Error *err)
{
    const Config *config = demo->options->config;
    demo->migrations = config_folder(config, ENV_PRODUCTION, "migrations");
    demo->queries_directory = config_folder(config, ENV_PRODUCTION, "queries_dir");
    demo->backup_directory = config_text(config, ENV_PRODUCTION, "backup_dir");
    if (!demo->backup_directory)
        demo->backup_directory = path_join(demo->arena, config_state_directory(config), "backups");
    if (demo->migrations && demo->queries_directory)
        return true;
    (void)error_set(err, ERR_USAGE, "the VaxTrace database is not here: no folder %s",
                    demo->migrations ? "backend/database/queries" : "backend/database/migrations");
    return error_hint(err, "run the demo in the folder of the vaxdb project: ./run demo");
}

static bool run_step(Demo *demo, const DemoStep *step, size_t number, json_t *steps, Error *err)
{
    FILE *out = demo->options->out;
    if (out)
        (void)fprintf(out, "\n%zu. %s\n", number, step->title);
    json_t *facts = json_object();
    (void)json_array_append_new(steps, facts);
    (void)json_object_set_new(facts, "id", json_text(step->id));
    (void)json_object_set_new(facts, "title", json_text(step->title));
    int64_t from_ms = clock_monotonic_ms();
    bool done = step->run(demo, facts, err);
    double seconds = (double)(clock_monotonic_ms() - from_ms) / 1000;
    (void)json_object_set_new(facts, "seconds", json_real(seconds));
    (void)json_object_set_new(facts, "done", json_boolean(done));
    if (!done)
        return error_context(err, "step %zu, %s", number, step->title);
    demo_say(demo, "(%.1f s)", seconds);
    return true;
}

static void say_what_next(const Demo *demo)
{
    static const struct {
        const char *command; /* of vaxdb; or a whole one, where it begins with '.' */
        const char *what;
    } hints[] = {
        {"checklist -e production", "the guide's items, what mends them"},
        {"monitor report -e production", "slow queries, sizes, locks"},
        {"index unused -e production", "indexes that nobody reads"},
        {"migrate status -e production", "what was applied, when"},
        {"./scripts/backup-db.sh production", "the guide's own commands"},
        {"dev url -e production", "where psql finds the database"},
        {"dev stop", "stop it; its data stays"},
    };
    FILE *out = demo->options->out;
    if (!out)
        return;
    (void)fputs("\nWhat to try next\n", out);
    for (size_t i = 0; i < COUNT_OF(hints); i++) {
        const char *command =
            hints[i].command[0] == '.'
                ? hints[i].command
                : arena_printf(demo->arena, "%s %s", demo->options->program, hints[i].command);
        bool fits = strlen(command) <= COMMAND_WIDTH;
        (void)fprintf(out, fits ? "   %-*s %s\n" : "   %-*s\n        %s\n", COMMAND_WIDTH, command,
                      hints[i].what);
    }
}

bool demo_run(Arena *arena, Log *log, State *state, const DemoOptions *options, json_t **report,
              Error *err)
{
    json_t *steps = json_array();
    json_t *claims = json_array();
    *report = json_object();
    (void)json_object_set_new(*report, "rows", json_integer(options->rows));
    (void)json_object_set_new(*report, "steps", steps);
    (void)json_object_set_new(*report, "claims", claims);
    Demo demo = {.arena = arena, .log = log, .state = state, .options = options, .claims = claims};
    if (!check_configuration(options->config, err) || !find_folders(&demo, err))
        return false;
    if (options->out)
        (void)fprintf(options->out,
                      "vaxdb demo: the guide's system on this machine, with %s stock snapshots\n",
                      str_count(arena, options->rows));
    int64_t from_ms = clock_monotonic_ms();
    for (size_t i = 0; i < demo_steps_count; i++) {
        if (!run_step(&demo, &demo_steps[i], i + 1, steps, err))
            return false;
    }
    double ms = (double)(clock_monotonic_ms() - from_ms);
    (void)json_object_set_new(*report, "seconds", json_real(ms / 1000));
    if (options->out)
        (void)fprintf(options->out, "\nDone in %s.\n", str_duration(arena, ms));
    say_what_next(&demo);
    return true;
}
