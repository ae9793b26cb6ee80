/* The command table. Each row of a table in src/cli/ is one command; a group is what --help shows
 * first. */
#include "base/interrupt.h"
#include "cli/commands.h"

static const Command *const tables[] = {
    cli_config_commands,
    cli_demo_commands,
    cli_dev_commands,
    cli_dev_load_commands,
    cli_migrate_commands,
    cli_migrate_look_commands,
    cli_migrate_verify_commands,
    cli_migrate_evidence_commands,
    cli_migrate_gate_commands,
    cli_backup_commands,
    cli_restore_commands,
    cli_drill_commands,
    cli_index_commands,
    cli_pool_commands,
    cli_monitor_commands,
    cli_checklist_commands,
};

/* In the order of --help. */
static const CommandGroup groups[] = {
    {"demo", "the tour: a PostgreSQL, real data, and everything below, in minutes"},
    {"init", "write a vaxdb.ini for your databases"},
    {"config", "show every setting, its value and where it comes from"},
    {"dev", "a private PostgreSQL on this machine, and the VaxTrace data set"},
    {"migrate", "run, undo and check changes of the schema"},
    {"backup", "make, list, verify and prune backups"},
    {"restore", "bring a backup back, beside the old database until it is right"},
    {"drill", "prove that a backup can be restored"},
    {"index", "which indexes there are, which are used, which are broken"},
    {"pool", "how many connections, and the settings for them"},
    {"monitor", "slow statements, table sizes, connections, and who waits for whom"},
    {"checklist", "the guide's 34 items, each with evidence and what mends it"},
};

int main(int argc, char **argv)
{
    (void)argc;
    interrupt_install();
    return command_main((const char *const *)argv, tables, COUNT_OF(tables), groups,
                        COUNT_OF(groups));
}
