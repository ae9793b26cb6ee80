/* A backup as a chain of members (member.h), and the index of it.
 *
 * The index says of every member where it is, what it holds and what its SHA-256 is. It is in the
 * manifest, which counts, and once more at the end of the file, which so suffices by itself: in
 * members that inflate to nothing, each with up to 584 entries, and a last one of a fixed size,
 * the locator, which says where they begin.
 *
 *     entry: kind, 0 (3), table (4), part (4), 0 (4), packed bytes (8), raw bytes (8), rows (8),
 *            digest (8), SHA-256 in hexadecimal (64)
 *     index member: label {part: its number, rows: entries}; entries, their CRC-32 (4)
 *     locator: label {part: index members, rows: entries}; offset of the first index member (8),
 *              raw bytes of the dump (8), their CRC-32 (4)
 *
 * There is one way to write an index, so one is right when writing it again gives the same bytes;
 * nothing between the first byte of a file and its last is left unchecked.
 *
 * The file may be encrypted (seal.h): then it begins with a header, and what a member is in the
 * file (packed bytes, SHA-256) is that of its encrypted bytes. */
#pragma once

#include "backup/gzip.h"
#include "backup/member.h"
#include "backup/seal_header.h"
#include "base/arena.h"

typedef struct {
    Member *members;
    size_t count;
    int64_t begin_bytes;  /* before the first member: the header of an encrypted file, else 0 */
    int64_t packed_bytes; /* up to the end of the last member: where the index begins */
    int64_t raw_bytes;
    const SealKey *key; /* for member_reader_set_key; NULL: not encrypted, or no key is at hand */
} ArchiveIndex;

typedef struct ArchiveWriter ArchiveWriter; /* one thread appends */

/* descriptor stays the caller's, neither synced nor closed here; path only names the file in
 * messages, and is copied. Never fails. */
ArchiveWriter *archive_writer_create(int descriptor, const char *path);
/* Writes the header of an encrypted file; members must come encrypted under key, which must outlive
 * the index. Before the first member. */
bool archive_writer_seal(ArchiveWriter *writer, const SealKey *key, const void *header,
                         size_t header_length, Error *err) MUST_CHECK;
/* The next member, as member_pack made it. TEXT stands between the tables; a table is COPY_BEGIN,
 * any number of ROWS and COPY_END. */
bool archive_append(ArchiveWriter *writer, const MemberLabel *label, const void *packed,
                    size_t length, Error *err) MUST_CHECK;
/* Writes the index; it and the totals of the whole file are the caller's. Only destroy may
 * follow. */
bool archive_writer_finish(ArchiveWriter *writer, Arena *arena, ArchiveIndex *index,
                           GzipTotals *totals, Error *err) MUST_CHECK;
void archive_writer_destroy(ArchiveWriter *writer); /* NULL is allowed */

static inline void cleanup_archive_writer(ArchiveWriter **writer)
{
    archive_writer_destroy(*writer);
}
#define _cleanup_archive_writer_ _cleanup_(cleanup_archive_writer)

/* The index at the end of a file. *found is false, and that no error, where the file does not end
 * in a locator. An index that is not right to the last bit is ERR_PROBLEMS. */
bool archive_index_read(Arena *arena, int descriptor, const char *path, bool *found,
                        ArchiveIndex *index, Error *err) MUST_CHECK;
/* Of an index from anywhere: lengths that can be, no gap, members in an order that makes a dump. */
bool archive_index_check(const ArchiveIndex *index, Error *err) MUST_CHECK;
/* Are the bytes behind the members those of this index, up to the end of the file? */
bool archive_check_tail(int descriptor, const char *path, const ArchiveIndex *index,
                        Error *err) MUST_CHECK;

/* What the labels tell of a file whose index is lost. */
typedef struct {
    bool labelled;  /* the file begins with a member of ours */
    size_t members; /* from the first one on, each whole in length */
    int64_t bytes;  /* where the last of them ends */
} ArchiveScan;
bool archive_scan(int descriptor, const char *path, ArchiveScan *scan, Error *err) MUST_CHECK;

/* ---- encrypted ------------------------------------------------------------------------------ */

/* Of the beginning of a file. *found is false, and that no error, where it is not that of an
 * encrypted one; a damaged header is ERR_PROBLEMS. It is in the arena. */
bool archive_read_header(Arena *arena, int descriptor, const char *path, bool *found,
                         SealHeader *header, Error *err) MUST_CHECK;
/* The index of an encrypted file: with key, digests and seeds. What is not right to the last bit is
 * ERR_PROBLEMS. */
bool archive_unseal_index(Arena *arena, int descriptor, const char *path, const SealHeader *header,
                          const SealKey *key, ArchiveIndex *index, Error *err) MUST_CHECK;
