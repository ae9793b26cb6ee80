/* PostgreSQL's protocol, 3.0 to 3.2, as bytes: what both sides of a pooler read and write
 * (PostgreSQL's documentation, "Frontend/Backend Protocol", "Message Formats").
 *
 * Nothing here knows a socket or keeps state, and nothing allocates but what appends to a Buffer.
 * Every byte read is taken for hostile. A reader points into the bytes it was given; texts are
 * followed by their NUL there. Readers of one message's body return false where it is malformed,
 * also where something follows its last field; what they filled is then not to be used.
 *
 * Bytes that have not all arrived are WIRE_MORE: come again with more of them. */
#pragma once

#include "base/buffer.h"
#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

typedef enum { WIRE_READY, WIRE_MORE, WIRE_BAD } WireStatus;

#define WIRE_HEADER_BYTES 5 /* type, length */
#define WIRE_STARTUP_MAX  10000
#define WIRE_PASSWORD_MAX 65535
#define WIRE_KEY_MIN      4 /* of a cancel key */
#define WIRE_KEY_MAX      256
#define WIRE_SALT_BYTES   4 /* of an md5 request */

/* ---- The cursor. A read past the end gives 0 or "", and from then on nothing else; so a run of
 * reads is checked once, by wire_finished. ---- */

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
} WireCursor;

WireCursor wire_cursor(const void *bytes, size_t length);
size_t wire_left(const WireCursor *cursor);
uint8_t wire_read_u8(WireCursor *cursor);
uint16_t wire_read_u16(WireCursor *cursor);
uint32_t wire_read_u32(WireCursor *cursor);
/* NULL where there are not so many. */
const uint8_t *wire_read_bytes(WireCursor *cursor, size_t count);
/* Up to and with its NUL; never NULL. length may be NULL. */
const char *wire_read_string(WireCursor *cursor, size_t *length);
/* All was there, and nothing is left. */
bool wire_finished(const WireCursor *cursor);

/* ---- Headers ---- */

/* Who talks, and where they are: which messages may come and how long each may be. */
typedef enum {
    WIRE_CLIENT_LOGIN, /* a client that has been asked for a password */
    WIRE_CLIENT,       /* a client that is logged in */
    WIRE_SERVER_LOGIN,
    WIRE_SERVER,
    WIRE_STATES
} WireState;

typedef struct {
    char type;
    bool stream;   /* its body may be passed on as it comes; otherwise it is wanted whole */
    uint32_t body; /* bytes after the header */
} WireHeader;

/* The lengths that a configuration sets. */
typedef struct {
    uint32_t message_max; /* any message (PgBouncer's max_packet_size), its header counted */
    uint32_t whole_max;   /* one that must be in memory whole */
} WireLimits;

extern const WireLimits WIRE_LIMITS_DEFAULT;

/* The header at the start of bytes. WIRE_BAD with *reason (a static text)
 * for a type that may not come now, or a length that is none or too much. A bad type is seen
 * before its length has come. */
WireStatus wire_header(const void *bytes, size_t length, WireState state, const WireLimits *limits,
                       WireHeader *header, const char **reason);

/* ---- The start of a connection ---- */

typedef enum {
    WIRE_STARTUP_SESSION,
    WIRE_STARTUP_SSL,
    WIRE_STARTUP_GSSENC,
    WIRE_STARTUP_CANCEL
} WireStartupKind;

typedef struct {
    WireStartupKind kind;
    uint32_t length;        /* of the whole packet: what follows it is the next one */
    uint16_t minor;         /* as asked for; SESSION */
    WireCursor parameters;  /* SESSION, for wire_startup_next */
    uint32_t process_id;    /* CANCEL */
    const uint8_t *key;     /* CANCEL */
    size_t key_length;      /* 4 to 256 */
    uint32_t unknown_count; /* of "_pq_." options: we know none */
} WireStartup;

/* WIRE_BAD with *reason. After SSLRequest answered with 'S' nothing may stand in the buffer behind
 * the packet: the caller checks length (CVE-2021-3935). */
WireStatus wire_startup_read(const void *bytes, size_t length, WireStartup *startup,
                             const char **reason);
/* The next parameter; false at the end. Works on a copy of `parameters`. */
bool wire_startup_next(WireCursor *parameters, const char **name, const char **value);
/* The value of name, the last where it is repeated; NULL where it is not there. */
const char *wire_startup_get(const WireStartup *startup, const char *name);
/* The next "_pq_." option's name; false at the end. */
bool wire_startup_unknown(WireCursor *parameters, const char **name);
/* The minor version to speak, at most maximum (0 or 2; there is no 3.1). */
uint16_t wire_startup_minor(const WireStartup *startup, uint16_t maximum);

/* The settings in the value of the startup parameter `options`: "-c name=value", "-cname=value",
 * "--name=value", words split at white space, backslash quotes. Fills name and value (buffers are
 * cleared first) and moves *at on. WIRE_MORE: at the end. WIRE_BAD: something else than a setting.
 * Dashes in the name are underscores, as PostgreSQL has it. */
WireStatus wire_options_next(const char **at, Buffer *name, Buffer *value);

/* ---- Bodies that a client sends ---- */

typedef struct {
    const char *statement;
    const char *query;
    uint16_t type_count;
    const uint8_t *types; /* OIDs in network order */
    const uint8_t *key;   /* query, NUL, count, OIDs: what tells one statement from another */
    size_t key_length;
} WireParse;

typedef struct {
    const char *portal;
    const char *statement;
    size_t portal_length;
    size_t statement_length;
    size_t head; /* bytes of the body that the two names take with their NULs */
} WireBindNames;

typedef struct {
    WireBindNames names;
    uint16_t parameter_count;
    uint16_t result_format_count;
    const uint8_t *result_formats; /* network order */
} WireBind;

typedef struct {
    char kind; /* 'S' statement, 'P' portal */
    const char *name;
} WireTarget;

typedef struct {
    const char *portal;
    uint32_t row_max; /* 0: all */
} WireExecute;

typedef struct {
    const char *mechanism;
    const uint8_t *data; /* NULL: none was sent */
    size_t data_length;
} WireSaslInitial;

bool wire_parse_read(const void *body, size_t length, WireParse *parse) MUST_CHECK;
/* Needs no more of the body than the two names, which together may be names_max long. */
WireStatus wire_bind_names(const void *body, size_t length, size_t names_max, WireBindNames *names);
/* The whole of it, and whether it is well formed. */
bool wire_bind_read(const void *body, size_t length, WireBind *bind) MUST_CHECK;
bool wire_target_read(const void *body, size_t length, WireTarget *target) MUST_CHECK;
bool wire_execute_read(const void *body, size_t length, WireExecute *execute) MUST_CHECK;
/* Of Query, CopyFail, PasswordMessage and CommandComplete: one text. */
bool wire_text_read(const void *body, size_t length, const char **text) MUST_CHECK;
bool wire_sasl_initial_read(const void *body, size_t length, WireSaslInitial *initial) MUST_CHECK;

/* ---- Bodies that a server sends ---- */

/* Fields that did not come are "". */
typedef struct {
    const char *severity; /* not translated where the server says so (9.6 and later) */
    char sqlstate[6];     /* "" unless it is one: five digits and capital letters */
    const char *message, *detail, *hint, *where;
} WireError;

typedef struct {
    uint32_t process_id;
    const uint8_t *key;
    size_t key_length;
} WireBackendKey;

typedef enum {
    WIRE_AUTH_OK = 0,
    WIRE_AUTH_PASSWORD = 3,
    WIRE_AUTH_MD5 = 5,
    WIRE_AUTH_SASL = 10,
    WIRE_AUTH_SASL_CONTINUE = 11,
    WIRE_AUTH_SASL_FINAL = 12
} WireAuthCode;

typedef struct {
    uint32_t code;       /* WireAuthCode; others (Kerberos, GSS, SSPI) are not answered */
    const uint8_t *salt; /* MD5 */
    const uint8_t *data; /* SASL_CONTINUE, SASL_FINAL */
    size_t data_length;  /* */
    bool scram_sha_256, scram_plus; /* SASL: whether they were offered */
} WireAuth;

typedef struct {
    uint32_t version; /* 3 << 16 | minor */
    uint32_t option_count;
    WireCursor options; /* as many strings */
} WireNegotiate;

/* A cursor over columns; count of them are to be read. */
typedef struct {
    uint16_t count;
    WireCursor cursor;
} WireColumns;

typedef struct {
    const char *name;
    uint32_t table_oid, type_oid, type_modifier;
    uint16_t attribute, type_size, format;
} WireColumn;

typedef struct {
    uint8_t format; /* 0 text, 1 binary */
    uint16_t column_count;
} WireCopy;

bool wire_error_read(const void *body, size_t length, WireError *error) MUST_CHECK;
/* The same of a body that is streamed: the fields that are there whole. The SQLSTATE is among the
 * first of them; a message can be as long as a row. */
void wire_error_peek(const void *body, size_t available, WireError *error);
bool wire_parameter_read(const void *body, size_t length, const char **name,
                         const char **value) MUST_CHECK;
/* *state is 'I', 'T' or 'E'. */
bool wire_ready_read(const void *body, size_t length, char *state) MUST_CHECK;
bool wire_backend_key_read(const void *body, size_t length, WireBackendKey *key) MUST_CHECK;
bool wire_auth_read(const void *body, size_t length, WireAuth *auth) MUST_CHECK;
bool wire_negotiate_read(const void *body, size_t length, WireNegotiate *negotiate) MUST_CHECK;
/* RowDescription and DataRow; the whole is checked, so that the columns then come count times. */
bool wire_row_description_read(const void *body, size_t length, WireColumns *columns) MUST_CHECK;
bool wire_column_next(WireColumns *columns, WireColumn *column);
bool wire_data_row_read(const void *body, size_t length, WireColumns *columns) MUST_CHECK;
/* *value is NULL for SQL's NULL; it is not followed by a NUL byte. False at the end. */
bool wire_value_next(WireColumns *columns, const uint8_t **value, size_t *length);
/* CopyInResponse, CopyOutResponse, CopyBothResponse. */
bool wire_copy_read(const void *body, size_t length, WireCopy *copy) MUST_CHECK;

/* ---- What a pooler writes. Appends whole messages, or nothing where the buffer's maximum is
 * reached (its `overflow` is then set). ---- */

typedef struct {
    const char *name;
    uint32_t type_oid;
} WireField;

#define WIRE_OID_INT8    20
#define WIRE_OID_INT4    23
#define WIRE_OID_TEXT    25
#define WIRE_OID_NUMERIC 1700

/* A message with no body: '1', '2', '3', 'n', 's', 'I', 'S', 'H', 'X', 'c'. */
void wire_put_empty(Buffer *out, char type);
/* One with a body that is there already. */
void wire_put_message(Buffer *out, char type, const void *body, size_t length);
/* One whose body is one text: Query, CopyFail, PasswordMessage, CommandComplete. */
void wire_put_text(Buffer *out, char type, const char *text);

/* ErrorResponse ('E') or NoticeResponse ('N'); detail, hint and where may be NULL or "". */
void wire_put_error(Buffer *out, char type, const WireError *error);
void wire_put_parameter(Buffer *out, const char *name, const char *value);
void wire_put_ready(Buffer *out, char state);
void wire_put_backend_key(Buffer *out, uint32_t process_id, const uint8_t *key, size_t key_length);
/* OK, PASSWORD (no data), MD5 (the salt), SASL_CONTINUE and SASL_FINAL. */
void wire_put_auth(Buffer *out, WireAuthCode code, const void *data, size_t length);
/* SASL: SCRAM-SHA-256, after SCRAM-SHA-256-PLUS where channel binding is possible. */
void wire_put_auth_sasl(Buffer *out, bool plus);
/* What of startup is not taken: the version, and each option. */
void wire_put_negotiate(Buffer *out, uint16_t minor, const WireStartup *startup);
/* In text format; the size is that of the type. */
void wire_put_row_description(Buffer *out, const WireField *fields, size_t count);
/* NULL is SQL's NULL. */
void wire_put_data_row(Buffer *out, const char *const *values, size_t count);

typedef struct {
    const char *name, *value;
} WireSetting;

void wire_put_startup(Buffer *out, uint16_t minor, const WireSetting *settings, size_t count);
void wire_put_ssl_request(Buffer *out);
void wire_put_cancel(Buffer *out, uint32_t process_id, const uint8_t *key, size_t key_length);
/* data NULL: none. */
void wire_put_sasl_initial(Buffer *out, const char *mechanism, const void *data, size_t length);
/* key is what WireParse calls so. */
void wire_put_parse(Buffer *out, const char *statement, const void *key, size_t key_length);
/* Close ('C') or Describe ('D') of a statement ('S') or portal ('P'). */
void wire_put_target(Buffer *out, char type, char kind, const char *name);

/* ---- Another statement name in a message that is passed on. The parts are written in their order
 * (one writev) in place of the message's header and the `consumed` bytes of its body; they point
 * into head, body and name, which must live until then. ---- */

#define WIRE_SPLICE_HEAD  64 /* what the caller keeps for `head` */
#define WIRE_SPLICE_NAME  48 /* the longest statement name put in, without its NUL */
#define WIRE_SPLICE_PARTS 4

typedef struct {
    struct iovec parts[WIRE_SPLICE_PARTS];
    int count;
    size_t consumed; /* bytes of the body that the parts stand for */
} WireSplice;

/* A Parse of a statement whose key (see WireParse) is in memory. */
bool wire_splice_parse(const char *name, const void *key, size_t key_length,
                       uint8_t head[WIRE_SPLICE_HEAD], WireSplice *splice) MUST_CHECK;
/* A Bind of which header said how long it is, and available bytes of the body, its names at least,
 * are there. Those not consumed follow as they come. */
bool wire_splice_bind(const WireHeader *header, const WireBindNames *names, const void *body,
                      size_t available, const char *name, uint8_t head[WIRE_SPLICE_HEAD],
                      WireSplice *splice) MUST_CHECK;
/* Describe or Close of a statement: wholly in head. */
bool wire_splice_target(char type, const char *name, uint8_t head[WIRE_SPLICE_HEAD],
                        WireSplice *splice) MUST_CHECK;
