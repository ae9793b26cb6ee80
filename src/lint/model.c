#include "lint/model.h"

#include "base/str.h"
#include "pg/node.h"

/* The tables and indexes that the files of the run made. */

struct Model {
    Arena *arena;
    int version;
};

Model *model_create(Arena *arena)
{
    Model *model = arena_alloc(arena, sizeof(*model));
    model->arena = arena;
    return model;
}

bool model_load(Model *model, Session *session, Error *err)
{
    (void)err;
    model->version = session_server_version(session);
    return true;
}

void model_apply(Model *model, const char *type, const json_t *node, size_t file_ordinal)
{
    (void)model;
    (void)type;
    (void)node;
    (void)file_ordinal;
}

int model_server_version(const Model *model)
{
    return model->version;
}

const ModelTable *model_table(const Model *model, const char *schema, const char *name)
{
    (void)model;
    (void)schema;
    (void)name;
    return NULL;
}

const ModelIndex *model_index(const Model *model, const char *schema, const char *name,
                              const ModelTable **table)
{
    (void)model;
    (void)schema;
    (void)name;
    (void)table;
    return NULL;
}

char model_volatility(const Model *model, const char *schema, const char *function)
{
    (void)model;
    (void)schema;
    return str_equal(function, "now") || str_equal(function, "random") ? 'v' : 0;
}
