/* auth_hba_file: who may connect from where, and how they prove who they are.
 *
 *     local                       DATABASE USER         METHOD [map=NAME]
 *     host | hostssl | hostnossl  DATABASE USER ADDRESS METHOD [map=NAME]
 *
 * pg_hba.conf as PgBouncer has it. DATABASE: all, sameuser, replication, names, @file, by commas.
 * USER: all, names, @file. ADDRESS: all, ADDRESS/BITS, or ADDRESS and MASK. METHOD: trust, reject,
 * md5, password, peer, cert, scram-sha-256. A file that @ names holds names by commas or blanks,
 * and is looked for beside the file that names it.
 *
 * A line that is wrong is an error, and so is one that PostgreSQL would understand and we do not:
 * skipping it, as PgBouncer does, would skip a reject. */
#pragma once

#include "pool/files.h"
#include "pool/ident.h"
#include "pool/settings.h"

#include <sys/socket.h>

typedef enum { HBA_LOCAL, HBA_HOST, HBA_HOSTSSL, HBA_HOSTNOSSL } HbaKind;

typedef struct {
    bool all;
    bool same_user;
    bool replication;
    const char **names; /* sorted */
    size_t count, capacity;
} HbaNames;

typedef struct {
    HbaKind kind;
    HbaNames databases, users;
    bool any_address;
    int family; /* AF_INET, AF_INET6 */
    unsigned char address[16];
    unsigned char mask[16];
    AuthType method;
    const char *map; /* NULL: names must be equal */
    int line;
} HbaRule;

typedef struct {
    const char *path;
    HbaRule *rules; /* the first that matches decides */
    size_t count, capacity;
} Hba;

/* Everything is in the arena. maps are those that map= may name. False when something was wrong,
 * which is in problems. */
bool hba_parse(Arena *arena, const PoolFiles *files, const char *path, const char *text,
               size_t length, const IdentMaps *maps, Hba *hba, PoolProblems *problems) MUST_CHECK;

typedef struct {
    const char *database;
    const char *user;
    const struct sockaddr *address; /* AF_UNIX: local. IPv4 in IPv6 counts as IPv4. */
    bool tls;
    bool replication; /* physical: of the server, not of a database */
} HbaClient;

/* The rule that decides; NULL: none, which refuses. By any thread. */
const HbaRule *hba_match(const Hba *hba, const HbaClient *client);
