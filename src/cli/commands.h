/* The tables of commands, one per file of this room; each ends in COMMAND_END. */
#pragma once

#include "cli/command.h"

extern const Command cli_backup_commands[];
extern const Command cli_backup_adopt_commands[];
extern const Command cli_backup_offsite_commands[];
extern const Command cli_backup_prune_commands[];
extern const Command cli_backup_schedule_commands[];
extern const Command cli_backup_seal_commands[];
extern const Command cli_backup_verify_commands[];
extern const Command cli_checklist_commands[];
extern const Command cli_completion_commands[];
extern const Command cli_config_commands[];
extern const Command cli_demo_commands[];
extern const Command cli_dev_commands[];
extern const Command cli_dev_load_commands[];
extern const Command cli_drill_commands[];
extern const Command cli_index_commands[];
extern const Command cli_manual_commands[];
extern const Command cli_migrate_baseline_commands[];
extern const Command cli_migrate_repair_commands[];
extern const Command cli_migrate_commands[];
extern const Command cli_migrate_evidence_commands[];
extern const Command cli_migrate_gate_commands[];
extern const Command cli_migrate_lint_commands[];
extern const Command cli_migrate_look_commands[];
extern const Command cli_migrate_roundtrip_commands[];
extern const Command cli_migrate_plan_commands[];
extern const Command cli_migrate_verify_commands[];
extern const Command cli_monitor_commands[];
extern const Command cli_pool_commands[];
extern const Command cli_restore_commands[];
