/* Which index the members of a file are read by: that of its manifest, or that at its end; of an
 * encrypted file only the one at its end, which no one without the key can make. */
#pragma once

#include "backup/archive.h"
#include "backup/manifest.h"
#include "backup/seal_keys.h"

/* A file of one stream has none: count 0. manifest may be NULL; it must agree with the file, and of
 * an encrypted one it gets the digests that it does not have written down. keys may be NULL. An
 * encrypted file that no key opens is ERR_USAGE; whatever is not right with a file is
 * ERR_PROBLEMS. */
bool archive_open_index(Arena *arena, int descriptor, const char *path, Manifest *manifest,
                        BackupKeys *keys, ArchiveIndex *index, Error *err) MUST_CHECK;
