/* Where the sequences of a database are. That is data, and no snapshot covers it: read after the
 * snapshot was taken a sequence is never behind the rows. */
#pragma once

#include "backup/manifest.h"
#include "base/buffer.h"
#include "pg/session.h"

bool sequences_read(Arena *arena, Session *session, ManifestSequence **sequences, size_t *count,
                    Error *err) MUST_CHECK;
/* Appends the statements that put them there. */
bool sequences_write(Arena *arena, const ManifestSequence *sequences, size_t count, Buffer *sql,
                     Error *err) MUST_CHECK;
/* Those of a restored database beside the manifest's: wrong gets what differs. */
bool sequences_compare(Arena *arena, Session *session, const Manifest *manifest, StrList *wrong,
                       Error *err) MUST_CHECK;
