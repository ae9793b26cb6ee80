#include "base/str.h"
#include "pool/hba.h"

#include <netinet/in.h>

static int compare_name(const void *name, const void *item)
{
    return strcmp(name, *(const char *const *)item);
}

static bool has_name(const HbaNames *names, const char *name)
{
    if (names->all)
        return true;
    return names->count &&
           bsearch(name, names->names, names->count, sizeof(*names->names), compare_name);
}

static bool database_matches(const HbaNames *names, const HbaClient *client)
{
    if (client->replication)
        return names->replication;
    return (names->same_user && str_equal(client->database, client->user)) ||
           has_name(names, client->database);
}

/* The address as bytes; 0 when it is no address of the internet. */
static int address_of(const struct sockaddr *address, unsigned char bytes[16])
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
        memcpy(bytes, &four->sin_addr, sizeof(four->sin_addr));
        return AF_INET;
    }
    if (address->sa_family != AF_INET6)
        return 0;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
    memcpy(bytes, &six->sin6_addr, sizeof(six->sin6_addr));
    if (!IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        return AF_INET6;
    memmove(bytes, bytes + 12, 4);
    return AF_INET;
}

static bool address_matches(const HbaRule *rule, const HbaClient *client)
{
    unsigned char bytes[16] = {0};
    int family = address_of(client->address, bytes);
    if (!family)
        return false;
    if (rule->any_address)
        return true;
    if (rule->family != family)
        return false;
    for (size_t i = 0; i < (family == AF_INET ? 4 : 16); i++) {
        if ((bytes[i] & rule->mask[i]) != rule->address[i])
            return false;
    }
    return true;
}

static bool connection_matches(const HbaRule *rule, const HbaClient *client)
{
    bool local = client->address->sa_family == AF_UNIX;
    switch (rule->kind) {
    case HBA_LOCAL:
        return local;
    case HBA_HOST:
        break;
    case HBA_HOSTSSL:
        if (!client->tls)
            return false;
        break;
    case HBA_HOSTNOSSL:
        if (client->tls)
            return false;
        break;
    }
    return !local && address_matches(rule, client);
}

const HbaRule *hba_match(const Hba *hba, const HbaClient *client)
{
    for (size_t i = 0; i < hba->count; i++) {
        const HbaRule *rule = &hba->rules[i];
        if (connection_matches(rule, client) && database_matches(&rule->databases, client) &&
            has_name(&rule->users, client->user))
            return rule;
    }
    return NULL;
}
