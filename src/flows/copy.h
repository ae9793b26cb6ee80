/* A backup restored into a scratch database beside the others of a server: what a restore swaps in
 * and a drill examines. */
#pragma once

#include "backup/backup.h"
#include "flows/scratch.h"

/* Room that a restored database may take, as a multiple of the size that it had when it was backed
 * up: tables and indexes come back smaller, but the write-ahead log and the sorting of indexes need
 * room meanwhile. Where that size is not known (a dump made by others), of the raw dump. */
#define COPY_SPACE_FACTOR     1.25
#define COPY_SPACE_RAW_FACTOR 2.5

typedef struct {
    Arena *arena;
    Log *log;
    const char *conninfo;
    Session *server;       /* with `postgres`; holds the lock of the scratch database */
    Session *session;      /* with the copy; NULL until it is loaded */
    const char *name;      /* NULL: there is none (any more) */
    BackupKeys *keys;      /* of an encrypted backup; may be NULL */
    int jobs;              /* sessions that load it; 0: as LoadOptions has it */
    const StrList *tables; /* likewise */
    StrList roles_created;
    StrList roles_skipped;
    LoadResult load;
    double create_seconds;
    double load_seconds; /* without ANALYZE */
} Copy;

/* Connects to the server and removes what dead runs left. The caller releases whatever happens. */
bool copy_open(Arena *arena, Log *log, const char *conninfo, Copy *copy, Error *err) MUST_CHECK;
/* Is there room on the server's disk? Only where the server is on this machine and says where its
 * data is; else *known is false. */
bool copy_check_space(Copy *copy, const VerifyReport *report, bool *known, Error *err) MUST_CHECK;
/* Makes the missing roles and the database. */
bool copy_create(Copy *copy, const char *kind, const ScratchSpec *spec, bool may_fall_back,
                 const VerifyReport *report, Error *err) MUST_CHECK;
bool copy_load(Copy *copy, const char *path, Error *err) MUST_CHECK;
/* The database has found its place: it and the roles stay. */
void copy_keep(Copy *copy);
/* Drops the database and the roles that were made for it, unless kept; closes the sessions. */
void copy_release(Copy *copy);

/* The locale of a database that does not exist yet, as the manifest says; without one the
 * server's. The owner is taken over only where the server has that role. */
bool copy_spec_of_manifest(Copy *copy, const VerifyReport *report, ScratchSpec *spec,
                           Error *err) MUST_CHECK;
