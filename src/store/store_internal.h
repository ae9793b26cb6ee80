/* What the drivers of this room share. */
#pragma once

#include "store/store.h"

/* A kind of store. Names were checked and settings have their defaults. */
typedef struct {
    bool composes; /* makes use of what put_file gets in reuse, which may be NULL */
    bool (*put_file)(Store *store, const char *path, const char *name, const char *sha256,
                     const StoreReuse *reuse, int64_t *sent, Error *err);
    bool (*get_file)(Store *store, const char *name, const char *path, Error *err);
    bool (*read)(Store *store, const char *name, int64_t offset, size_t length, Buffer *buffer,
                 Error *err);
    bool (*head)(Store *store, Arena *arena, const char *name, bool *found, StoreObject *object,
                 Error *err);
    bool (*list)(Store *store, Arena *arena, const char *prefix, StoreList *list, Error *err);
    bool (*remove)(Store *store, const char *name, Error *err);
    void (*close)(Store *store);
} StoreDriver;

struct Store {
    const StoreDriver *driver;
    Arena *arena; /* of whoever opened it */
    Log *log;
    const char *url;
    StoreSettings settings;
    void *own; /* the driver's */
};

/* Each fills store->driver and store->own. rest is the URL behind its scheme. */
bool store_open_directory(Store *store, const char *path, Error *err) MUST_CHECK;
bool store_open_s3(Store *store, const char *rest, Error *err) MUST_CHECK;
bool store_open_sftp(Store *store, const char *rest, Error *err) MUST_CHECK;

/* Files below this show no progress. */
#define STORE_PROGRESS_MIN_BYTES ((int64_t)1 << 20)

/* ERR_USAGE: no object of that name. */
bool store_missing(const Store *store, const char *name, Error *err);
