#include "demo/demo.h"

#include "cli/commands.h"

static const OptionSpec demo_options[] = {
    {.name = "rows",
     .kind = OPTION_INT,
     .argument = "N",
     .fallback = "1000000",
     .min = 1000,
     .max = 100000000,
     .help = "stock snapshots to load"},
    OPTION_END,
};

static bool run_demo(Context *context, Error *err)
{
    _cleanup_state_ State *state = NULL;
    if (!state_open(config_state_directory(context->config), &state, err))
        return false;
    DemoOptions options = {.rows = options_int(context->options, "rows"),
                           .out = context->json ? NULL : context->out,
                           .program = context->program,
                           .config = context->config};
    json_t *report = NULL;
    Log *log = context->log;
    /* The steps tell what the pillars' own lines would tell again; on a terminal the bars stay. */
    bool quiet = log->quiet;
    log->quiet = quiet || !log->terminal;
    bool done = demo_run(context->arena, log, state, &options, &report, err);
    log->quiet = quiet;
    if (!context->json || !done) {
        json_decref(report);
        return done;
    }
    return command_print_json(context, report, err);
}

const Command cli_demo_commands[] = {
    {.name = "demo",
     .synopsis = "",
     .summary = "the tour: a PostgreSQL, real data, what an index is worth, backup, drill",
     .details =
         "Creates the private PostgreSQL of `vaxdb dev`, migrates it, loads stock snapshots of "
         "a whole country, measures the guide's claims, backs the database up, restores it "
         "and runs the guide's checklists. Takes a few minutes. Nothing but the private "
         "databases is touched.",
     .example = "vaxdb demo --rows 100000",
     .options = demo_options,
     .run = run_demo},
    COMMAND_END,
};
