#include "backup/archive_open.h"

#include "base/file.h"

#include <inttypes.h>
#include <string.h>

/* ---- plain ------------------------------------------------------------------------------- */

static bool open_plain(Arena *arena, int descriptor, const char *path, const Manifest *manifest,
                       ArchiveIndex *index, Error *err)
{
    ArchiveScan scan;
    bool found = false;
    *index = (ArchiveIndex){0};
    if (manifest && manifest->index.count) {
        *index = manifest->index;
        return archive_check_tail(descriptor, path, index, err);
    }
    if (!archive_index_read(arena, descriptor, path, &found, index, err))
        return false;
    if (found)
        return true;
    if (!archive_scan(descriptor, path, &scan, err))
        return false;
    return !scan.labelled ||
           error_set(err, ERR_PROBLEMS,
                     "the index at the end of %s is missing: it was cut off; its first %zu parts, "
                     "up to byte %" PRId64 ", seem to be there",
                     path_basename(path), scan.members, scan.bytes);
}

/* ---- encrypted --------------------------------------------------------------------------- */

/* All but the digests, which the manifest does not tell. */
static bool is_same(const Member *a, const Member *b)
{
    return a->label.kind == b->label.kind && a->label.table == b->label.table &&
           a->label.part == b->label.part && a->label.rows == b->label.rows &&
           a->label.raw_bytes == b->label.raw_bytes && a->offset == b->offset &&
           a->packed_bytes == b->packed_bytes && str_equal(a->sha256, b->sha256);
}

static bool agrees(const Manifest *manifest, const ArchiveIndex *index)
{
    if (manifest->index.count != index->count)
        return false;
    for (size_t i = 0; i < index->count; i++) {
        if (!is_same(&manifest->index.members[i], &index->members[i]))
            return false;
    }
    return true;
}

/* From here on it says what that of a plain backup says. */
static bool complete_manifest(Arena *arena, Manifest *manifest, const ArchiveIndex *index,
                              Error *err)
{
    uint64_t *sums = arena_array(arena, manifest->table_count, sizeof(*sums));
    bool *ended = arena_array(arena, manifest->table_count, sizeof(*ended));
    const ManifestTable *table = NULL;
    for (size_t i = 0; i < index->count; i++) {
        const MemberLabel *label = &index->members[i].label;
        if (label->kind == MEMBER_TEXT)
            continue;
        if (!table || table->number != label->table)
            table = manifest_find_number(manifest, label->table);
        if (!table)
            return error_set(err, ERR_PROBLEMS, "the manifest has no table number %" PRIu32,
                             label->table);
        size_t row = (size_t)(table - manifest->tables);
        sums[row] += label->digest;
        ended[row] = ended[row] || label->kind == MEMBER_COPY_END;
    }
    for (size_t i = 0; i < manifest->table_count; i++) {
        if (ended[i])
            manifest->tables[i].digest = arena_printf(arena, "%016" PRIx64, sums[i]);
    }
    manifest->index = *index;
    return true;
}

static bool check_manifest(Arena *arena, const char *path, Manifest *manifest,
                           const ArchiveIndex *index, Error *err)
{
    const char *file = path_basename(path);
    if (!manifest_check_mac(manifest, index->key))
        return error_set(err, ERR_PROBLEMS,
                         "%s%s was not written by one who has the key of the backup", file,
                         MANIFEST_SUFFIX);
    if (!agrees(manifest, index))
        return error_set(err, ERR_PROBLEMS, "%s is not the file of its manifest: other parts",
                         file);
    return complete_manifest(arena, manifest, index, err);
}

static bool says_encrypted(const char *path, const Manifest *manifest)
{
    return str_ends(path, SEAL_SUFFIX) || (manifest && manifest->key_id);
}

bool archive_open_index(Arena *arena, int descriptor, const char *path, Manifest *manifest,
                        BackupKeys *keys, ArchiveIndex *index, Error *err)
{
    SealHeader header;
    const SealKey *key = NULL;
    bool sealed = false;
    if (!archive_read_header(arena, descriptor, path, &sealed, &header, err))
        return false;
    if (!sealed && says_encrypted(path, manifest))
        return error_set(err, ERR_PROBLEMS,
                         "%s is damaged: it does not begin with the header of an encrypted backup",
                         path_basename(path));
    if (!sealed)
        return open_plain(arena, descriptor, path, manifest, index, err);
    return backup_keys_open(keys, path, &header, &key, err) &&
           archive_unseal_index(arena, descriptor, path, &header, key, index, err) &&
           (!manifest || check_manifest(arena, path, manifest, index, err));
}
