#include "unit.h"

#include "backup/gzip.h"
#include "base/file.h"
#include "base/process.h"

#include <fcntl.h>

static char plain[] = "/tmp/vaxdb-unit-XXXXXX";
static char path[sizeof(plain) + 3]; /* the same with .gz */

static int make_file(UNUSED void **state)
{
    int descriptor = mkstemp(plain);
    (void)snprintf(path, sizeof(path), "%s.gz", plain);
    if (descriptor < 0 || close(descriptor) != 0)
        return 1;
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    return descriptor < 0 || close(descriptor) != 0;
}

static int remove_file(UNUSED void **state)
{
    return unlink(path) + unlink(plain);
}

/* Bytes that pack to next to nothing (0), to something (1), and not at all (2). */
static char *make_bytes(size_t length, int kind)
{
    char *bytes = malloc(length + 1);
    uint64_t noise = 88172645463325252U;
    for (size_t i = 0; i < length; i++) {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        bytes[i] = kind == 0 ? 'a' : kind == 1 ? "abc\n1234"[noise % 8] : (char)noise;
    }
    return bytes;
}

/* By gzip itself. */
static void write_members(const char *bytes, size_t length, int members)
{
    Error err = {0};
    const char *argv[] = {"sh", "-c", "gzip -nc \"$0\" >> \"$1\"", plain, path, NULL};
    ProcessSpec spec = {.argv = argv};
    assert_int_equal(truncate(path, 0), 0);
    assert_true(file_write_atomic(plain, bytes, length, 0600, &err));
    for (int member = 0; member < members; member++)
        assert_true(process_check(&spec, NULL, &err));
}

/* Reads it all; what[0..length) must come back members times. */
static bool read_back(const char *what, size_t length, int members, Error *err)
{
    _cleanup_gzip_reader_ GzipReader *reader = NULL;
    _cleanup_free_ char *chunk = malloc(70001);
    size_t total = 0;
    assert_true(gzip_reader_open(path, &reader, err));
    for (;;) {
        size_t got = 0;
        if (!gzip_read(reader, chunk, 70001, &got, err))
            return false;
        if (!got)
            break;
        for (size_t i = 0; i < got && what; i++)
            assert_int_equal(chunk[i], what[(total + i) % length]);
        total += got;
    }
    assert_true(!what || total == length * (size_t)members);
    return true;
}

static void what_gzip_writes_is_read(UNUSED void **state)
{
    static const size_t lengths[] = {0, 1, 100, 65535, 262144, 262145, 3000003};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        for (int kind = 0; kind < 3; kind++) {
            Error err = {0};
            _cleanup_free_ char *bytes = make_bytes(lengths[i], kind);
            write_members(bytes, lengths[i], 1);
            assert_true(read_back(bytes, lengths[i], 1, &err));
        }
    }
}

static void members_follow_one_another(UNUSED void **state)
{
    Error err = {0};
    _cleanup_free_ char *bytes = make_bytes(300000, 1);
    write_members(bytes, 300000, 3);
    assert_true(read_back(bytes, 300000, 3, &err));
}

static void spoil(const char *text, size_t length)
{
    _cleanup_close_ int descriptor = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(descriptor, text, length), (ssize_t)length);
}

static void every_truncation_and_flip_of_the_data_is_seen(UNUSED void **state)
{
    Error err = {0};
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_free_ char *bytes = make_bytes(3000, 1);
    char *packed = NULL;
    size_t length = 0;
    write_members(bytes, 3000, 1);
    assert_true(file_read(arena, path, BUFFER_MAX_FILE, &packed, &length, &err));
    for (size_t cut = 0; cut < length; cut++) {
        spoil(packed, cut);
        err = (Error){0};
        assert_false(read_back(NULL, 0, 1, &err));
        assert_int_equal(err.code, ERR_PROBLEMS);
    }
    size_t harmless = 0;
    for (size_t at = 0; at < length; at++) {
        if (at >= 3 && at < 10)
            continue; /* flags, time and system of the header: no checksum of gzip covers them */
        packed[at] = (char)(packed[at] ^ (1 << (at % 8)));
        spoil(packed, length);
        packed[at] = (char)(packed[at] ^ (1 << (at % 8)));
        err = (Error){0};
        /* Bits that pad the data, or describe a code that is not used, change nothing. */
        if (!read_back(NULL, 0, 1, &err)) {
            assert_int_equal(err.code, ERR_PROBLEMS);
            continue;
        }
        assert_true(read_back(bytes, 3000, 1, &err));
        harmless++;
    }
    assert_true(harmless < length / 100);
}

static void bytes_behind_the_end_are_an_error(UNUSED void **state)
{
    Error err = {0};
    write_members("abc", 3, 1);
    _cleanup_close_ int descriptor = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(descriptor, "\0", 1), 1);
    assert_false(read_back("abc", 3, 1, &err));
    assert_non_null(strstr(err.message, "bytes after the end"));
}

#define READ_BYTES  262144 /* what gzip.c reads at a time */
#define HEADER_LAST 40     /* the header below, and some bytes on either side of it */

/* A member of nothing that takes length bytes. */
static void add_filler(Buffer *file, size_t length)
{
    static const char start[] = "\x1F\x8B\x08\x04\0\0\0\0\0\xFF";
    static const char end[10] = "\x03"; /* no data, its CRC-32 and its length */
    size_t extra = length - 10 - 2 - sizeof(end);
    buffer_append(file, start, 10);
    buffer_append_char(file, (char)(extra & 255));
    buffer_append_char(file, (char)(extra >> 8));
    while (extra--)
        buffer_append_char(file, 'x');
    buffer_append(file, end, sizeof(end));
}

/* What lies on the stack is nothing to rely on. */
static void __attribute__((noinline)) litter(void)
{
    volatile char bytes[20000];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)0xFF;
}

/* Wherever a read of the file ends in a header that has all there can be. */
static void headers_may_come_in_two_reads(UNUSED void **state)
{
    static const char member[] = "\x1F\x8B\x08\x1E\0\0\0\0\0\xFF" /* the fixed part */
                                 "\x04\0abcd"                     /* extra */
                                 "name\0comment\0\x12\x34"        /* and its own CRC */
                                 "\x01\x03\0\xFC\xFF"             /* stored, 3 bytes */
                                 "abc\xC2\x41\x24\x35\x03\0\0\0";
    for (size_t before = 0; before < HEADER_LAST; before++) {
        Error err = {0};
        char got[4];
        size_t length = 0;
        size_t left = READ_BYTES - before;
        _cleanup_buffer_ Buffer file;
        _cleanup_gzip_reader_ GzipReader *reader = NULL;
        buffer_init(&file, BUFFER_MAX_FILE);
        for (; left > 65000; left -= 60000)
            add_filler(&file, 60000);
        add_filler(&file, left);
        buffer_append(&file, member, sizeof(member) - 1);
        spoil(file.data, file.length);
        assert_true(gzip_reader_open(path, &reader, &err));
        litter();
        for (size_t piece = 1; piece; length += piece)
            assert_true(gzip_read(reader, got + length, sizeof(got) - length, &piece, &err));
        assert_int_equal(length, 3);
        assert_memory_equal(got, "abc", 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_gzip_writes_is_read),
        cmocka_unit_test(members_follow_one_another),
        cmocka_unit_test(every_truncation_and_flip_of_the_data_is_seen),
        cmocka_unit_test(bytes_behind_the_end_are_an_error),
        cmocka_unit_test(headers_may_come_in_two_reads),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
