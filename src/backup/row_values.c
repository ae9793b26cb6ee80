#include "backup/row_values.h"

/* OIDs of pg_type.dat, which never change. */
ValueKind value_kind(uint32_t type, bool is_enum)
{
    if (is_enum)
        return VALUE_TEXT;
    switch (type) {
    case 16:
        return VALUE_BOOL;
    case 17:
        return VALUE_BYTEA;
    case 20:
        return VALUE_INT8;
    case 21:
        return VALUE_INT2;
    case 23:
        return VALUE_INT4;
    case 26:
        return VALUE_OID;
    case 19:   /* name */
    case 25:   /* text */
    case 114:  /* json */
    case 1042: /* char(n) */
    case 1043: /* varchar */
        return VALUE_TEXT;
    case 700:
        return VALUE_FLOAT4;
    case 701:
        return VALUE_FLOAT8;
    case 1082:
        return VALUE_DATE;
    case 1083:
        return VALUE_TIME;
    case 1114:
        return VALUE_TIMESTAMP;
    case 1184:
        return VALUE_TIMESTAMPTZ;
    case 1700:
        return VALUE_NUMERIC;
    case 2950:
        return VALUE_UUID;
    case 3802:
        return VALUE_JSONB;
    default:
        return VALUE_UNKNOWN;
    }
}
