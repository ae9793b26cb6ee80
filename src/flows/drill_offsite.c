/* A drill of the copy that is off-site. */
#include "base/file.h"
#include "flows/drill.h"
#include "flows/offsite.h"

/* Gets the backup into an empty folder, which a killed run may have left full. */
static bool fetch(Arena *arena, Log *log, const FetchSpec *spec, DrillSpec *drill, Error *err)
{
    OffsiteResult result;
    if (!directory_remove(spec->directory, err) ||
        !offsite_fetch(arena, log, spec, &drill->place, &result, err))
        return false;
    drill->path = result.path;
    drill->pull_seconds = result.seconds;
    return true;
}

bool drill_run_offsite(Arena *arena, Log *log, State *state, const Config *config, EnvKind env,
                       const char *word, const DrillSpec *spec, DrillReport *report, Error *err)
{
    const char *directory = path_join(arena, spec->state_directory, "offsite");
    _cleanup_close_ int lock = -1;
    Error ignored = {0};
    DrillSpec drill = *spec;
    FetchSpec fetching = {.config = config,
                          .env = env,
                          .word = word,
                          .newest_env = spec->env,
                          .directory = directory};
    if (!file_lock(arena_printf(arena, "%s.lock", directory), 0, "a drill of an off-site backup",
                   &lock, err))
        return false;
    bool done = fetch(arena, log, &fetching, &drill, err) &&
                drill_run(arena, log, state, &drill, report, err);
    if (!directory_remove(directory, &ignored))
        log_warn(log, "%s is left: %s", directory, ignored.message);
    return done;
}
