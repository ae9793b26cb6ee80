/* The settings of the pooler: every key of PgBouncer 1.25's [pgbouncer] section, and `workers`.
 *
 * One row of a table describes a key; the same kind of rows describes the keys of [databases],
 * [users] and [peers] (targets.h). Times are microseconds here and seconds in the file, with a
 * fraction if need be. A text that is not set is NULL. What a key does is PgBouncer's manual's to
 * say (pgbouncer.org/config.html). */
#pragma once

#include "base/arena.h"
#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_ADMIN_DATABASE "pgbouncer"
#define POOL_UNSET          (-1) /* a number of a database or a user that leaves it to others */

typedef enum {
    POOL_MODE_UNSET = POOL_UNSET,
    POOL_MODE_SESSION,
    POOL_MODE_TRANSACTION,
    POOL_MODE_STATEMENT,
} PoolMode;

/* What auth_type and the rules of an HBA file may say. */
typedef enum {
    AUTH_ANY,
    AUTH_TRUST,
    AUTH_PLAIN, /* "password" in an HBA file */
    AUTH_MD5,
    AUTH_SCRAM,
    AUTH_CERT,
    AUTH_HBA,    /* auth_type only */
    AUTH_PEER,   /* HBA only */
    AUTH_REJECT, /* HBA only */
} AuthType;

typedef enum {
    SSL_DISABLE,
    SSL_ALLOW,
    SSL_PREFER,
    SSL_REQUIRE,
    SSL_VERIFY_CA,
    SSL_VERIFY_FULL,
} SslMode;

typedef struct {
    const char *admin_users;
    int application_name_add_host;
    const char *auth_dbname;
    const char *auth_file;
    const char *auth_hba_file;
    const char *auth_ident_file;
    const char *auth_ldap_options;
    const char *auth_query;
    AuthType auth_type;
    const char *auth_user;
    int64_t autodb_idle_timeout_us;
    int64_t cancel_wait_timeout_us;
    int64_t client_idle_timeout_us;
    int64_t client_login_timeout_us;
    const char *client_tls13_ciphers;
    const char *client_tls_ca_file;
    const char *client_tls_cert_file;
    const char *client_tls_ciphers;
    const char *client_tls_dheparams;
    const char *client_tls_ecdhcurve;
    const char *client_tls_key_file;
    const char *client_tls_protocols;
    SslMode client_tls_sslmode;
    const char *conffile;
    int default_pool_size;
    int disable_pqexec;
    int64_t dns_max_ttl_us;
    int64_t dns_nxdomain_ttl_us;
    int64_t dns_zone_check_period_us;
    int64_t idle_transaction_timeout_us;
    const char *ignore_startup_parameters;
    const char *job_name;
    const char *listen_addr;
    int listen_backlog;
    int listen_port;
    int log_connections;
    int log_disconnections;
    int log_pooler_errors;
    int log_stats;
    const char *logfile;
    int max_client_conn;
    int max_db_client_connections;
    int max_db_connections;
    int max_packet_size;
    int max_prepared_statements;
    int max_user_client_connections;
    int max_user_connections;
    int min_pool_size;
    int peer_id;
    const char *pidfile;
    int pkt_buf;
    PoolMode pool_mode;
    int64_t query_timeout_us;
    int query_wait_notify; /* seconds */
    int64_t query_wait_timeout_us;
    int reserve_pool_size;
    int64_t reserve_pool_timeout_us;
    const char *resolv_conf;
    int sbuf_loopcnt;
    int scram_iterations;
    int64_t server_check_delay_us;
    const char *server_check_query;
    int64_t server_connect_timeout_us;
    int server_fast_close;
    int64_t server_idle_timeout_us;
    int64_t server_lifetime_us;
    int64_t server_login_retry_us;
    const char *server_reset_query;
    int server_reset_query_always;
    int server_round_robin;
    const char *server_tls13_ciphers;
    const char *server_tls_ca_file;
    const char *server_tls_cert_file;
    const char *server_tls_ciphers;
    const char *server_tls_key_file;
    const char *server_tls_protocols;
    SslMode server_tls_sslmode;
    int so_reuseport;
    int stats_period; /* seconds */
    const char *stats_users;
    int64_t suspend_timeout_us;
    int syslog;
    const char *syslog_facility;
    const char *syslog_ident;
    int tcp_defer_accept;
    int tcp_keepalive;
    int tcp_keepcnt;
    int tcp_keepidle;
    int tcp_keepintvl;
    int tcp_socket_buffer;
    int tcp_user_timeout; /* milliseconds */
    const char *track_extra_parameters;
    int64_t transaction_timeout_us;
    const char *unix_socket_dir;
    const char *unix_socket_group;
    int unix_socket_mode;
    const char *user;
    int verbose;
    int workers; /* 0: one a core */
} PoolSettings;

typedef enum {
    SETTING_INT,     /* an int within min and max; also as 0octal or 0xhexadecimal */
    SETTING_SECONDS, /* an int64_t of microseconds */
    SETTING_TEXT,    /* a const char * */
    SETTING_WORD,    /* an enum (int): one of words, in any case */
} SettingKind;

typedef struct {
    const char *word;
    int value;
    const char *refusal; /* PgBouncer knows the word and we do not: what to use instead */
} SettingWord;

typedef struct SettingSpec SettingSpec;
struct SettingSpec {
    const char *name;
    const char *fallback; /* NULL: nothing, or what the row's sql says */
    SettingKind kind;
    bool at_start; /* a reload does not change it */
    size_t offset;
    int64_t min, max;
    bool decimal;             /* an int with no other notation: 010 is ten */
    const SettingWord *words; /* ends in a NULL word */
    /* What is wrong with the text; NULL: nothing. Words of the answer are in the arena. */
    const char *(*check)(Arena *arena, const char *value);
    const char *sql;   /* an embedded file as fallback */
    const char *alias; /* another name of the key; NULL: none */
    bool secret;       /* never printed */
};

/* By name, as SHOW CONFIG has them; the last has no name. */
extern const SettingSpec pool_setting_specs[];

/* By name or alias; NULL when there is none. specs ends in a row without a name. */
const SettingSpec *setting_find(const SettingSpec *specs, const char *name);
/* "" or "did you mean ...?" */
const char *setting_suggestion(Arena *arena, const SettingSpec *specs, const char *name);
/* Every field of object as the rows' fallbacks have it. */
void settings_set_defaults(const SettingSpec *specs, Arena *arena, void *object);
/* NULL, or in words why value is none for spec; object is then as it was. Texts are copied into the
 * arena. */
const char *setting_assign(const SettingSpec *spec, Arena *arena, const char *value,
                           void *object) MUST_CHECK;
/* As SHOW CONFIG shows it; NULL for a text that is not set. */
const char *setting_text(const SettingSpec *spec, Arena *arena, const void *object);
/* What it is when nothing is said; NULL for a text that is not set. */
const char *setting_default(const SettingSpec *spec, Arena *arena);

extern const SettingWord pool_mode_words[];

/* Versions of TLS that "secure", "all", "tlsv1.2,tlsv1.3" or "all:!tlsv1.0" stand for, as bits; ""
 * is "secure". */
enum { TLS_1_0 = 1, TLS_1_1 = 2, TLS_1_2 = 4, TLS_1_3 = 8 };
bool tls_protocols_parse(const char *text, unsigned *versions) MUST_CHECK;

/* Is word in a list by commas or white space, as admin_users is? */
bool pool_list_has(const char *list, const char *word);
