/* The off-site store that a configuration names, and backups that are fetched from one. */
#pragma once

#include "backup/offsite.h"
#include "conf/config.h"
#include "store/store.h"

/* backup_url, else the bucket of $BACKUP_BUCKET (of the guide's script) as s3://BUCKET; NULL when
 * neither is set. */
const char *offsite_url(Arena *arena, const Config *config, EnvKind env);
/* Opens it with the settings s3_* and backup_*. Nothing is sent. No store is ERR_USAGE. jobs 0: the
 * default. */
bool offsite_open(Arena *arena, Log *log, const Config *config, EnvKind env, int jobs,
                  Store **store, Error *err) MUST_CHECK;

/* Is it the place of a backup in a store, STORE-URL/NAME, such as s3://BUCKET/PREFIX/NAME? */
bool offsite_is_place(const char *word);

typedef struct {
    const Config *config;
    EnvKind env;            /* whose settings are taken */
    const char *word;       /* a place, or the name of a backup in the configured store; NULL or
                             * "newest": its newest */
    const char *newest_env; /* of which environment the newest is meant; NULL: of any */
    const char *directory;  /* where it goes; made when missing */
} FetchSpec;

/* backup_pull of what is meant. result->path is there, whole, and its SHA-256 is right. */
bool offsite_fetch(Arena *arena, Log *log, const FetchSpec *spec, const char **place,
                   OffsiteResult *result, Error *err) MUST_CHECK;
