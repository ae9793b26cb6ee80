#include "flows/copy.h"

#include "backup/roles.h"
#include "base/clock.h"
#include "base/file.h"

bool copy_open(Arena *arena, Log *log, const char *conninfo, Copy *copy, Error *err)
{
    *copy = (Copy){.arena = arena, .log = log, .conninfo = conninfo};
    str_list_init(&copy->roles_created, arena);
    str_list_init(&copy->roles_skipped, arena);
    return scratch_connect(log, conninfo, &copy->server, err) &&
           scratch_sweep(arena, log, copy->server, err);
}

/* Where the server keeps its data, when that is on this machine; NULL when not, or not told. */
static const char *local_data_directory(Copy *copy)
{
    static const char sql[] =
        "SELECT CASE WHEN inet_server_addr() IS NULL OR inet_server_addr() <<= '127.0.0.0/8' OR "
        "host(inet_server_addr()) = '::1' THEN current_setting('data_directory') END";
    const char *directory = NULL;
    Error ignored = {0};
    if (!session_scalar(copy->server, copy->arena, sql, &directory, &ignored))
        return NULL;
    return directory && file_is_directory(directory) ? directory : NULL;
}

bool copy_check_space(Copy *copy, const VerifyReport *report, bool *known, Error *err)
{
    const char *directory = local_data_directory(copy);
    int64_t free_bytes = 0;
    *known = directory != NULL;
    if (!directory)
        return true;
    if (!disk_free_bytes(directory, &free_bytes, err))
        return false;
    bool told = report->has_manifest && report->manifest.database_bytes; /* not of an adopted one */
    double wanted = told ? (double)report->manifest.database_bytes * COPY_SPACE_FACTOR
                         : (double)report->raw_bytes * COPY_SPACE_RAW_FACTOR;
    if ((double)free_bytes >= wanted)
        return true;
    (void)error_set(err, ERR_FAILED,
                    "the server's disk has %s free, restoring this backup may take %s",
                    str_bytes(copy->arena, free_bytes), str_bytes(copy->arena, (int64_t)wanted));
    return error_hint(err, "make room in %s; nothing was changed", directory);
}

bool copy_spec_of_manifest(Copy *copy, const VerifyReport *report, ScratchSpec *spec, Error *err)
{
    *spec = (ScratchSpec){0};
    if (!report->has_manifest)
        return true;
    const Manifest *manifest = &report->manifest;
    *spec = (ScratchSpec){.encoding = manifest->encoding,
                          .collate = manifest->collate,
                          .ctype = manifest->ctype,
                          .locale_provider = manifest->locale_provider,
                          .locale = manifest->locale};
    _cleanup_result_ Result *rows = NULL;
    const char *params[] = {manifest->owner};
    if (!session_query_params(copy->server,
                              "SELECT FROM pg_roles WHERE rolname = $1 AND "
                              "pg_has_role(rolname, 'MEMBER')",
                              1, params, &rows, err))
        return false;
    if (result_rows(rows))
        spec->owner = manifest->owner;
    return true;
}

static void tell_roles(Copy *copy)
{
    Arena *arena = copy->arena;
    if (copy->roles_created.count)
        log_info(copy->log, "Roles that this server lacked were created, without login: %s",
                 str_list_join(&copy->roles_created, arena, ", "));
    if (copy->roles_skipped.count)
        log_warn(copy->log,
                 "this server lacks the roles %s, and they could not be created: what "
                 "the backup gives them (ownership, grants, policies) is left out",
                 str_list_join(&copy->roles_skipped, arena, ", "));
}

bool copy_create(Copy *copy, const char *kind, const ScratchSpec *spec, bool may_fall_back,
                 const VerifyReport *report, Error *err)
{
    int64_t started_ms = clock_monotonic_ms();
    if (!roles_prepare(copy->arena, copy->server, &report->roles, &copy->roles_created,
                       &copy->roles_skipped, err))
        return false;
    tell_roles(copy);
    if (!scratch_create(copy->arena, copy->log, copy->server, kind, spec, may_fall_back,
                        &copy->name, err))
        return false;
    copy->create_seconds = (double)(clock_monotonic_ms() - started_ms) / 1000;
    return true;
}

bool copy_load(Copy *copy, const char *path, Error *err)
{
    int64_t started_ms = clock_monotonic_ms();
    SessionOptions session = {.conninfo = copy->conninfo,
                              .dbname = copy->name,
                              .application_name = "vaxdb restore",
                              .log = copy->log};
    LoadOptions options = {.skip_roles = &copy->roles_skipped,
                           .keys = copy->keys,
                           .connect = &session,
                           .jobs = copy->jobs,
                           .tables = copy->tables};
    if (!session_open(&session, &copy->session, err) ||
        !backup_load(copy->arena, copy->log, copy->session, path, &options, &copy->load, err))
        return false;
    for (size_t i = 0; i < copy->load.notes.count; i++)
        log_warn(copy->log, "%s", copy->load.notes.items[i]);
    copy->load_seconds =
        (double)(clock_monotonic_ms() - started_ms) / 1000 - copy->load.analyze_seconds;
    return true;
}

void copy_keep(Copy *copy)
{
    copy->name = NULL;
    copy->roles_created.count = 0;
}

void copy_release(Copy *copy)
{
    session_close(copy->session);
    copy->session = NULL;
    if (copy->server && copy->name)
        scratch_drop(copy->arena, copy->log, copy->server, copy->conninfo, copy->name);
    if (copy->server && copy->roles_created.count)
        roles_drop(copy->arena, copy->server, &copy->roles_created);
    session_close(copy->server);
    copy->server = NULL;
    copy->name = NULL;
}
