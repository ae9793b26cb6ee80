/* What the files of the evidence share; nobody else includes it. */
#pragma once

#include "base/hash.h"
#include "state/evidence.h"
#include "state/state_internal.h"

#define EVIDENCE_FORMAT "vaxdb-evidence-1"

/* The record as it is hashed: sorted keys, no spaces. In the arena. */
char *evidence_canonical(Arena *arena, const json_t *record);
void evidence_hash(const char *previous, const char *canonical, char hex[HASH_HEX_SIZE]);
/* Every member is there and has its type; else ERR_PROBLEMS. */
bool evidence_from_json(Arena *arena, const json_t *record, const char *what, Evidence *evidence,
                        Error *err) MUST_CHECK;
bool evidence_insert(State *state, const Evidence *evidence, const char *canonical,
                     Error *err) MUST_CHECK;
