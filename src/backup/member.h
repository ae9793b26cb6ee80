/* One member of a backup: a gzip member (RFC 1952) whose header says what is in it.
 *
 * A backup is a chain of such members, and what gunzip makes of the chain is the dump. Each stands
 * alone: it can be packed, checked and restored by a thread of its own. The label is in the
 * header's FEXTRA field, which gunzip skips, as the first subfield, "VX". Numbers are
 * little-endian; a CRC-32 of the header's bytes ends it, so that no bit of it can change unseen.
 *
 *      0  1F 8B 08 04, time 0 (4), flags 0, system 255       gzip's fixed header
 *     10  length of FEXTRA (2)
 *     12  "VX", 48 (2)
 *     16  version 1, kind, 0 (2)
 *     20  table (4), part (4)
 *     28  packed bytes of the whole member (8), raw bytes (8), rows (8), digest (8)
 *     60  CRC-32 of bytes 0 to 59
 *     64  deflated data, CRC-32 (4), length (4)
 *
 * The same label and bytes give the same member each time on one machine, so that what has not
 * changed since yesterday need not be sent again. */
#pragma once

#include "backup/seal.h"
#include "base/buffer.h"
#include "base/hash.h"

#include <stdint.h>

typedef enum {
    MEMBER_TEXT,       /* statements; rows of no table */
    MEMBER_COPY_BEGIN, /* the line "COPY ... FROM stdin;" */
    MEMBER_ROWS,       /* whole lines of COPY data */
    MEMBER_COPY_END,   /* the line "\." and nothing else */
    MEMBER_INDEX,      /* inflates to nothing: archive.c puts these two at the end */
    MEMBER_LOCATOR,
} MemberKind;

#define MEMBER_NO_TABLE     UINT32_MAX
#define MEMBER_HEADER_BYTES 64
#define MEMBER_MIN_BYTES    (MEMBER_HEADER_BYTES + 2 + 8) /* of nothing */
#define MEMBER_MAX_RAW      ((int64_t)UINT32_MAX)         /* gzip's field for the length */

typedef struct {
    MemberKind kind;
    uint32_t table;    /* its number in the manifest, the same from COPY_BEGIN to COPY_END */
    uint32_t part;     /* of ROWS: never falls within a table; several may share one */
    int64_t rows;      /* of ROWS, else 0 */
    uint64_t digest;   /* of ROWS, else 0: as dump_reader.h has it, adds up over members */
    int64_t raw_bytes; /* inflated */
} MemberLabel;

/* A member where it lies in a file. */
typedef struct {
    MemberLabel label;
    int64_t offset;
    int64_t packed_bytes;
    char sha256[HASH_HEX_SIZE];    /* of the packed bytes */
    uint8_t seed[SEAL_SEED_BYTES]; /* of an encrypted one: what its bytes begin with */
} Member;

typedef enum {
    COMPRESS_FAST,     /* deflate.h */
    COMPRESS_BALANCED, /* deflate.h; smaller than `gzip -6` */
    COMPRESS_SMALL,    /* libdeflate */
} Compression;

/* One a thread. Never fails. */
typedef struct MemberPacker MemberPacker;

MemberPacker *member_packer_create(Compression compression);
/* Members are encrypted from now on; NULL: they are not. key must outlive the packer. */
void member_packer_set_key(MemberPacker *packer, const SealKey *key);
/* Replaces what is in packed by the member of raw[0..label->raw_bytes). Fails where that is more
 * than MEMBER_MAX_RAW, or the member more than packed may hold. */
bool member_pack(MemberPacker *packer, const MemberLabel *label, const void *raw, Buffer *packed,
                 Error *err) MUST_CHECK;
void member_packer_destroy(MemberPacker *packer); /* NULL is allowed */

static inline void cleanup_member_packer(MemberPacker **packer)
{
    member_packer_destroy(*packer);
}
#define _cleanup_member_packer_ _cleanup_(cleanup_member_packer)

/* Appends a member that inflates to nothing and carries data as a second subfield, "VI". False
 * where packed would be too long. */
#define MEMBER_MAX_CARRIED 65479 /* what FEXTRA's 65,535 bytes leave */
#define MEMBER_CARRIER_BYTES(length)                                                               \
    (MEMBER_MIN_BYTES + 4 + (length)) /* of the member that carries length bytes */
bool member_carry(const MemberLabel *label, const void *data, size_t length, Buffer *packed);

/* Reads the first MEMBER_HEADER_BYTES of a member, which may be anything: false where that is no
 * such header to the last bit. */
bool member_parse(const void *header, MemberLabel *label, int64_t *packed_bytes);

/* One a thread. Never fails. */
typedef struct MemberReader MemberReader;
/* Gets the inflated bytes in pieces. */
typedef bool (*MemberSink)(void *data, const char *bytes, size_t length, Error *err);

MemberReader *member_reader_create(void);
/* For one who hashes the whole file and compares that: the members' own SHA-256, a sixth of the
 * work, are then left out. */
void member_reader_leave_out_sha256(MemberReader *reader);
/* For encrypted members: the key of their index (archive.h), or NULL where that has none. It must
 * outlive the reader. */
void member_reader_set_key(MemberReader *reader, const SealKey *key);
/* Inflates one member of a file through sink. Header, length, CRC-32 and SHA-256 must be those of
 * member, to the last bit; otherwise it ends in ERR_PROBLEMS, and what the sink got is worth
 * nothing. */
bool member_read(MemberReader *reader, int descriptor, const Member *member, MemberSink sink,
                 void *data, Error *err) MUST_CHECK;
/* Replaces what is in packed by the member as it was packed, not inflated. Header and SHA-256 must
 * be right, as must every tag of an encrypted one, which is decrypted. */
bool member_read_packed(MemberReader *reader, int descriptor, const Member *member, Buffer *packed,
                        Error *err) MUST_CHECK;
void member_reader_destroy(MemberReader *reader); /* NULL is allowed */

static inline void cleanup_member_reader(MemberReader **reader)
{
    member_reader_destroy(*reader);
}
#define _cleanup_member_reader_ _cleanup_(cleanup_member_reader)
