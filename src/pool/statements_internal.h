/* What statements*.c share. */
#pragma once

#include "pool/statements.h"

/* With the table's key, which nobody outside knows. */
uint64_t statement_hash(const StatementTable *table, const void *bytes, size_t length);
