#include "pool/size.h"

#include "sql_texts.h"

#include <assert.h>

void pool_size_compute(Arena *arena, const PoolSizeInput *input, PoolSize *size)
{
    assert(input->cores >= 1 && input->cores <= POOL_CORES_MAX);
    assert(input->spindles >= 0 && input->spindles <= POOL_SPINDLES_MAX);
    assert(input->instances >= 1 && input->instances <= POOL_INSTANCES_MAX);
    int64_t result = input->cores * 2 + input->spindles;
    bool capped = input->cap > 0 && result > input->cap;
    *size = (PoolSize){
        .formula_result = result,
        .per_instance = capped ? input->cap : result,
        .capped = capped,
        .formula = arena_printf(arena, "connections = (%lld core%s x 2) + %lld spindle%s = %lld",
                                (long long)input->cores, input->cores == 1 ? "" : "s",
                                (long long)input->spindles, input->spindles == 1 ? "" : "s",
                                (long long)result),
    };
    size->total = size->per_instance * input->instances;
    assert(size->per_instance >= 1 && size->total >= size->per_instance);
}

bool pool_server_read(Session *session, PoolServer *server, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_pool_server, &rows, err))
        return error_context(err, "reading the server's connection limits");
    *server = (PoolServer){
        .max_connections = result_int64(rows, 0, "max_connections"),
        .reserved = result_int64(rows, 0, "reserved"),
        .in_use = result_int64(rows, 0, "in_use"),
        .local = result_bool(rows, 0, "local"),
    };
    server->usable = server->max_connections - server->reserved;
    return true;
}
