/* The guide's claims about indexes, each measured on the database at hand and set beside the
 * guide's own number. Nothing stays changed: what must be dropped or built for a comparison is
 * dropped or built in a transaction that is rolled back. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "pg/queries.h"
#include "pg/session.h"

#include <stdbool.h>

typedef struct {
    const char *id;       /* "query_with_index" */
    const char *text;     /* what is claimed, for people */
    const char *guide;    /* the guide's number */
    const char *measured; /* ours, for people */
    double value;         /* ours as a number: ms, or how many times */
    const char *unit;     /* "ms", "times smaller", "times faster", "heap fetches" */
    bool met;             /* as good as the guide says, or better */
} Claim;

#define CLAIMS_MAX 8

typedef struct {
    Claim items[CLAIMS_MAX];
    size_t count;
} ClaimList;

/* queries: the application's, of which facility_stockouts and facility_vaccine_stock_details are
 * used. The session must be outside a transaction, on a loaded database. */
bool claims_measure(Session *session, Arena *arena, const QueryList *queries, ClaimList *claims,
                    Error *err) MUST_CHECK;
