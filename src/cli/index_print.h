/* What the index commands print, as text and as JSON. */
#pragma once

#include "cli/command.h"
#include "index/index.h"

/* "indexes" with every fact. */
json_t *index_list_json(const IndexList *list);
json_t *index_kinds_json(const IndexList *list);
json_t *index_unused_json(const UnusedReport *report);
json_t *index_kept_json(const UnusedReport *report);
json_t *index_invalid_json(const InvalidIndex *indexes, size_t count);
json_t *index_rebuilt_json(const Rebuild *rebuild);
/* Sets "counted_since", "days", "enough", "has_replicas" in object. */
void index_window_json(json_t *object, const IndexWindow *window);

void index_list_print(const Context *context, const IndexList *list);
void index_usage_print(const Context *context, const IndexList *list);
void index_kinds_print(const Context *context, const IndexList *list);
void index_unused_print(const Context *context, const UnusedReport *report,
                        const IndexWindow *window, int64_t max_scans);
void index_invalid_print(const Context *context, const InvalidIndex *indexes, size_t count);
void index_rebuilt_print(const Context *context, const Rebuild *rebuild);
/* Since when scans were counted, and what that is worth. */
void index_window_print(const Context *context, const IndexWindow *window);
