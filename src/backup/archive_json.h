/* The index of a backup as it stands in the manifest: "members", an array with a line of text for
 * each, of nine words. What a member has not is "-".
 *
 *     offset, packed bytes, SHA-256 of those, raw bytes,
 *     kind (text, begin, rows, end), table, part, rows, digest */
#pragma once

#include "backup/archive.h"
#include "base/json.h"

json_t *archive_index_json(const ArchiveIndex *index);
/* false: some value is missing or cannot be. What it then left in index is worth nothing. The index
 * of an encrypted file has no digests here (they would tell of the rows), and begins behind its
 * header. */
bool archive_index_from_json(Arena *arena, const json_t *list, bool encrypted, ArchiveIndex *index);
