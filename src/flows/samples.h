/* What was looked at is remembered: readings of a pillar, kept in state. A later look compares with
 * them, and the checklist asks when the last one was. */
#pragma once

#include "index/index.h"
#include "monitor/monitor.h"
#include "pg/session.h"
#include "state/state.h"

bool samples_keep_indexes(Arena *arena, State *state, const DatabaseIdentity *identity,
                          const IndexList *list, const IndexWindow *window, Error *err) MUST_CHECK;
bool samples_keep_connections(State *state, const DatabaseIdentity *identity,
                              const Connections *connections, Error *err) MUST_CHECK;
