#include "base/str.h"
#include "pool/config.h"

#include <sys/un.h>

static void check_tls(const PoolSettings *settings, const char *path, PoolProblems *problems)
{
    bool on = settings->client_tls_sslmode != SSL_DISABLE;
    if (on &&
        (str_empty(settings->client_tls_key_file) || str_empty(settings->client_tls_cert_file)))
        (void)problems_error(problems, path, 0,
                             "client_tls_sslmode wants client_tls_key_file and "
                             "client_tls_cert_file, which are not both set");
    if (settings->auth_type == AUTH_CERT && settings->client_tls_sslmode != SSL_VERIFY_FULL)
        (void)problems_error(problems, path, 0,
                             "auth_type = cert wants client_tls_sslmode = verify-full");
    if (settings->client_tls_sslmode == SSL_VERIFY_FULL && str_empty(settings->client_tls_ca_file))
        (void)problems_error(problems, path, 0,
                             "client_tls_sslmode = verify-full wants client_tls_ca_file, which "
                             "says whose certificates are good");
    if (str_empty(settings->server_tls_key_file) != str_empty(settings->server_tls_cert_file))
        problems_warn(problems, path, 0,
                      "of server_tls_key_file and server_tls_cert_file only one is set, so that "
                      "servers are shown no certificate");
}

static void check_listening(const PoolSettings *settings, const char *path, PoolProblems *problems)
{
    const char *folder = settings->unix_socket_dir;
    if (str_empty(settings->listen_addr) && str_empty(folder))
        problems_warn(problems, path, 0,
                      "listen_addr and unix_socket_dir are empty: only sockets that the service "
                      "manager passes are listened on");
    struct sockaddr_un address;
    int length = snprintf(NULL, 0, "%s/.s.PGSQL.%d", folder ? folder : "", settings->listen_port);
    if (length < 0 || (size_t)length >= sizeof(address.sun_path))
        (void)problems_error(problems, path, 0,
                             "unix_socket_dir: the socket's path would be longer than %zu bytes",
                             sizeof(address.sun_path) - 1);
}

void pool_settings_check(const PoolSettings *settings, const char *path, PoolProblems *problems)
{
    check_tls(settings, path, problems);
    check_listening(settings, path, problems);
    if (settings->auth_type == AUTH_HBA && str_empty(settings->auth_hba_file))
        (void)problems_error(problems, path, 0, "auth_type = hba wants auth_hba_file");
    bool asks_users = settings->auth_type != AUTH_ANY && settings->auth_type != AUTH_HBA;
    if (asks_users && str_empty(settings->auth_file) && str_empty(settings->auth_user))
        problems_warn(problems, path, 0,
                      "neither auth_file nor auth_user is set: no user is known who could log in");
}

static void check_auth_database(const PoolConfig *config, const char *path, int line,
                                const char *name, PoolProblems *problems)
{
    if (!str_empty(name) && !config->any_database && !pool_config_database(config, name))
        problems_warn(problems, path, line, "auth_dbname: [databases] has no %s", name);
}

void pool_config_check(const PoolConfig *config, PoolProblems *problems)
{
    check_auth_database(config, config->path, 0, config->settings.auth_dbname, problems);
    for (size_t i = 0; i < config->database_count; i++) {
        const PoolDatabase *database = &config->databases[i];
        const Entry *entry = &database->entry;
        check_auth_database(config, entry->path, entry->line, database->auth_dbname, problems);
        if (config->settings.auth_type == AUTH_ANY && !database->user)
            problems_warn(problems, entry->path, entry->line,
                          "%s: auth_type = any lets clients in only where the database has user=",
                          entry->name);
    }
}
