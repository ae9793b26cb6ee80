/* What the monitor commands print: each metric as text and as JSON, alone or within the report. */
#pragma once

#include "cli/command.h"
#include "index/index.h"
#include "monitor/monitor.h"

json_t *monitor_slow_json(const SlowQueries *queries);
json_t *monitor_tables_json(const TableList *tables);
/* The members of the object of `monitor connections`. */
json_t *monitor_connections_json(const Connections *connections);
/* "trees", "waiting", "blocking". */
json_t *monitor_locks_json(const LockTree *tree);

void monitor_slow_print(const Context *context, const SlowQueries *queries, int64_t min_calls);
void monitor_tables_print(const Context *context, const TableList *tables);
void monitor_connections_print(const Context *context, const Connections *connections);
void monitor_locks_print(const Context *context, const LockTree *tree);
/* "locked" for unknown sizes. */
const char *monitor_bytes(Arena *arena, int64_t bytes);
