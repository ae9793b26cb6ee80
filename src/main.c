/* The command table. Each row of a table in src/cli/ is one command; a group is what --help shows
 * first. */
#include "base/interrupt.h"
#include "cli/commands.h"

static const Command *const tables[] = {
    cli_backup_commands,
    cli_config_commands,
    cli_dev_commands,
    cli_dev_load_commands,
    cli_drill_commands,
    cli_restore_commands,
    cli_migrate_commands,
    cli_index_commands,
    cli_pool_commands,
    cli_monitor_commands,
    cli_checklist_commands,
};

static const CommandGroup groups[] = {
    {"init", "write a vaxdb.ini for your databases"},
    {"config", "show every setting, its value and where it comes from"},
    {"dev", "a private PostgreSQL on this machine, and the VaxTrace data set"},
    {"backup", "make, list, verify and prune backups"},
    {"drill", "prove that a backup can be restored"},
    {"migrate", "run, undo and check changes of the schema"},
    {"index", "which indexes there are, which are used, which are broken"},
    {"pool", "how many connections, and the settings for them"},
    {"monitor", "slow statements, table sizes, connections, and who waits for whom"},
};

int main(int argc, char **argv)
{
    (void)argc;
    interrupt_install();
    return command_main((const char *const *)argv, tables, COUNT_OF(tables), groups,
                        COUNT_OF(groups));
}
