#include "flows/samples.h"

#include "state/samples.h"

bool samples_keep_indexes(Arena *arena, State *state, const DatabaseIdentity *identity,
                          const IndexList *list, const IndexWindow *window, Error *err)
{
    IndexSample *samples = arena_array(arena, list->count, sizeof(*samples));
    for (size_t i = 0; i < list->count; i++) {
        const IndexInfo *index = &list->items[i];
        samples[i] = (IndexSample){index->schema, index->name, index->scans, index->bytes};
    }
    return state_samples_add_indexes(state, identity->system_identifier, identity->database,
                                     window->since_unix_s, samples, list->count, err);
}

bool samples_keep_connections(State *state, const DatabaseIdentity *identity,
                              const Connections *connections, Error *err)
{
    ConnectionSample sample = {
        .total = connections->total,
        .active = connections->active,
        .idle = connections->idle,
        .idle_in_transaction = connections->idle_in_transaction,
        .usable = connections->usable,
    };
    return state_samples_add_connections(state, identity->system_identifier, identity->database,
                                         &sample, err);
}
