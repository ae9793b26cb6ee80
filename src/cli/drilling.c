#include "cli/drilling.h"

#include "base/file.h"
#include "base/table.h"
#include "cli/backup_files.h"

DrillSpec drilling_spec(const Context *context, const char *path)
{
    return (DrillSpec){
        .path = path,
        .state_directory = config_state_directory(context->config),
        .env = env_name(context->env),
        .app_role = config_text(context->config, context->env, "app_role"),
        .queries_directory = config_folder(context->config, context->env, "queries_dir"),
        .pg_bindir = config_text(context->config, context->env, "pg_bindir"),
        .keys = backup_files_keys(context, context->env),
    };
}

void drilling_print(const Context *context, const DrillReport *report)
{
    Table *table = table_create(context->arena);
    table_column(table, "Check", TABLE_LEFT);
    table_column(table, "", TABLE_LEFT);
    table_column(table, "Found", TABLE_LEFT);
    for (size_t i = 0; i < report->check_count; i++) {
        const DrillCheck *check = &report->checks[i];
        table_row(table, (const char *[]){check->name,
                                          check->skipped ? "skip"
                                          : check->ok    ? "ok"
                                                         : "FAIL",
                                          check->detail});
    }
    table_print(table, context->out, table_terminal_width(context->out));
    StrList phases;
    str_list_init(&phases, context->arena);
    for (size_t i = 0; i < report->phase_count; i++)
        str_list_addf(&phases, "%s %.1f s", report->phases[i].name, report->phases[i].seconds);
    (void)fprintf(context->out, "\n%s: %s in %.1f s (%s)\n", path_basename(report->path),
                  report->passed ? "PASS" : "FAIL", report->seconds,
                  str_list_join(&phases, context->arena, ", "));
}

bool drilling_verdict(const DrillReport *report, Error *err)
{
    const DrillCheck *failed = drill_report_failure(report);
    if (report->passed || !failed)
        return true;
    (void)error_set(err, ERR_PROBLEMS, "the drill of %s failed: %s: %s",
                    path_basename(report->path), failed->name, failed->detail);
    return error_hint(err, "do not rely on this backup; make a new one and drill it: "
                           "vaxdb backup create, vaxdb drill run");
}
