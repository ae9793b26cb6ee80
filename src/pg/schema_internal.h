/* Between the files of schema.h. */
#pragma once

#include "pg/schema.h"

/* Leaves out what is ignored, puts the objects in order, and computes the fingerprint. */
void schema_finish(Arena *arena, const StrList *ignore, Schema *schema);
