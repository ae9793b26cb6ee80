#include "unit.h"

#include "backup/archive_open.h"
#include "backup/backup.h"
#include "backup/bech32.h"
#include "backup/bytes.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static char folder[] = "/tmp/vaxdb-seal-XXXXXX";
static char path[64];
static Arena *arena;

static int set_up(UNUSED void **state)
{
    arena = arena_create();
    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(path, sizeof(path), "%s/x.sql.gz.enc", folder);
    return 0;
}

static int tear_down(UNUSED void **state)
{
    Error err = {0};
    arena_destroy(arena);
    return directory_remove(folder, &err) ? 0 : 1;
}

static SealKey key_of(uint8_t byte)
{
    uint8_t data[SEAL_KEY_BYTES];
    SealKey key;
    memset(data, byte, sizeof(data));
    seal_key_derive(&key, data);
    return key;
}

/* ---- Bech32 ------------------------------------------------------------------------------- */

/* The valid address of BIP 173 for a script's 20 bytes has a version digit in front; its generator
 * and a text of ours pin the rest. */
static void bech32_is_that_of_bip_173(UNUSED void **state)
{
    uint8_t bytes[50];
    assert_true(bech32_decode("A12UEL5L", "a", bytes, 0));
    assert_true(bech32_decode("a12uel5l", "a", bytes, 0));
    assert_string_equal(bech32_encode(arena, "a", bytes, 0), "a12uel5l");
    assert_true(
        bech32_decode("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "abcdef", bytes, 20));
    static const uint8_t expected[] = {0x00, 0x44, 0x32, 0x14, 0xC7, 0x42, 0x54, 0xB6, 0x35, 0xCF,
                                       0x84, 0x65, 0x3A, 0x56, 0xD7, 0xC6, 0x75, 0xBE, 0x77, 0xDF};
    assert_memory_equal(bytes, expected, sizeof(expected));
    assert_string_equal(bech32_encode(arena, "abcdef", bytes, 20),
                        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw");
    assert_false(bech32_decode("a12uEl5l", "a", bytes, 0));
    assert_false(bech32_decode("a12uel5l", "b", bytes, 0));
    assert_false(bech32_decode("a12uel5m", "a", bytes, 0));
    assert_false(bech32_decode("a12uel5", "a", bytes, 0));
    assert_false(bech32_decode("", "a", bytes, 0));
}

static void a_key_pair_goes_through_text(UNUSED void **state)
{
    SealIdentity identity;
    SealIdentity again;
    SealRecipient recipient;
    seal_identity_create(&identity);
    char *secret = seal_identity_text(arena, &identity);
    char *public = seal_recipient_text(arena, &identity.recipient);
    assert_true(str_starts(secret, "VAXDB-SECRET-1") && str_starts(public, "vaxdb1"));
    assert_true(seal_identity_parse(secret, &again));
    assert_memory_equal(&identity, &again, sizeof(again));
    assert_true(seal_recipient_parse(public, &recipient));
    assert_memory_equal(&recipient, &identity.recipient, sizeof(recipient));
    assert_false(seal_recipient_parse(secret, &recipient));
    for (size_t i = 0; public[i]; i++) { /* a slip of the pen */
        char before = public[i];
        public[i] = before == 'q' ? 'p' : 'q';
        assert_false(seal_recipient_parse(public, &recipient));
        public[i] = before;
    }
}

/* RFC 7748, section 6.1: Alice's keys. */
static void a_public_key_is_that_of_rfc_7748(UNUSED void **state)
{
    static const uint8_t secret[] = {0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d,
                                     0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
                                     0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a,
                                     0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a};
    static const uint8_t public[] = {0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54,
                                     0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7, 0x5a,
                                     0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4,
                                     0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a};
    SealIdentity identity;
    char *text = bech32_encode(arena, "vaxdb-secret-", secret, sizeof(secret));
    assert_true(seal_identity_parse(text, &identity));
    assert_memory_equal(identity.recipient.bytes, public, sizeof(public));
}

/* ---- pieces ------------------------------------------------------------------------------- */

static void lengths_go_there_and_back(UNUSED void **state)
{
    static const int64_t lengths[] = {0,
                                      1,
                                      74,
                                      SEAL_CHUNK_BYTES - 1,
                                      SEAL_CHUNK_BYTES,
                                      SEAL_CHUNK_BYTES + 1,
                                      3 * SEAL_CHUNK_BYTES,
                                      (int64_t)1 << 40};
    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        assert_int_equal(seal_plain_length(seal_length(lengths[i])), lengths[i]);
    int64_t whole = seal_length(SEAL_CHUNK_BYTES);
    for (int64_t more = 1; more <= SEAL_TAG_BYTES; more++)
        assert_int_equal(seal_plain_length(whole + more), -1);
    assert_int_equal(seal_plain_length(SEAL_SEED_BYTES + SEAL_TAG_BYTES - 1), -1);
    assert_int_equal(seal_plain_length(0), -1);
}

static bool open_piece(const SealKey *key, SealKind kind, const uint8_t *bound,
                       const Buffer *sealed, Buffer *plain)
{
    _cleanup_seal_cipher_ SealCipher *cipher = seal_cipher_create(key);
    _cleanup_buffer_ Buffer copy;
    buffer_init(&copy, BUFFER_MAX_FILE);
    assert_true(buffer_append(&copy, sealed->data, sealed->length));
    seal_open_begin(cipher, kind, (const uint8_t *)copy.data, bound);
    size_t at = SEAL_SEED_BYTES;
    while (at < copy.length) {
        size_t left = copy.length - at;
        size_t some =
            left < SEAL_CHUNK_BYTES + SEAL_TAG_BYTES ? left : SEAL_CHUNK_BYTES + SEAL_TAG_BYTES;
        if (!seal_open_chunk(cipher, copy.data + at, some, some == left))
            return false;
        assert_true(buffer_append(plain, copy.data + at, some - SEAL_TAG_BYTES));
        at += some;
    }
    return true;
}

static void seal(const SealKey *key, SealKind kind, const uint8_t *bound, const char *text,
                 size_t length, Buffer *sealed)
{
    _cleanup_seal_cipher_ SealCipher *cipher = seal_cipher_create(key);
    buffer_init(sealed, BUFFER_MAX_FILE);
    assert_true(seal_piece(cipher, kind, bound, text, length, sealed));
    assert_int_equal(sealed->length, seal_length((int64_t)length));
}

static void a_piece_opens_with_its_key_and_binding_only(UNUSED void **state)
{
    static const size_t lengths[] = {0, 5, SEAL_CHUNK_BYTES, 2 * SEAL_CHUNK_BYTES + 7};
    uint8_t bound[SEAL_BOUND_BYTES] = {1};
    uint8_t other[SEAL_BOUND_BYTES] = {2};
    const SealKey key = key_of(1);
    const SealKey wrong = key_of(2);
    _cleanup_buffer_ Buffer text;
    buffer_init(&text, BUFFER_MAX_FILE);
    for (int i = 0; text.length < 3 * SEAL_CHUNK_BYTES; i++)
        assert_true(buffer_printf(&text, "%d,", i));
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        _cleanup_buffer_ Buffer sealed;
        _cleanup_buffer_ Buffer again;
        _cleanup_buffer_ Buffer plain;
        seal(&key, SEAL_MEMBER, bound, text.data, lengths[i], &sealed);
        seal(&key, SEAL_MEMBER, bound, text.data, lengths[i], &again);
        assert_memory_equal(sealed.data, again.data, sealed.length);
        buffer_init(&plain, BUFFER_MAX_FILE);
        assert_true(open_piece(&key, SEAL_MEMBER, bound, &sealed, &plain));
        assert_int_equal(plain.length, lengths[i]);
        assert_memory_equal(plain.data, text.data, lengths[i]);
        assert_false(open_piece(&wrong, SEAL_MEMBER, bound, &sealed, &plain));
        assert_false(open_piece(&key, SEAL_INDEX, bound, &sealed, &plain));
        assert_false(open_piece(&key, SEAL_MEMBER, other, &sealed, &plain));
    }
}

/* Another text, binding, kind or key: no byte of it is that of the first. */
static void nothing_shows_but_that_pieces_are_the_same(UNUSED void **state)
{
    uint8_t bound[SEAL_BOUND_BYTES] = {1};
    uint8_t other[SEAL_BOUND_BYTES] = {2};
    const SealKey key = key_of(1);
    const SealKey second = key_of(2);
    char text[4096] = {0};
    char changed[4096] = {0};
    changed[4095] = 1;
    Buffer sealed[5];
    seal(&key, SEAL_MEMBER, bound, text, sizeof(text), &sealed[0]);
    seal(&key, SEAL_MEMBER, bound, changed, sizeof(text), &sealed[1]);
    seal(&key, SEAL_MEMBER, other, text, sizeof(text), &sealed[2]);
    seal(&second, SEAL_MEMBER, bound, text, sizeof(text), &sealed[3]);
    seal(&key, SEAL_INDEX, bound, text, sizeof(text), &sealed[4]);
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < i; j++) {
            int same = 0;
            for (size_t at = SEAL_SEED_BYTES; at < sealed[i].length; at++)
                same += sealed[i].data[at] == sealed[j].data[at];
            assert_true(same < 60); /* 16 by chance; 11 standard deviations more */
        }
    }
    for (int i = 0; i < 5; i++)
        buffer_free(&sealed[i]);
}

static void chunks_cannot_be_cut_swapped_or_left_out(UNUSED void **state)
{
    const size_t chunk = SEAL_CHUNK_BYTES + SEAL_TAG_BYTES;
    const SealKey key = key_of(1);
    uint8_t bound[SEAL_BOUND_BYTES] = {0};
    _cleanup_free_ char *text = calloc(3, SEAL_CHUNK_BYTES);
    _cleanup_buffer_ Buffer sealed;
    seal(&key, SEAL_MEMBER, bound, text, (size_t)3 * SEAL_CHUNK_BYTES, &sealed);
    for (int how = 0; how < 4; how++) {
        _cleanup_buffer_ Buffer spoiled;
        _cleanup_buffer_ Buffer plain;
        buffer_init(&spoiled, BUFFER_MAX_FILE);
        buffer_init(&plain, BUFFER_MAX_FILE);
        const char *chunks = sealed.data + SEAL_SEED_BYTES;
        static const int orders[4][4] = {{1, 0, 2, -1}, {0, 1, -1}, {1, 2, -1}, {0, 2, -1}};
        assert_true(buffer_append(&spoiled, sealed.data, SEAL_SEED_BYTES));
        for (const int *at = orders[how]; *at >= 0; at++)
            assert_true(buffer_append(&spoiled, chunks + (size_t)*at * chunk, chunk));
        assert_false(open_piece(&key, SEAL_MEMBER, bound, &spoiled, &plain));
    }
}

/* ---- headers ------------------------------------------------------------------------------ */

static void a_header_opens_for_each_of_its_recipients(UNUSED void **state)
{
    SealIdentity identities[3];
    SealRecipient recipients[2];
    SealIdentity stranger;
    SealHeader header;
    SealKey opened;
    Error err = {0};
    _cleanup_buffer_ Buffer bytes;
    const SealKey key = key_of(7);
    buffer_init(&bytes, SEAL_HEADER_MAX);
    for (size_t i = 0; i < COUNT_OF(recipients); i++) {
        seal_identity_create(&identities[i]);
        recipients[i] = identities[i].recipient;
    }
    seal_identity_create(&stranger);
    assert_true(seal_header_write(&key, recipients, 2, "right and long", &bytes, &err));
    assert_true(seal_header_parse(bytes.data, bytes.length, &header));
    assert_int_equal(header.slot_count, 3);
    assert_true(seal_header_check(&header, &key));
    for (size_t i = 0; i < COUNT_OF(recipients); i++) {
        assert_true(seal_header_open(&header, &identities[i], &opened));
        assert_memory_equal(&opened, &key, sizeof(key));
    }
    assert_false(seal_header_open(&header, &stranger, &opened));
    assert_true(seal_header_open_passphrase(&header, "right and long", &opened));
    assert_memory_equal(&opened, &key, sizeof(key));
    assert_false(seal_header_open_passphrase(&header, "wrong and long", &opened));
    /* Two headers of one key have nothing in common but its ID. */
    _cleanup_buffer_ Buffer second;
    buffer_init(&second, SEAL_HEADER_MAX);
    assert_true(seal_header_write(&key, recipients, 2, NULL, &second, &err));
    assert_memory_not_equal(second.data + 32, bytes.data + 32, 84);
}

/* What says that it opens for everybody: a point of small order. */
static void a_recipient_that_is_nobody_is_refused(UNUSED void **state)
{
    SealRecipient nobody = {{0}};
    Error err = {0};
    _cleanup_buffer_ Buffer bytes;
    const SealKey key = key_of(7);
    buffer_init(&bytes, SEAL_HEADER_MAX);
    assert_false(seal_header_write(&key, &nobody, 1, NULL, &bytes, &err));
    assert_int_equal(err.code, ERR_USAGE);
}

static void every_flipped_bit_of_a_header_is_found(UNUSED void **state)
{
    SealIdentity identity;
    SealHeader header;
    SealKey opened;
    Error err = {0};
    _cleanup_buffer_ Buffer bytes;
    const SealKey key = key_of(7);
    buffer_init(&bytes, SEAL_HEADER_MAX);
    seal_identity_create(&identity);
    assert_true(seal_header_write(&key, &identity.recipient, 1, NULL, &bytes, &err));
    for (size_t bit = 0; bit < bytes.length * 8; bit++) {
        bytes.data[bit / 8] ^= (char)(1 << bit % 8);
        assert_false(seal_header_parse(bytes.data, bytes.length, &header));
        bytes.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t length = 0; length < bytes.length; length++)
        assert_false(seal_header_parse(bytes.data, length, &header));
    assert_true(seal_header_parse(bytes.data, bytes.length, &header));
    assert_true(seal_header_open(&header, &identity, &opened));
}

/* ---- files -------------------------------------------------------------------------------- */

typedef struct {
    MemberLabel label;
    const char *text;
} Part;

static const Part parts[] = {
    {{.kind = MEMBER_TEXT, .table = MEMBER_NO_TABLE}, "SET x = 1;\n"},
    {{.kind = MEMBER_COPY_BEGIN, .table = 0}, "COPY public.t (a) FROM stdin;\n"},
    {{.kind = MEMBER_ROWS, .table = 0, .part = 0, .rows = 2, .digest = 9}, "1\n2\n"},
    {{.kind = MEMBER_ROWS, .table = 0, .part = 1, .rows = 1, .digest = 77}, "3\n"},
    {{.kind = MEMBER_COPY_END, .table = 0}, "\\.\n"},
    {{.kind = MEMBER_TEXT, .table = MEMBER_NO_TABLE}, "CREATE INDEX i ON t (a);\n"},
};

/* rows: what the fourth part has instead of its own; NULL: its own. */
static void write_file(const char *file, const SealKey *key, const Buffer *header, const char *rows,
                       ArchiveIndex *index)
{
    Error err = {0};
    GzipTotals totals;
    _cleanup_close_ int descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    _cleanup_archive_writer_ ArchiveWriter *writer = archive_writer_create(descriptor, file);
    _cleanup_member_packer_ MemberPacker *packer = member_packer_create(COMPRESS_BALANCED);
    _cleanup_buffer_ Buffer packed;
    buffer_init(&packed, BUFFER_MAX_FILE);
    member_packer_set_key(packer, key);
    assert_true(!key || archive_writer_seal(writer, key, header->data, header->length, &err));
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const char *text = rows && i == 3 ? rows : parts[i].text;
        MemberLabel label = parts[i].label;
        label.raw_bytes = (int64_t)strlen(text);
        assert_true(member_pack(packer, &label, text, &packed, &err) &&
                    archive_append(writer, &label, packed.data, packed.length, &err));
    }
    assert_true(archive_writer_finish(writer, arena, index, &totals, &err));
}

typedef struct {
    SealKey key;
    SealIdentity identity;
    Buffer header;
    BackupKeys *keys;
} Fixture;

static void fixture_free(Fixture *fixture)
{
    buffer_free(&fixture->header);
    backup_keys_destroy(fixture->keys);
}
#define _cleanup_fixture_ _cleanup_(fixture_free)

/* A file of the parts in path, and keys that open it. */
static void make_fixture(Fixture *fixture, ArchiveIndex *index)
{
    Error err = {0};
    const char *identity = path_join(arena, folder, "identity");
    fixture->key = key_of(3);
    (void)unlink(identity);
    buffer_init(&fixture->header, SEAL_HEADER_MAX);
    SealRecipient recipient;
    assert_true(backup_keys_write_identity(identity, &recipient, &err));
    assert_true(seal_header_write(&fixture->key, &recipient, 1, NULL, &fixture->header, &err));
    const BackupKeysSpec spec = {.identity_file = identity};
    fixture->keys = backup_keys_create(&spec);
    write_file(path, &fixture->key, &fixture->header, NULL, index);
}

static void what_is_decrypted_is_the_plain_file(UNUSED void **state)
{
    _cleanup_fixture_ Fixture fixture = {0};
    ArchiveIndex index;
    DecryptResult result;
    Log log;
    Error err = {0};
    char *expected = NULL;
    char *found = NULL;
    size_t expected_length = 0;
    size_t found_length = 0;
    const char *plain = path_join(arena, folder, "plain.sql.gz");
    const char *output = path_join(arena, folder, "decrypted.sql.gz");
    log_init(&log, stderr, true);
    log.quiet = true;
    make_fixture(&fixture, &index);
    write_file(plain, NULL, NULL, NULL, &index);
    if (!backup_decrypt(arena, &log, path, fixture.keys, output, &result, &err))
        fail_msg("%s", err.message);
    assert_true(file_read(arena, plain, BUFFER_MAX_FILE, &expected, &expected_length, &err) &&
                file_read(arena, output, BUFFER_MAX_FILE, &found, &found_length, &err));
    assert_int_equal(found_length, expected_length);
    assert_memory_equal(found, expected, expected_length);
    assert_int_equal(result.packed_bytes, expected_length);
    assert_false(backup_decrypt(arena, &log, path, fixture.keys, output, &result, &err));
    assert_int_equal(err.code, ERR_REFUSED);
}

static bool collect(void *data, const char *bytes, size_t length, UNUSED Error *err)
{
    return buffer_append(data, bytes, length);
}

static bool read_file(const char *file, BackupKeys *keys, Buffer *text, Error *err)
{
    _cleanup_arena_ Arena *own = arena_create();
    _cleanup_close_ int descriptor = open(file, O_RDONLY);
    _cleanup_member_reader_ MemberReader *reader = member_reader_create();
    ArchiveIndex index;
    if (!archive_open_index(own, descriptor, file, NULL, keys, &index, err))
        return false;
    member_reader_set_key(reader, index.key);
    member_reader_leave_out_sha256(reader); /* the seeds and tags must do */
    for (size_t i = 0; i < index.count; i++) {
        if (!member_read(reader, descriptor, &index.members[i], collect, text, err))
            return false;
    }
    return true;
}

static bool reads(const char *file, BackupKeys *keys, Error *err)
{
    _cleanup_buffer_ Buffer text;
    buffer_init(&text, BUFFER_MAX_FILE);
    return read_file(file, keys, &text, err);
}

static void a_file_and_an_identity_suffice(UNUSED void **state)
{
    _cleanup_fixture_ Fixture fixture = {0};
    _cleanup_buffer_ Buffer text;
    _cleanup_buffer_ Buffer expected;
    ArchiveIndex index;
    Error err = {0};
    buffer_init(&text, BUFFER_MAX_FILE);
    buffer_init(&expected, BUFFER_MAX_FILE);
    make_fixture(&fixture, &index);
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        assert_true(buffer_append_str(&expected, parts[i].text));
    if (!read_file(path, fixture.keys, &text, &err))
        fail_msg("%s", err.message);
    assert_string_equal(text.data, expected.data);
    assert_false(reads(path, NULL, &err));
    assert_int_equal(err.code, ERR_USAGE);
}

static void every_flipped_bit_of_a_file_is_found(UNUSED void **state)
{
    _cleanup_fixture_ Fixture fixture = {0};
    ArchiveIndex index;
    struct stat status;
    make_fixture(&fixture, &index);
    _cleanup_close_ int descriptor = open(path, O_RDWR);
    assert_int_equal(fstat(descriptor, &status), 0);
    for (int64_t at = 0; at < status.st_size; at++) {
        uint8_t byte = 0;
        Error err = {0};
        assert_int_equal(pread(descriptor, &byte, 1, at), 1);
        uint8_t flipped = (uint8_t)(byte ^ (1 << at % 8));
        assert_int_equal(pwrite(descriptor, &flipped, 1, at), 1);
        if (reads(path, fixture.keys, &err))
            fail_msg("bit %d of byte %d was missed", (int)(at % 8), (int)at);
        assert_int_equal(err.code, ERR_PROBLEMS);
        assert_int_equal(pwrite(descriptor, &byte, 1, at), 1);
    }
    for (int64_t length = status.st_size - 1; length >= 0; length--) {
        Error err = {0};
        assert_int_equal(ftruncate(descriptor, length), 0);
        assert_false(reads(path, fixture.keys, &err));
        assert_int_equal(err.code, ERR_PROBLEMS);
    }
}

/* Bytes [from, from + length) of one file to the place `to` of another. */
static void copy_range(const char *source, int64_t from, int64_t length, const char *target,
                       int64_t to)
{
    _cleanup_close_ int in = open(source, O_RDONLY);
    _cleanup_close_ int out = open(target, O_WRONLY);
    char *bytes = arena_alloc(arena, (size_t)length);
    assert_int_equal(pread(in, bytes, (size_t)length, from), length);
    assert_int_equal(pwrite(out, bytes, (size_t)length, to), length);
}

/* Yesterday's file differs in one part of the same length. */
static void parts_of_two_days_do_not_mix(UNUSED void **state)
{
    _cleanup_fixture_ Fixture fixture = {0};
    ArchiveIndex today;
    ArchiveIndex before;
    Error err = {0};
    const char *yesterday = path_join(arena, folder, "y.sql.gz.enc");
    make_fixture(&fixture, &today);
    write_file(yesterday, &fixture.key, &fixture.header, "4\n", &before);
    const Member *a = &today.members[3];
    const Member *b = &before.members[3];
    assert_int_equal(a->packed_bytes, b->packed_bytes);
    assert_string_not_equal(a->sha256, b->sha256);
    for (size_t i = 0; i < today.count; i++) { /* what did not change is what it was */
        if (i != 3)
            assert_string_equal(today.members[i].sha256, before.members[i].sha256);
    }
    copy_range(yesterday, b->offset, b->packed_bytes, path, a->offset);
    assert_false(reads(path, fixture.keys, &err));
    assert_int_equal(err.code, ERR_PROBLEMS);
    assert_non_null(strstr(err.message, "another part"));
    /* With yesterday's index it is yesterday's file, whole; with half of it nothing. */
    struct stat status;
    assert_int_equal(stat(yesterday, &status), 0);
    int64_t tail = status.st_size - before.packed_bytes;
    copy_range(yesterday, before.packed_bytes, tail / 2, path, today.packed_bytes);
    assert_false(reads(path, fixture.keys, &err));
    copy_range(yesterday, before.packed_bytes, tail, path, today.packed_bytes);
    assert_true(reads(path, fixture.keys, &err));
}

static void parts_cannot_be_swapped(UNUSED void **state)
{
    _cleanup_fixture_ Fixture fixture = {0};
    ArchiveIndex index;
    Error err = {0};
    make_fixture(&fixture, &index);
    const Member *members = index.members;
    const char *copy = path_join(arena, folder, "copy");
    ArchiveIndex ignored;
    write_file(copy, &fixture.key, &fixture.header, NULL, &ignored);
    copy_range(copy, members[3].offset, members[3].packed_bytes, path, members[2].offset);
    copy_range(copy, members[2].offset, members[2].packed_bytes, path,
               members[2].offset + members[3].packed_bytes);
    assert_false(reads(path, fixture.keys, &err));
    assert_int_equal(err.code, ERR_PROBLEMS);
}

/* Somebody with the bucket and the recipient's public key: another data key. */
static void the_header_of_another_key_opens_nothing(UNUSED void **state)
{
    _cleanup_fixture_ Fixture fixture = {0};
    _cleanup_buffer_ Buffer header;
    ArchiveIndex index;
    Error err = {0};
    SealRecipient recipient;
    const SealKey other = key_of(9);
    make_fixture(&fixture, &index);
    buffer_init(&header, SEAL_HEADER_MAX);
    assert_true(backup_keys_read_identity(path_join(arena, folder, "identity"), &recipient, &err));
    assert_true(seal_header_write(&other, &recipient, 1, NULL, &header, &err));
    assert_int_equal(header.length, fixture.header.length);
    _cleanup_close_ int descriptor = open(path, O_WRONLY);
    assert_int_equal(pwrite(descriptor, header.data, header.length, 0), header.length);
    assert_false(reads(path, fixture.keys, &err));
    assert_int_equal(err.code, ERR_PROBLEMS);
}

/* ---- keys --------------------------------------------------------------------------------- */

static BackupKeys *keys_for(const char *recipients, const char *state_directory)
{
    const BackupKeysSpec spec = {.recipients = recipients, .state_directory = state_directory};
    return backup_keys_create(&spec);
}

static void a_folder_keeps_its_key_as_long_as_its_recipients(UNUSED void **state)
{
    Error err = {0};
    SealIdentity identities[2];
    const char *state_directory = path_join(arena, folder, "state");
    uint8_t first[SEAL_ID_BYTES];
    for (size_t i = 0; i < COUNT_OF(identities); i++)
        seal_identity_create(&identities[i]);
    const char *a = seal_recipient_text(arena, &identities[0].recipient);
    const char *b = seal_recipient_text(arena, &identities[1].recipient);
    const struct {
        const char *recipients;
        const char *directory;
        bool same; /* the key of the first line */
    } lines[] = {
        {a, "/backups", true},
        {a, "/backups", true},
        {arena_printf(arena, " %s , %s,", a, a), "/backups", true},
        {a, "/others", false},
        {b, "/backups", false},
        {arena_printf(arena, "%s,%s", a, b), "/backups", false},
        {a, "/backups", true},
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        SealRepository repository;
        _cleanup_backup_keys_ BackupKeys *keys = keys_for(lines[i].recipients, state_directory);
        if (!backup_keys_repository(keys, lines[i].directory, &repository, &err))
            fail_msg("%s", err.message);
        if (i == 0)
            memcpy(first, repository.key->id, sizeof(first));
        bool same = memcmp(first, repository.key->id, sizeof(first)) == 0;
        if (same != lines[i].same)
            fail_msg("line %zu: %s key", i, same ? "the same" : "another");
    }
    struct stat status;
    assert_int_equal(stat(path_join(arena, state_directory, "backup-keys"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
}

static void what_is_no_recipient_is_not_shown(UNUSED void **state)
{
    static const char *const given[] = {"my secret passphrase", "vaxdb1qqqq", "age1xyz"};
    for (size_t i = 0; i < COUNT_OF(given); i++) {
        Error err = {0};
        SealRepository repository;
        _cleanup_backup_keys_ BackupKeys *keys = keys_for(given[i], NULL);
        assert_true(backup_keys_wanted(keys));
        assert_false(backup_keys_repository(keys, "/x", &repository, &err));
        assert_int_equal(err.code, ERR_USAGE);
        assert_null(strstr(err.message, given[i]));
    }
    _cleanup_backup_keys_ BackupKeys *keys = keys_for(" , ", NULL);
    assert_false(backup_keys_wanted(keys));
    assert_false(backup_keys_wanted(NULL));
}

static void a_secret_that_others_may_read_is_refused(UNUSED void **state)
{
    Error err = {0};
    SealRecipient recipient;
    const char *file = path_join(arena, folder, "open");
    assert_true(backup_keys_write_identity(file, &recipient, &err));
    assert_false(backup_keys_write_identity(file, &recipient, &err));
    assert_int_equal(err.code, ERR_REFUSED);
    assert_true(backup_keys_read_identity(file, &recipient, &err));
    assert_int_equal(chmod(file, 0640), 0);
    assert_false(backup_keys_read_identity(file, &recipient, &err));
    assert_int_equal(err.code, ERR_REFUSED);
    assert_non_null(strstr(err.hint, "chmod 600"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bech32_is_that_of_bip_173),
        cmocka_unit_test(a_key_pair_goes_through_text),
        cmocka_unit_test(a_public_key_is_that_of_rfc_7748),
        cmocka_unit_test(lengths_go_there_and_back),
        cmocka_unit_test(a_piece_opens_with_its_key_and_binding_only),
        cmocka_unit_test(nothing_shows_but_that_pieces_are_the_same),
        cmocka_unit_test(chunks_cannot_be_cut_swapped_or_left_out),
        cmocka_unit_test(a_header_opens_for_each_of_its_recipients),
        cmocka_unit_test(a_recipient_that_is_nobody_is_refused),
        cmocka_unit_test(every_flipped_bit_of_a_header_is_found),
        cmocka_unit_test(what_is_decrypted_is_the_plain_file),
        cmocka_unit_test(a_file_and_an_identity_suffice),
        cmocka_unit_test(every_flipped_bit_of_a_file_is_found),
        cmocka_unit_test(parts_of_two_days_do_not_mix),
        cmocka_unit_test(parts_cannot_be_swapped),
        cmocka_unit_test(the_header_of_another_key_opens_nothing),
        cmocka_unit_test(a_folder_keeps_its_key_as_long_as_its_recipients),
        cmocka_unit_test(what_is_no_recipient_is_not_shown),
        cmocka_unit_test(a_secret_that_others_may_read_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
