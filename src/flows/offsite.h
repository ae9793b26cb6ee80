/* The off-site store that a configuration names. */
#pragma once

#include "conf/config.h"
#include "store/store.h"

/* backup_url, else the bucket of $BACKUP_BUCKET (of the guide's script) as s3://BUCKET; NULL when
 * neither is set. */
const char *offsite_url(Arena *arena, const Config *config, EnvKind env);
/* Opens it with the settings s3_* and backup_*. Nothing is sent. No store is ERR_USAGE. jobs 0: the
 * default. */
bool offsite_open(Arena *arena, Log *log, const Config *config, EnvKind env, int jobs,
                  Store **store, Error *err) MUST_CHECK;
