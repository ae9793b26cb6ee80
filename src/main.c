/* The command table. Each row of a table in src/cli/ is one command; a group is what --help shows
 * first. */
#include "base/interrupt.h"
#include "cli/commands.h"

/* clang-format off */
static const Command *const tables[] = {
    cli_config_commands,
    cli_demo_commands,
    cli_dev_commands,
    cli_dev_load_commands,
    cli_migrate_commands,
    cli_migrate_lint_commands,
    cli_migrate_look_commands,
    cli_migrate_plan_commands,
    cli_migrate_roundtrip_commands,
    cli_migrate_verify_commands,
    cli_migrate_evidence_commands,
    cli_migrate_gate_commands,
    cli_migrate_baseline_commands,
    cli_migrate_repair_commands,
    cli_backup_commands,
    cli_backup_verify_commands,
    cli_backup_prune_commands,
    cli_backup_adopt_commands,
    cli_backup_schedule_commands,
    cli_backup_offsite_commands,
    cli_backup_seal_commands,
    cli_restore_commands,
    cli_drill_commands,
    cli_index_commands,
    cli_pool_commands,
    cli_monitor_commands,
    cli_checklist_commands,
    cli_completion_commands,
    cli_manual_commands,
};
/* clang-format on */

/* In the order of --help. */
static const CommandGroup groups[] = {
    {"demo", "the tour: a PostgreSQL, real data, and everything below, in minutes", NULL},
    {"init", "write a vaxdb.ini for your databases", NULL},
    {"config", "show every setting, its value and where it comes from",
     "The settings are those of vaxdb.ini; `man vaxdb.ini` explains each."},
    {"dev", "a private PostgreSQL on this machine, and the VaxTrace data set",
     "For trying and developing: a server of your own that needs no administrator, with a database "
     "for development, staging, production and test. Nobody else can reach it. Without a vaxdb.ini "
     "development and test are there, and the server starts by itself when they are needed."},
    {"migrate", "run, undo and check changes of the schema",
     "A migration is a file of SQL with a number in front, NNN_NAME.sql, and beside it the file "
     "that undoes it, NNN_NAME.down.sql. They are run in the order of their names, once each; the "
     "table "
     "schema_migrations in the database, the ledger, tells which.\n\n"
     "The usual way of a change:\n\n"
     "  vaxdb migrate new add_cold_chain_alerts\n"
     "  vaxdb migrate up\n"
     "  vaxdb migrate up -e staging\n"
     "  vaxdb migrate up -e production"},
    {"backup", "make, list, verify, adopt, prune and push backups",
     "A backup is one file, NAME-ENV-YYYYMMDD-HHMMSS.sql.gz, that `gunzip -c FILE | psql` restores "
     "without vaxdb. Beside it stand its checksum (.sha256) and its manifest (.json): what every "
     "table held, row for row; and the server's roles and tablespaces, which no database holds "
     "(.globals.sql.gz), where they may be read: restore these first on a new server. All but "
     "the manifest can be encrypted (.sql.gz.enc); `backup decrypt` undoes that."},
    {"restore", "bring a backup back, beside the old database until it is right", NULL},
    {"drill", "prove that a backup can be restored",
     "A backup is worth what its last restore was. A drill restores one into a PostgreSQL that is "
     "made for it, examines it and removes it again; nothing else is touched."},
    {"index", "which indexes there are, which are used, which are broken",
     "All of these only look, but for rebuild and analyze."},
    {"pool", "how many connections, and the settings for them", NULL},
    {"monitor", "slow statements, table sizes, connections, and who waits for whom",
     "Looks at the server's own statistics, in short read-only transactions."},
    {"checklist", "the guide's 34 items, each with evidence and what mends it", NULL},
    {"completion", "let the shell complete vaxdb's commands and flags", NULL},
    {"manual", "the manual pages", NULL},
};

int main(int argc, char **argv)
{
    (void)argc;
    interrupt_install();
    const CommandTables commands = {tables, COUNT_OF(tables), groups, COUNT_OF(groups)};
    return command_main((const char *const *)argv, &commands);
}
