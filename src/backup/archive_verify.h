/* Level 2 of verify for a file of members: every one inflated and looked at, by all cores.
 *
 * Statements and the lines around the rows go through a DumpReader in their order; the members of
 * rows, which are nearly all of the file, are shared out to threads. */
#pragma once

#include "backup/archive.h"
#include "backup/dump_reader.h"
#include "backup/manifest.h"
#include "base/progress.h"

typedef struct {
    const char *path;
    const ArchiveIndex *index; /* checked */
    const Manifest *manifest;  /* may be NULL */
    int jobs;                  /* 0: one for each core */
} ArchiveVerify;

typedef struct {
    DumpTable *tables; /* as a DumpReader over all of it would tell them */
    size_t table_count;
    size_t table_capacity;
    bool complete; /* pg_dump's last line was there */
} ArchiveContent;

/* With a manifest the caller compares sha256 with its, so members are not hashed by themselves.
 * roles gets those that statements name; sha256 is of the whole file, and also there where the
 * content is bad. What is wrong with the file is ERR_PROBLEMS. */
bool archive_verify(Arena *arena, const ArchiveVerify *spec, Progress *progress, StrList *roles,
                    char sha256[HASH_HEX_SIZE], ArchiveContent *content, Error *err) MUST_CHECK;
