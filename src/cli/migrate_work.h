/* What the commands of `vaxdb migrate` share: their flags, the way to the database, and printing.
 */
#pragma once

#include "cli/command.h"
#include "flows/guarded.h"
#include "flows/migrations.h"

/* clang-format off */
#define DIR_OPTION                                                                                 \
    {.name = "dir", .kind = OPTION_PATH, .argument = "DIR", .key = "migrations",                   \
     .help = "folder of migrations"}
#define RUN_OPTIONS                                                                                \
    DIR_OPTION,                                                                                    \
    {.name = "lock-timeout", .kind = OPTION_DURATION, .argument = "TIME", .key = "lock_timeout",   \
     .help = "how long a file waits for a lock before it lets others pass and tries again"},       \
    {.name = "wait", .kind = OPTION_DURATION, .argument = "TIME", .fallback = "10min",             \
     .help = "how long to wait for another migration run to end"},                                 \
    {.name = "interrupted", .kind = OPTION_TEXT, .argument = "done|again",                         \
     .help = "whether a statement that a kill interrupted is to be skipped or run again, where "   \
             "the database cannot tell (a CALL)"}
/* clang-format on */

/* A command's state, target, session and options of migrate/migrate.h; zeroed before open. */
typedef struct {
    Context *context;
    State *state;
    Session *session;
    Target target;
    MigrateOptions options;
} MigrateWork;

bool migrate_work_open(Context *context, MigrateWork *work, Error *err) MUST_CHECK;
void migrate_work_close(MigrateWork *work);
#define _cleanup_migrate_work_ _cleanup_(migrate_work_close)

/* Guards as the configuration has them; of production where the database is production's, whatever
 * it is called here. Reasons and listeners are the command's. */
void migrate_work_guards(const MigrateWork *work, GuardSpec *spec);
/* RUN_OPTIONS, and the listeners that print the guide's lines. */
void migrate_work_run_options(MigrateWork *work);
bool migrate_work_status(MigrateWork *work, MigrateStatus *status, Error *err) MUST_CHECK;

/* N or --to of down and rollback. */
bool migrate_read_steps(const Context *context, int64_t *steps, Error *err) MUST_CHECK;

json_t *migrate_list_json(const StrList *list);
void migrate_print_warnings(const Context *context, const StrList *warnings);
/* Prints the report, of a failed run too. done is what the run returned, key the list's name in
 * JSON, extra (taken over; may be NULL) further members. */
bool migrate_print_report(Context *context, const char *key, const MigrateReport *report,
                          json_t *extra, int64_t started_ms, bool done, Error *err);
/* What --dry-run shows; says is what guards would say, may be NULL. */
bool migrate_print_plan(Context *context, const MigratePlan *plan, const StrList *says,
                        Error *err) MUST_CHECK;
