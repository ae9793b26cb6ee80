#include "base/str.h"
#include "pool/scram.h"
#include "pool/settings.h"
#include "sql_texts.h"

#include <limits.h>

/* The cancel key of a peered process holds 16 bits of it. */
#define POOL_PEER_ID_MAX 65535
#define POOL_WORKERS_MAX 256

const SettingWord pool_mode_words[] = {
    {"session", POOL_MODE_SESSION},
    {"transaction", POOL_MODE_TRANSACTION},
    {"statement", POOL_MODE_STATEMENT},
    {NULL},
};

static const SettingWord auth_words[] = {
    {"any", AUTH_ANY},
    {"trust", AUTH_TRUST},
    {"plain", AUTH_PLAIN},
    {"md5", AUTH_MD5},
    {"cert", AUTH_CERT},
    {"hba", AUTH_HBA},
    {"scram-sha-256", AUTH_SCRAM},
    {"ldap", 0, "vaxdb has no LDAP: use scram-sha-256 with auth_file or auth_query"},
    {"pam", 0, "vaxdb has no PAM: use scram-sha-256 with auth_file or auth_query"},
    {NULL},
};

static const SettingWord ssl_words[] = {
    {"disable", SSL_DISABLE},
    {"allow", SSL_ALLOW},
    {"prefer", SSL_PREFER},
    {"require", SSL_REQUIRE},
    {"verify-ca", SSL_VERIFY_CA},
    {"verify-full", SSL_VERIFY_FULL},
    {NULL},
};

static const char *check_database(Arena *arena, const char *value)
{
    (void)arena;
    return str_equal(value, POOL_ADMIN_DATABASE) ? "that is the console's own database" : NULL;
}

static const char *check_protocols(Arena *arena, const char *value)
{
    (void)arena;
    unsigned versions = 0;
    return tls_protocols_parse(value, &versions)
               ? NULL
               : "it must be secure, all, or a list of tlsv1.0, tlsv1.1, tlsv1.2, tlsv1.3";
}

static const char *check_listed(Arena *arena, const char *value, const char *const *words,
                                size_t count)
{
    StrList list;
    str_list_init(&list, arena);
    for (size_t i = 0; i < count; i++)
        str_list_add(&list, words[i]);
    if (str_list_has(&list, value))
        return NULL;
    return arena_printf(arena, "it must be one of %s", str_list_join(&list, arena, ", "));
}

static const char *check_dheparams(Arena *arena, const char *value)
{
    static const char *const words[] = {"auto", "none", "legacy"};
    if (!*value)
        return NULL;
    return check_listed(arena, value, words, COUNT_OF(words));
}

static const char *check_facility(Arena *arena, const char *value)
{
    static const char *const words[] = {"auth",   "authpriv", "cron",   "daemon", "ftp",
                                        "kern",   "lpr",      "mail",   "news",   "syslog",
                                        "user",   "uucp",     "local0", "local1", "local2",
                                        "local3", "local4",   "local5", "local6", "local7"};
    return check_listed(arena, value, words, COUNT_OF(words));
}

#define AT(field) .offset = offsetof(PoolSettings, field)
#define INT(key, value, least, most, ...)                                                          \
    {                                                                                              \
        .name = #key, .fallback = (value), .kind = SETTING_INT, AT(key), .min = (least),           \
        .max = (most), ##__VA_ARGS__                                                               \
    }
#define SECONDS(key, value)                                                                        \
    {                                                                                              \
        .name = #key, .fallback = (value), .kind = SETTING_SECONDS, AT(key##_us)                   \
    }
#define TEXT(key, value, ...)                                                                      \
    {                                                                                              \
        .name = #key, .fallback = (value), .kind = SETTING_TEXT, AT(key), ##__VA_ARGS__            \
    }
#define WORD(key, value, list)                                                                     \
    {                                                                                              \
        .name = #key, .fallback = (value), .kind = SETTING_WORD, AT(key), .words = (list)          \
    }

const SettingSpec pool_setting_specs[] = {
    TEXT(admin_users, ""),
    INT(application_name_add_host, "0", 0, INT_MAX),
    TEXT(auth_dbname, NULL, .check = check_database),
    TEXT(auth_file, NULL),
    TEXT(auth_hba_file, ""),
    TEXT(auth_ident_file, NULL),
    TEXT(auth_ldap_options, NULL),
    TEXT(auth_query, NULL, .sql = sql_pool_auth_query),
    WORD(auth_type, "md5", auth_words),
    TEXT(auth_user, NULL),
    SECONDS(autodb_idle_timeout, "3600"),
    SECONDS(cancel_wait_timeout, "10"),
    SECONDS(client_idle_timeout, "0"),
    SECONDS(client_login_timeout, "60"),
    TEXT(client_tls13_ciphers, NULL),
    TEXT(client_tls_ca_file, ""),
    TEXT(client_tls_cert_file, ""),
    TEXT(client_tls_ciphers, "default"),
    TEXT(client_tls_dheparams, "auto", .check = check_dheparams),
    TEXT(client_tls_ecdhcurve, "auto"),
    TEXT(client_tls_key_file, ""),
    TEXT(client_tls_protocols, "secure", .check = check_protocols),
    WORD(client_tls_sslmode, "disable", ssl_words),
    TEXT(conffile, NULL),
    INT(default_pool_size, "20", 0, INT_MAX),
    INT(disable_pqexec, "0", 0, INT_MAX, .at_start = true),
    SECONDS(dns_max_ttl, "15"),
    SECONDS(dns_nxdomain_ttl, "15"),
    SECONDS(dns_zone_check_period, "0"),
    SECONDS(idle_transaction_timeout, "0"),
    TEXT(ignore_startup_parameters, ""),
    TEXT(job_name, "pgbouncer", .at_start = true, .alias = "service_name"),
    TEXT(listen_addr, "", .at_start = true),
    INT(listen_backlog, "128", 0, INT_MAX, .at_start = true),
    INT(listen_port, "6432", 0, 65535, .at_start = true),
    INT(log_connections, "1", 0, INT_MAX),
    INT(log_disconnections, "1", 0, INT_MAX),
    INT(log_pooler_errors, "1", 0, INT_MAX),
    INT(log_stats, "1", 0, INT_MAX),
    TEXT(logfile, ""),
    INT(max_client_conn, "100", 0, INT_MAX),
    INT(max_db_client_connections, "0", 0, INT_MAX),
    INT(max_db_connections, "0", 0, INT_MAX),
    INT(max_packet_size, "2147483647", 0, INT_MAX),
    INT(max_prepared_statements, "200", 0, INT_MAX),
    INT(max_user_client_connections, "0", 0, INT_MAX),
    INT(max_user_connections, "0", 0, INT_MAX),
    INT(min_pool_size, "0", 0, INT_MAX),
    INT(peer_id, "0", 0, POOL_PEER_ID_MAX),
    TEXT(pidfile, "", .at_start = true),
    INT(pkt_buf, "4096", 512, 16777216, .at_start = true),
    WORD(pool_mode, "session", pool_mode_words),
    SECONDS(query_timeout, "0"),
    INT(query_wait_notify, "5", 0, INT_MAX),
    SECONDS(query_wait_timeout, "120"),
    INT(reserve_pool_size, "0", 0, INT_MAX),
    SECONDS(reserve_pool_timeout, "5"),
    TEXT(resolv_conf, "", .at_start = true),
    INT(sbuf_loopcnt, "5", 0, INT_MAX),
    INT(scram_iterations, "4096", 1, SCRAM_ITERATIONS_MAX),
    SECONDS(server_check_delay, "30"),
    TEXT(server_check_query, "<empty>"),
    SECONDS(server_connect_timeout, "15"),
    INT(server_fast_close, "0", 0, INT_MAX),
    SECONDS(server_idle_timeout, "600"),
    SECONDS(server_lifetime, "3600"),
    SECONDS(server_login_retry, "15"),
    TEXT(server_reset_query, "DISCARD ALL"),
    INT(server_reset_query_always, "0", 0, INT_MAX),
    INT(server_round_robin, "0", 0, INT_MAX),
    TEXT(server_tls13_ciphers, NULL),
    TEXT(server_tls_ca_file, ""),
    TEXT(server_tls_cert_file, ""),
    TEXT(server_tls_ciphers, "default"),
    TEXT(server_tls_key_file, ""),
    TEXT(server_tls_protocols, "secure", .check = check_protocols),
    WORD(server_tls_sslmode, "prefer", ssl_words),
    INT(so_reuseport, "0", 0, INT_MAX, .at_start = true),
    INT(stats_period, "60", 1, INT_MAX),
    TEXT(stats_users, ""),
    SECONDS(suspend_timeout, "10"),
    INT(syslog, "0", 0, INT_MAX),
    TEXT(syslog_facility, "daemon", .check = check_facility),
    TEXT(syslog_ident, "pgbouncer"),
    INT(tcp_defer_accept, "1", 0, INT_MAX),
    INT(tcp_keepalive, "1", 0, INT_MAX),
    INT(tcp_keepcnt, "0", 0, INT_MAX),
    INT(tcp_keepidle, "0", 0, INT_MAX),
    INT(tcp_keepintvl, "0", 0, INT_MAX),
    INT(tcp_socket_buffer, "0", 0, INT_MAX),
    INT(tcp_user_timeout, "0", 0, INT_MAX),
    TEXT(track_extra_parameters, "IntervalStyle", .at_start = true),
    SECONDS(transaction_timeout, "0"),
    TEXT(unix_socket_dir, "/tmp", .at_start = true),
    TEXT(unix_socket_group, "", .at_start = true),
    INT(unix_socket_mode, "0777", 0, 07777, .at_start = true),
    TEXT(user, NULL, .at_start = true),
    INT(verbose, NULL, INT_MIN, INT_MAX),
    INT(workers, "0", 0, POOL_WORKERS_MAX, .at_start = true),
    {NULL},
};
