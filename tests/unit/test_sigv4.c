#include "unit.h"

#include "base/str.h"
#include "store/sigv4.h"

/* The vectors of AWS: the suite of Signature Version 4 (service "service") and the examples of S3's
 * reference, "Authenticating Requests: Using the Authorization Header". */

#define NO_CONTENT "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

typedef struct {
    const char *method;
    const char *path; /* not encoded */
    SigPair query[4];
    SigPair headers[4]; /* besides host and x-amz-date */
    const char *payload_sha256;
    const char *signature;
} Vector;

static size_t count_pairs(const SigPair *pairs)
{
    size_t count = 0;
    while (count < 4 && pairs[count].name)
        count++;
    return count;
}

static void check(const Vector *vector, const SigKey *key, const char *host, const char *time,
                  bool signs_payload)
{
    _cleanup_arena_ Arena *arena = arena_create();
    SigPair headers[8] = {{"host", host}, {"x-amz-date", time}};
    size_t count = 2;
    for (size_t i = 0; i < count_pairs(vector->headers); i++)
        headers[count++] = vector->headers[i];
    if (signs_payload)
        headers[count++] = (SigPair){"x-amz-content-sha256", vector->payload_sha256};
    SigRequest request = {.method = vector->method,
                          .path = sigv4_encode(arena, vector->path, true),
                          .query = vector->query,
                          .query_count = count_pairs(vector->query),
                          .headers = headers,
                          .header_count = count,
                          .payload_sha256 = vector->payload_sha256};
    const char *value = sigv4_authorization(arena, key, time, &request);
    const char *found = strstr(value, "Signature=");
    assert_non_null(found);
    assert_string_equal(found + strlen("Signature="), vector->signature);
}

static void the_suite(UNUSED void **state)
{
    static const SigKey key = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                               "us-east-1", "service"};
    static const Vector vectors[] = {
        {"GET",
         "/",
         {{0}},
         {{0}},
         NO_CONTENT,
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"POST",
         "/",
         {{0}},
         {{0}},
         NO_CONTENT,
         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        {"GET",
         "/",
         {{"Param2", "value2"}, {"Param1", "value1"}},
         {{0}},
         NO_CONTENT,
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        {"GET",
         "/",
         {{"\u1234", "bar"}},
         {{0}},
         NO_CONTENT,
         "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
        {"GET",
         "/\u1234",
         {{0}},
         {{0}},
         NO_CONTENT,
         "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
        {"GET",
         "/",
         {{0}},
         {{"my-header1", " value1"}, {"my-header2", " \"a   b   c\""}},
         NO_CONTENT,
         "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    };
    for (size_t i = 0; i < COUNT_OF(vectors); i++)
        check(&vectors[i], &key, "example.amazonaws.com", "20150830T123600Z", false);
}

static void the_examples_of_s3(UNUSED void **state)
{
    static const SigKey key = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                               "us-east-1", "s3"};
    static const Vector vectors[] = {
        {"GET",
         "/test.txt",
         {{0}},
         {{"range", "bytes=0-9"}},
         NO_CONTENT,
         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
        {"PUT",
         "/test$file.text",
         {{0}},
         {{"date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
         "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
        {"GET",
         "/",
         {{"lifecycle", ""}},
         {{0}},
         NO_CONTENT,
         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
        {"GET",
         "/",
         {{"max-keys", "2"}, {"prefix", "J"}},
         {{0}},
         NO_CONTENT,
         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    };
    for (size_t i = 0; i < COUNT_OF(vectors); i++)
        check(&vectors[i], &key, "examplebucket.s3.amazonaws.com", "20130524T000000Z", true);
}

static void the_steps(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    static const SigKey key = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                               "us-east-1", "s3"};
    static const char time[] = "20130524T000000Z";
    SigPair query[] = {{"prefix", "J"}, {"max-keys", "2"}};
    SigPair headers[] = {{"x-amz-date", time},
                         {"host", "examplebucket.s3.amazonaws.com"},
                         {"x-amz-content-sha256", NO_CONTENT}};
    SigRequest request = {.method = "GET",
                          .path = "/",
                          .query = query,
                          .query_count = 2,
                          .headers = headers,
                          .header_count = 3,
                          .payload_sha256 = NO_CONTENT};
    char *names = NULL;
    const char *canonical = sigv4_canonical_request(arena, &request, &names);
    assert_string_equal(canonical, "GET\n/\nmax-keys=2&prefix=J\n"
                                   "host:examplebucket.s3.amazonaws.com\n"
                                   "x-amz-content-sha256:" NO_CONTENT "\n"
                                   "x-amz-date:20130524T000000Z\n\n"
                                   "host;x-amz-content-sha256;x-amz-date\n" NO_CONTENT);
    assert_string_equal(names, "host;x-amz-content-sha256;x-amz-date");
    assert_string_equal(sigv4_string_to_sign(arena, &key, time, canonical),
                        "AWS4-HMAC-SHA256\n20130524T000000Z\n"
                        "20130524/us-east-1/s3/aws4_request\n"
                        "df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7");
    const char *value = sigv4_authorization(arena, &key, time, &request);
    assert_true(str_starts(value, "AWS4-HMAC-SHA256 "
                                  "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
                                  "aws4_request, SignedHeaders=host;x-amz-content-sha256;"
                                  "x-amz-date, Signature="));
    assert_null(strstr(value, key.secret_key));
}

static void encoding(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    assert_string_equal(sigv4_encode(arena, "a b/c+~-._d%", true), "a%20b/c%2B~-._d%25");
    assert_string_equal(sigv4_encode(arena, "a/b", false), "a%2Fb");
    assert_string_equal(sigv4_encode(arena, "\xFF", false), "%FF");
    assert_string_equal(sigv4_time(arena, 1369353600), "20130524T000000Z");
    /* Sorted as encoded: '~' stays, '=' becomes %3D and so comes first. */
    SigPair query[] = {{"~", "1"}, {"=", "2"}, {"a", "2"}, {"a", "1"}};
    assert_string_equal(sigv4_query(arena, query, 4), "%3D=2&a=1&a=2&~=1");
    assert_string_equal(sigv4_query(arena, NULL, 0), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_suite),
        cmocka_unit_test(the_examples_of_s3),
        cmocka_unit_test(the_steps),
        cmocka_unit_test(encoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
