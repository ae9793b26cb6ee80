/* Between archive.c and archive_sealed.c: the index as bytes, and the end of a file. */
#pragma once

#include "backup/archive.h"

#define ARCHIVE_ENTRY_BYTES 112

void archive_encode_entry(uint8_t *at, const Member *member);
Member archive_decode_entry(const uint8_t *at, int64_t offset);
bool archive_read_at(int descriptor, const char *path, int64_t offset, void *bytes, size_t length,
                     Error *err) MUST_CHECK;
bool archive_file_bytes(int descriptor, const char *path, int64_t *bytes, Error *err) MUST_CHECK;

/* The encrypted index and its locator. header is that of the file. */
bool archive_seal_tail(const ArchiveIndex *index, const SealHeader *header, Buffer *tail,
                       Error *err) MUST_CHECK;
