#include "unit.h"

#include "base/secret.h"
#include "pool/password.h"
#include "pool/scram_internal.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

static const uint8_t salt[] = "0123456789abcdef";
static const uint8_t binding[32] = "the hash of some certificate...";

static void derive(const char *password, ScramKeys *keys, ScramSecret *secret)
{
    scram_derive(password, strlen(password), salt, 16, 64, keys);
    scram_secret_make(keys, salt, 16, 64, secret);
}

/* RFC 7677, section 3 */
static void the_rfc_s_exchange(UNUSED void **state)
{
    ScramKeys keys;
    ScramSecret secret;
    uint8_t own_salt[16];
    uint8_t proof[SCRAM_KEY_BYTES];
    uint8_t client_key[SCRAM_KEY_BYTES];
    uint8_t signature[SCRAM_KEY_BYTES];
    size_t length = 0;
    _cleanup_buffer_ Buffer message;
    _cleanup_buffer_ Buffer text;
    buffer_init(&message, BUFFER_MAX_LINE);
    buffer_init(&text, 100);
    assert_true(secret_base64_read("W22ZaJ0SNY7soEsUEjb6gQ==", 24, own_salt, 16, &length));
    scram_derive("pencil", 6, own_salt, 16, 4096, &keys);
    scram_secret_make(&keys, own_salt, 16, 4096, &secret);
    (void)buffer_append_str(&message,
                            "n=user,r=rOprNGfwEbeRWgbNEkqO,"
                            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                            "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
                            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
    scram_combine(secret.stored_key, &message, keys.client_key, proof);
    (void)secret_base64_put(&text, proof, sizeof(proof));
    assert_string_equal(text.data, "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    scram_combine(secret.stored_key, &message, proof, client_key);
    assert_memory_equal(client_key, keys.client_key, SCRAM_KEY_BYTES);
    hash_hmac(secret.server_key, SCRAM_KEY_BYTES, message.data, message.length, signature);
    buffer_clear(&text);
    (void)secret_base64_put(&text, signature, sizeof(signature));
    assert_string_equal(text.data, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

/* What PostgreSQL 15 stores of these passwords. */
static const struct {
    const char *password, *stored;
} stored_by_postgresql[] = {
    {"pencil", "SCRAM-SHA-256$4096:4WElVh4Z84pEFsoNh1jUIw==$iH/XAO/NbJ9WvOciEifUAgq5rOvB2wn7169m+"
               "rSnZ0Q=:hhaPddJyox5dvgvPX38MAke/Rw2S0Lon1E0lPeQS+v8="},
    /* a soft hyphen, mapped to nothing */
    {"I\xC2\xADX", "SCRAM-SHA-256$4096:5KmZIvKz+vF436aNe+CBsg==$"
                   "LNijnEn0OULBJ7r85n6aGf8nu7pn5f8a7SAMzSJJCWo=:"
                   "gPKvbJQRilE4pUAScrMACvRj4RtZH2H1aSLAdYXZNpI="},
    /* a Roman nine, normalized to two letters */
    {"\xE2\x85\xA8", "SCRAM-SHA-256$4096:OekKKvC/gcWWpVT6fWQ7rg==$vCqOZD+pPASX01TABefqPKozAXWBTWYY6"
                     "Q/UCbdiago=:CqjP48VDLhLaW643jkK+of7Z0Jch9FQ85n31WkQy2hQ="},
    {"\xC2\xAA", "SCRAM-SHA-256$4096:+DZk7Mvslmh7/HODjVxtbQ==$FWn4VcOD9QWo4MOKnaQmk8ebkg9ENr/8nuB+"
                 "OQgVMWs=:fA6Ob3Pyn/CYJedYRDTUcr7Gi0SaLed3my+VlSYGSRU="},
    /* a space that does not break */
    {"a\xC2\xA0"
     "b",
     "SCRAM-SHA-256$4096:rSUw9fpeOxtGajuj7VRO0w==$FY+clG/SuwfQWQwgHFRt5/TCuDmKfH4gE9OH3hqxoKg=:"
     "K6AyAH2ExJEJbRvCJYhZFy6NkShxsAUdR56fqHtiVzo="},
    /* prohibited, so its bytes: both directions of writing, */
    {"\xD8\xA7"
     "1",
     "SCRAM-SHA-256$4096:Lg7pMcpHvc5HnuKrSStv7A==$DRrwdVGyo+xUlTjiOi+Uise7G6S9yH57HGuOByPyCh8=:"
     "J4SoysoaRIhH9rARf7HC1yegXIGnWMwsm/M63M1bd6I="},
    /* a code point without a meaning, */
    {"\xC8\xA1x", "SCRAM-SHA-256$4096:x6gpaXwKFLKQdqdIK7faHQ==$no7W9ulr/okoul4ijja0vLa7rlNodnOA6yo"
                  "8Ltg/Yro=:B/Er1VvHPEFmvOFwJqJTeV1HHBmtGMElUSMRfC7rjRY="},
    /* nothing left, */
    {"\xC2\xAD", "SCRAM-SHA-256$4096:ivwQSAuP62gaVsYW0pPvZQ==$1He0d1auwFfvhVcRLac0lbmM/ZGq/"
                 "f9UbsTh5ngDbMg=:9Kdg16+/3QFXMitaaf/0NZ3etfczozVTrShIttKaaK8="},
    /* control characters */
    {"\a\xC2\xAA", "SCRAM-SHA-256$4096:zBzL+uqgaYnUHuj2S+MUaw==$Q4e4L1ZKEkbfVDBCrQQIaMvC3UAcm0uj3"
                   "NumTrlWd2Q=:XR0pFWLjRAWiopipjg5hchx6sSpgoLkjw+EJWvKFwe8="},
    {"\a", "SCRAM-SHA-256$4096:cLlg5gHKSSDdsQO6HEVv2g==$qw3ie2YpjXOmEveLDDqCnVC9jDWvMLTev/"
           "L5esuTttw=:XhevsAzXfC/Yi6Kv3ab+PgzbqO5ySfvxi/G+6sAItgk="},
    {"e\xCC\x81\xF0\x9F\x98\x80", "SCRAM-SHA-256$4096:qp/c0Ww0+7Rxww4wCbHL5A==$niddueso3fAXhJm5YP3"
                                  "VEl01MvWTfc4G52lPChoilSA=:tv6ndEYfo5vw7/er5fpNpQ/"
                                  "sG6lu3S3Aw8GlFJ9ZGxI="},
    /* an accent put on its letter */
    {"e\xCC\x81", "SCRAM-SHA-256$4096:J0mf6O2LfcW5B1352sZfEQ==$sEwUpeI1u/+loQlvcAlEqHUMIvgYR2mFCsJE"
                  "Rbn973U=:PLeaqIUEV4k729AlsctMkp6FxvWGNwLElglOoA9jeFU="},
};

static void passwords_are_prepared_as_postgresql_does(UNUSED void **state)
{
    for (size_t i = 0; i < COUNT_OF(stored_by_postgresql); i++) {
        const char *stored = stored_by_postgresql[i].stored;
        const char *password = stored_by_postgresql[i].password;
        ScramSecret secret;
        _cleanup_buffer_ Buffer text;
        buffer_init(&text, 1000);
        assert_true(scram_secret_read(stored, &secret));
        scram_secret_print(&secret, &text);
        assert_string_equal(text.data, stored);
        assert_true(scram_secret_check(&secret, password, strlen(password)));
        assert_int_equal(password_kind(stored), PASSWORD_SCRAM);
    }
    assert_true(password_plain_check(stored_by_postgresql[0].stored, "ada", "pencil"));
    assert_false(password_plain_check(stored_by_postgresql[0].stored, "ada", "pencils"));
    ScramKeys one;
    ScramKeys two;
    scram_derive("\xFF\xFE", 2, salt, 16, 2, &one); /* not UTF-8 at all */
    scram_derive("\xFF\xFD", 2, salt, 16, 2, &two);
    assert_memory_not_equal(&one, &two, sizeof(one));
}

static void what_is_no_secret_is_refused(UNUSED void **state)
{
    static const char *const refused[] = {
        "",
        "SCRAM-SHA-256",
        "SCRAM-SHA-256$",
        "SCRAM-SHA-256$4096",
        "SCRAM-SHA-256$4096:$",
        "SCRAM-SHA-1$1:AA==$AAAA:AAAA",
        "SCRAM-SHA-256$0:AA==$" /* no iterations */
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "SCRAM-SHA-256$99999999999:AA==$"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "SCRAM-SHA-256$1:$" /* no salt */
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "SCRAM-SHA-256$1:AA==$AAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "SCRAM-SHA-256$1:AA==$" /* something behind it */
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        " ",
    };
    ScramSecret secret;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_false(scram_secret_read(refused[i], &secret));
        assert_int_equal(password_kind(refused[i]), PASSWORD_PLAIN);
    }
    assert_true(
        scram_secret_read("SCRAM-SHA-256$1:AA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
                          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                          &secret));
}

/* ---- Whole exchanges ---- */

typedef struct {
    ScramBinding kind;
    bool plus;           /* the mechanism that is chosen */
    bool server_offers;  /* the server has a certificate */
    const uint8_t *seen; /* the binding that the client sees */
    bool doomed;
    const char *password; /* the client's; the server's is "right" */
    ScramStatus expected; /* of the server */
} Exchange;

static void run_exchange(const Exchange *exchange)
{
    ScramKeys keys;
    ScramKeys client_keys;
    ScramKeys taken;
    ScramSecret secret;
    _cleanup_buffer_ Buffer to_server;
    _cleanup_buffer_ Buffer to_client;
    const char *reason = NULL;
    buffer_init(&to_server, BUFFER_MAX_LINE);
    buffer_init(&to_client, BUFFER_MAX_LINE);
    derive("right", &keys, &secret);
    bool binds = exchange->kind == SCRAM_BINDING_USED;
    _cleanup_scram_client_ ScramClient *client =
        scram_client_create(exchange->kind, binds ? exchange->seen : NULL, binds ? 32 : 0);
    bool offers = exchange->server_offers;
    _cleanup_scram_server_ ScramServer *server = scram_server_create(
        &secret, exchange->doomed, offers ? binding : NULL, offers ? sizeof(binding) : 0);

    scram_client_first(client, &to_server);
    ScramStatus status = scram_server_first(server, exchange->plus, to_server.data,
                                            to_server.length, &to_client, &reason);
    if (status == SCRAM_OK) {
        assert_int_equal(scram_client_challenge(client, to_client.data, to_client.length, &reason),
                         SCRAM_OK);
        assert_true(scram_client_fits(client, &secret));
        size_t length = 0;
        uint32_t iterations = 0;
        const uint8_t *its_salt = scram_client_salt(client, &length, &iterations);
        scram_derive(exchange->password, strlen(exchange->password), its_salt, length, iterations,
                     &client_keys);
        buffer_clear(&to_server);
        buffer_clear(&to_client);
        scram_client_final(client, &client_keys, &to_server);
        status = scram_server_final(server, to_server.data, to_server.length, &to_client, &taken,
                                    &reason);
    }
    assert_int_equal(status, exchange->expected);
    assert_true((status == SCRAM_MALFORMED) == (reason != NULL));
    if (status != SCRAM_OK) {
        assert_true(status != SCRAM_DENIED || to_client.length == 0);
        return;
    }
    /* A pooler can log in with what it was shown. */
    assert_memory_equal(&taken, &keys, sizeof(keys));
    assert_int_equal(scram_client_verify(client, to_client.data, to_client.length, &reason),
                     SCRAM_OK);
    /* Nothing can be said twice. */
    assert_int_equal(
        scram_server_final(server, to_server.data, to_server.length, &to_client, &taken, &reason),
        SCRAM_MALFORMED);
    assert_int_equal(scram_client_verify(client, to_client.data, to_client.length, &reason),
                     SCRAM_MALFORMED);
}

static void exchanges_end_as_they_must(UNUSED void **state)
{
    static const uint8_t other[32] = "the hash of an attacker's one...";
    const Exchange exchanges[] = {
        {SCRAM_BINDING_NONE, false, false, NULL, false, "right", SCRAM_OK},
        {SCRAM_BINDING_NONE, false, true, NULL, false, "right", SCRAM_OK},
        {SCRAM_BINDING_NONE, false, false, NULL, false, "wrong", SCRAM_DENIED},
        {SCRAM_BINDING_NONE, false, false, NULL, false, "", SCRAM_DENIED},
        {SCRAM_BINDING_NONE, false, false, NULL, true, "right", SCRAM_DENIED},
        {SCRAM_BINDING_DECLINED, false, false, NULL, false, "right", SCRAM_OK},
        {SCRAM_BINDING_DECLINED, false, true, NULL, false, "right", SCRAM_MALFORMED},
        {SCRAM_BINDING_USED, true, true, binding, false, "right", SCRAM_OK},
        {SCRAM_BINDING_USED, true, true, binding, false, "wrong", SCRAM_DENIED},
        {SCRAM_BINDING_USED, true, true, other, false, "right", SCRAM_MALFORMED},
        {SCRAM_BINDING_USED, true, false, binding, false, "right", SCRAM_MALFORMED},
        {SCRAM_BINDING_USED, false, true, binding, false, "right", SCRAM_MALFORMED},
        {SCRAM_BINDING_NONE, true, true, NULL, false, "right", SCRAM_MALFORMED},
    };
    for (size_t i = 0; i < COUNT_OF(exchanges); i++)
        run_exchange(&exchanges[i]);
}

static ScramStatus first_of(const char *message, Buffer *out)
{
    ScramKeys keys;
    ScramSecret secret;
    const char *reason = NULL;
    derive("right", &keys, &secret);
    _cleanup_scram_server_ ScramServer *server = scram_server_create(&secret, false, NULL, 0);
    return scram_server_first(server, false, message, strlen(message), out, &reason);
}

static void a_first_message_is_strict(UNUSED void **state)
{
    static const char *const taken[] = {"n,,n=,r=abc", "y,,n=ada,r=abc", "n,,n=,r=abc,x=1,y="};
    static const char *const refused[] = {"",
                                          "n",
                                          "n,",
                                          "n,,",
                                          "n,,n=",
                                          "n,,n=,r=",
                                          "n,a=x,n=,r=abc",
                                          "x,,n=,r=abc",
                                          "n,,r=abc",
                                          "n,,n=,r=a c",
                                          "n,,n=,r=abc,",
                                          "n,,n=,r=\x7F",
                                          "n,,m=,n=,r=abc",
                                          "p=,,n=,r=abc",
                                          "n,,n=,r=abc,1=",
                                          "n,,n=,r=abc,xx",
                                          "nn,,n=,r=abc"};
    _cleanup_buffer_ Buffer out;
    buffer_init(&out, BUFFER_MAX_LINE);
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        buffer_clear(&out);
        assert_int_equal(first_of(taken[i], &out), SCRAM_OK);
        assert_memory_equal(out.data, "r=abc", 5);
        assert_int_equal(out.length, strlen("r=abc,s=,i=64") + 24 + 24);
    }
    buffer_clear(&out);
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        assert_int_equal(first_of(refused[i], &out), SCRAM_MALFORMED);
    assert_int_equal(out.length, 0);
    ScramText text;
    assert_false(scram_text("n,,\0", 4, &text));
}

/* The start of a server's challenge is our nonce. */
static ScramStatus challenge(const char *rest)
{
    const char *reason = NULL;
    _cleanup_buffer_ Buffer out;
    _cleanup_scram_client_ ScramClient *client = scram_client_create(SCRAM_BINDING_NONE, NULL, 0);
    buffer_init(&out, BUFFER_MAX_LINE);
    scram_client_first(client, &out);
    buffer_consume(&out, strlen("n,,n=,"));
    (void)buffer_append_str(&out, rest);
    return scram_client_challenge(client, out.data, out.length, &reason);
}

static void a_challenge_is_strict(UNUSED void **state)
{
    static const char *const refused[] = {"",
                                          ",s=AAAA,i=1" /* it added nothing */,
                                          "x,s=AAAA",
                                          "x,s=,i=1",
                                          "x,s=AAA,i=1",
                                          "x,s=AAAA,i=0",
                                          "x,s=AAAA,i=10000001",
                                          "x,s=AAAA,i=-1",
                                          "x,s=AAAA,i=1,",
                                          "x,s=AAAA,i=1,x=1",
                                          "x,s=AAAA,i=",
                                          "x,s=AAAA,i=999999999999999999999",
                                          "\x01,s=AAAA,i=1",
                                          "x,i=1,s=AAAA"};
    assert_int_equal(challenge("x,s=AAAA,i=1"), SCRAM_OK);
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        assert_int_equal(challenge(refused[i]), SCRAM_MALFORMED);
    const char *reason = NULL;
    _cleanup_buffer_ Buffer out;
    _cleanup_scram_client_ ScramClient *client = scram_client_create(SCRAM_BINDING_NONE, NULL, 0);
    buffer_init(&out, BUFFER_MAX_LINE);
    scram_client_first(client, &out);
    static const char other[] = "r=aaaaaaaaaaaaaaaaaaaaaaaax,s=AAAA,i=1"; /* another's nonce */
    assert_int_equal(scram_client_challenge(client, other, sizeof(other) - 1, &reason),
                     SCRAM_MALFORMED);
}

static void a_server_that_does_not_know_the_password_is_found_out(UNUSED void **state)
{
    static const char *const answers[] = {"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                                          "v=AAAA",
                                          "e=other-error",
                                          "v=",
                                          "",
                                          "x=AAAA"};
    static const ScramStatus expected[] = {SCRAM_DENIED,    SCRAM_MALFORMED, SCRAM_DENIED,
                                           SCRAM_MALFORMED, SCRAM_MALFORMED, SCRAM_MALFORMED};
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        ScramKeys keys;
        ScramSecret secret;
        const char *reason = NULL;
        _cleanup_buffer_ Buffer out;
        _cleanup_scram_client_ ScramClient *client =
            scram_client_create(SCRAM_BINDING_NONE, NULL, 0);
        buffer_init(&out, BUFFER_MAX_LINE);
        derive("right", &keys, &secret);
        scram_client_first(client, &out);
        buffer_consume(&out, strlen("n,,n=,"));
        (void)buffer_append_str(&out, "x,s=AAAA,i=1");
        assert_int_equal(scram_client_challenge(client, out.data, out.length, &reason), SCRAM_OK);
        scram_client_final(client, &keys, &out);
        assert_int_equal(scram_client_verify(client, answers[i], strlen(answers[i]), &reason),
                         expected[i]);
    }
}

static void an_unknown_user_s_salt_is_stable(UNUSED void **state)
{
    uint8_t key[SCRAM_KEY_BYTES] = {1};
    ScramSecret one;
    ScramSecret again;
    ScramSecret other;
    scram_secret_mock(key, "ada", &one);
    scram_secret_mock(key, "ada", &again);
    scram_secret_mock(key, "eve", &other);
    assert_int_equal(one.iterations, 4096);
    assert_int_equal(one.salt_length, 16);
    assert_memory_equal(&one, &again, sizeof(one));
    assert_memory_not_equal(one.salt, other.salt, 16);
    key[0] = 2; /* another process */
    scram_secret_mock(key, "ada", &other);
    assert_memory_not_equal(one.salt, other.salt, 16);
}

/* ---- Channel binding ---- */

static void sign_with(const EVP_MD *digest, const EVP_MD *expected)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    uint8_t hash[SCRAM_BINDING_MAX];
    uint8_t wanted[EVP_MAX_MD_SIZE];
    unsigned int wanted_length = 0;
    size_t length = 0;
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 60));
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, digest) > 0);
    assert_true(scram_end_point(certificate, hash, &length));
    assert_int_equal(X509_digest(certificate, expected, wanted, &wanted_length), 1);
    assert_int_equal(length, wanted_length);
    assert_memory_equal(hash, wanted, length);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void the_end_point_s_hash_follows_its_signature(UNUSED void **state)
{
    uint8_t hash[SCRAM_BINDING_MAX];
    size_t length = 0;
    sign_with(EVP_sha256(), EVP_sha256());
    sign_with(EVP_sha384(), EVP_sha384());
    sign_with(EVP_sha512(), EVP_sha512());
    sign_with(EVP_sha1(), EVP_sha256());
    X509 *unsigned_one = X509_new();
    assert_false(scram_end_point(unsigned_one, hash, &length));
    X509_free(unsigned_one);
}

/* ---- md5 and plain ---- */

static void md5_passwords(UNUSED void **state)
{
    static const char stored[] = "md5062609391fe3a46c452dbcfc3471a071"; /* by PostgreSQL 15 */
    const uint8_t salts[2][WIRE_SALT_BYTES] = {{1, 2, 3, 4}, {1, 2, 3, 5}};
    char hash[PASSWORD_MD5_SIZE];
    char answer[PASSWORD_MD5_SIZE];
    assert_int_equal(password_kind(stored), PASSWORD_MD5);
    assert_true(password_md5("pencil", "plw_t", hash));
    assert_string_equal(hash, stored);
    assert_true(password_md5_answer(stored, "plw_t", salts[0], answer));
    assert_true(password_md5_check(stored, "plw_t", salts[0], answer));
    assert_true(password_md5_check("pencil", "plw_t", salts[0], answer));
    assert_false(password_md5_check("pencil", "plw_t", salts[1], answer));
    assert_false(password_md5_check("pencil", "other", salts[0], answer));
    assert_false(password_md5_check("pencil", "plw_t", salts[0], stored));
    assert_false(password_md5_check("pencil", "plw_t", salts[0], ""));
    assert_false(password_md5_answer(stored_by_postgresql[0].stored, "plw_t", salts[0], answer));
    assert_true(password_md5_answer("", "plw_t", salts[0], answer));
    assert_false(password_md5_check("", "plw_t", salts[0], answer)); /* no password is none */
    assert_true(password_plain_check(stored, "plw_t", "pencil"));
    assert_false(password_plain_check(stored, "plw_t", stored));
    assert_int_equal(password_kind("md5062609391FE3A46C452DBCFC3471A071"), PASSWORD_PLAIN);
    assert_int_equal(password_kind("md5"), PASSWORD_PLAIN);
}

static void plain_passwords(UNUSED void **state)
{
    assert_true(password_plain_check("pencil", "ada", "pencil"));
    assert_false(password_plain_check("pencil", "ada", "pencil2"));
    assert_false(password_plain_check("", "ada", ""));
    assert_false(password_plain_check("pencil", "ada", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfc_s_exchange),
        cmocka_unit_test(passwords_are_prepared_as_postgresql_does),
        cmocka_unit_test(what_is_no_secret_is_refused),
        cmocka_unit_test(exchanges_end_as_they_must),
        cmocka_unit_test(a_first_message_is_strict),
        cmocka_unit_test(a_challenge_is_strict),
        cmocka_unit_test(a_server_that_does_not_know_the_password_is_found_out),
        cmocka_unit_test(an_unknown_user_s_salt_is_stable),
        cmocka_unit_test(the_end_point_s_hash_follows_its_signature),
        cmocka_unit_test(md5_passwords),
        cmocka_unit_test(plain_passwords),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
