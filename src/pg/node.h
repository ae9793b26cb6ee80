/* Reading libpg_query's parse trees, which are JSON: {"IndexStmt": {"idxname": "i", ...}}. Absent
 * members are false, 0 or the first value of an enumeration, as protobuf leaves them out.
 *
 * The "location" members are byte offsets into the text that was parsed; positions of errors are
 * characters. */
#pragma once

#include "base/arena.h"
#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

/* Is the member of that text? */
bool node_is(const json_t *node, const char *key, const char *value);
bool node_flag(const json_t *node, const char *key);
/* Text of a member, NULL when absent. Lives as long as the tree. */
const char *node_text(const json_t *node, const char *key);
/* A member by key, then its only node if type is given: node_inner(x, "relation", NULL). NULL when
 * it is absent or of another type. */
const json_t *node_inner(const json_t *node, const char *key, const char *type);
/* The one member of {"Type": {...}}: its name and inside. NULL for anything else. */
const json_t *node_open(const json_t *wrapped, const char **type);
/* {"String": {"sval": x}} or {"A_Const": {"sval": {"sval": x}}}; NULL for anything else. */
const char *node_string(const json_t *wrapped);
/* Last part of a qualified name (a list of String nodes), and the one before it (NULL). */
const char *node_name(const json_t *list, const char **schema);
/* An option of a list of DefElem: NULL when not there, its value, or "true" where it has none. */
const char *node_option(const json_t *options, const char *name);
bool node_option_is_on(const json_t *options, const char *name, bool fallback);
/* "location", -1 when absent or unknown; absent also stands for 0, which `zero` says. */
int64_t node_location(const json_t *node, bool zero);
/* Calls visit for every node below (and with) wrapped, depth first, until it returns false. Deep
 * trees are cut at 1,000 levels. */
typedef bool (*NodeVisit)(void *data, const char *type, const json_t *node);
bool node_walk(const json_t *wrapped, NodeVisit visit, void *data);
