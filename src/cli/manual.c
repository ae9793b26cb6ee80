#include "cli/manual_page.h"

#include "base/buffer.h"
#include "base/str.h"
#include "cli/commands.h"

#include <errno.h>

static const OptionSpec manual_options[] = {
    {.name = "list", .kind = OPTION_FLAG, .help = "list the pages"},
    OPTION_END,
};

static bool list_pages(Context *context, const StrList *pages, Error *err)
{
    json_t *names = json_array();
    for (size_t i = 0; i < pages->count; i++)
        (void)json_array_append_new(names, json_text(pages->items[i]));
    if (context->json)
        return command_print_json(context, json_pack("{s:o}", "pages", names), err);
    json_decref(names);
    for (size_t i = 0; i < pages->count; i++)
        (void)fprintf(context->out, "%s\n", pages->items[i]);
    return true;
}

static bool no_such_page(const char *name, const StrList *pages, Error *err)
{
    (void)error_set(err, ERR_USAGE, "there is no page \"%s\"", name);
    const char *nearest = str_nearest(name, pages->items, pages->count);
    if (nearest)
        return error_hint(err, "did you mean %s?", nearest);
    return error_hint(err, "`vaxdb manual --list` names them");
}

static bool run_manual(Context *context, Error *err)
{
    StrList pages;
    str_list_init(&pages, context->arena);
    manual_list_pages(context->tables, &pages);
    if (options_flag(context->options, "list"))
        return list_pages(context, &pages, err);
    const char *name = command_argument(context, 0);
    if (!name)
        name = "vaxdb";
    _cleanup_free_ char *text = NULL;
    size_t length = 0;
    _cleanup_fclose_ FILE *memory = open_memstream(&text, &length);
    if (!memory)
        return error_set_errno(err, ERR_FAILED, errno, "no memory for the page");
    if (!manual_write_page(context->tables, name, memory))
        return no_such_page(name, &pages, err);
    (void)fflush(memory);
    if (context->json)
        return command_print_json(context, json_pack("{s:s, s:s}", "page", name, "text", text),
                                  err);
    (void)fputs(text, context->out);
    return true;
}

const Command cli_manual_commands[] = {
    {.name = "manual",
     .synopsis = "[PAGE]",
     .summary = "print a manual page, as man reads it",
     .details =
         "PAGE is a command (migrate), vaxdb.ini, or vaxdb (the default). The pages are made "
         "from the same tables as --help; the build installs them, so that `man vaxdb-migrate` "
         "works.",
     .example = "vaxdb manual migrate | man -l -     read it where it is not installed",
     .options = manual_options,
     .max_arguments = 1,
     .reads_no_config = true,
     .run = run_manual},
    COMMAND_END,
};
