#include "cli/watching.h"

#include "pg/watch.h"

bool watching_open(Context *context, Watching *watching, Error *err)
{
    return command_connect(context, &watching->state, &watching->target, &watching->session, err) &&
           watch_begin(watching->session, err) &&
           session_identity(watching->session, context->arena, &watching->identity, err);
}

void watching_close(Watching *watching)
{
    session_close(watching->session);
    state_close(watching->state);
}

const char *watching_flags(const Context *context)
{
    if (command_url(context))
        return " --url ...";
    if (!options_given(context->options, "env"))
        return "";
    return arena_printf(context->arena, " -e %s", env_name(context->env));
}
