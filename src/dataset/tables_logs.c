/* The append-only tables: telemetry, audit and synchronisations. */
#include "base/arena.h"
#include "dataset/coldchain.h"
#include "dataset/tables.h"

/* One facility in so many has a logger that reports every hour. */
#define TELEMETRY_EVERY 4

void tables_write_telemetry(const World *world, CopyWriter *writer)
{
    uint32_t loggers = (world->facility_count + TELEMETRY_EVERY - 1) / TELEMETRY_EVERY;
    _cleanup_arena_ Arena *arena = arena_create();
    ColdDay *days = arena_array(arena, loggers, sizeof(*days));
    uint64_t index = 0;
    for (uint32_t day = 0; day < world->day_count; day++) {
        for (uint32_t i = 0; i < loggers; i++)
            days[i] = coldchain_day(world, i * TELEMETRY_EVERY, day);
        for (uint32_t hour = 0; hour < 24; hour++)
            for (uint32_t i = 0; i < loggers; i++) {
                if (!copy_row(writer, 7))
                    return;
                int32_t decideg = coldchain_decideg(&days[i], hour);
                Uuid id = world_id(world, TABLE_CCE_TELEMETRY, index++);
                copy_uuid(writer, &id);
                copy_uuid(writer, &world->facilities[i * TELEMETRY_EVERY].id);
                copy_time(writer, time_at(world, day, hour * HOUR_US + HOUR_US / loggers * i));
                copy_real(writer, decideg, 10);
                copy_bool(writer, coldchain_out_of_range(decideg));
                copy_bool(writer, coldchain_power_on(&days[i], hour));
                copy_textf(writer, "CCE%06u", i + 1);
            }
    }
}

/* A tenth of a day's entries before seven, a tenth after seventeen, the rest in working hours.
 * Strictly rising, so that distinct entries keep distinct times. */
static int64_t working_time_us(int64_t even_us)
{
    const int64_t tenth = DAY_US / 10;
    if (even_us < tenth)
        return even_us * 70 / 24;
    if (even_us < 9 * tenth)
        return 7 * HOUR_US + (even_us - tenth) * 100 / 192;
    return 17 * HOUR_US + (even_us - 9 * tenth) * 70 / 24;
}

typedef struct {
    const char *action;
    const char *entity_type;
    const char *field; /* what changed; NULL: nothing */
    TableIndex table;
    uint32_t weight; /* per cent */
} AuditKind;

static const AuditKind audit_kinds[] = {
    {"update", "stock_snapshot", "quantity_on_hand", TABLE_STOCK_SNAPSHOTS, 46},
    {"login", "user", NULL, TABLE_USERS, 30},
    {"create", "alert", "severity", TABLE_ALERTS, 8},
    {"approve", "requisition", "status", TABLE_REQUISITIONS, 7},
    {"update", "facility", "catchment", TABLE_LOCATIONS, 6},
    {"update", "user", "permissions", TABLE_USERS, 3},
};

static const AuditKind *pick_kind(uint32_t percent)
{
    const AuditKind *kind = audit_kinds;
    while (percent >= kind->weight) {
        percent -= kind->weight;
        kind++;
    }
    return kind;
}

/* Which row of its table an entry speaks of: the snapshots of that time, a few of the others. */
static Uuid audit_entity(const World *world, const AuditKind *kind, int64_t entry, uint32_t user,
                         uint64_t hash)
{
    uint64_t index = user;
    if (kind->table == TABLE_STOCK_SNAPSHOTS)
        index = (uint64_t)((__int128)entry * world->rows / world->audit_rows);
    else if (kind->table == TABLE_LOCATIONS)
        index = FIRST_FACILITY + random_below(hash, 32, world->facility_count);
    else if (kind->table == TABLE_REQUISITIONS || kind->table == TABLE_ALERTS)
        index = random_below(hash, 32, world->facility_count / 2 + 1);
    return world_id(world, kind->table, index);
}

void tables_write_audit(const World *world, CopyWriter *writer)
{
    uint32_t users = FIRST_FACILITY_USER + world->facility_count;
    for (int64_t i = 0; i < world->audit_rows; i++) {
        uint64_t hash = random_u64(world->seed, DRAW_AUDIT, (uint64_t)i, 0);
        if (!copy_row(writer, 7))
            return;
        const AuditKind *kind = pick_kind(random_below(hash, 0, 100));
        uint32_t user = random_below(hash, 16, users);
        /* An even pace with a little chance; the step is never as short as its chance. */
        int64_t even = (int64_t)((__int128)i * world->day_count * DAY_US / world->audit_rows);
        Uuid id = world_id(world, TABLE_AUDIT_LOGS, (uint64_t)i);
        Uuid actor = world_id(world, TABLE_USERS, user);
        Uuid entity = audit_entity(world, kind, i, user, hash);
        copy_uuid(writer, &id);
        copy_uuid(writer, &actor);
        copy_uuid(writer, &entity);
        copy_time(writer, time_at(world, even / DAY_US, working_time_us(even % DAY_US)) +
                              (int64_t)(hash >> 60));
        copy_text(writer, kind->action);
        copy_text(writer, kind->entity_type);
        if (kind->field)
            copy_jsonf(writer, "{\"%s\": [%u, %u]}", kind->field, random_below(hash, 8, 900),
                       random_below(hash, 24, 900));
        else
            copy_jsonf(writer, "{}");
    }
}

#define SYNCS_A_DAY 6

void tables_write_sync(const World *world, CopyWriter *writer)
{
    static const char *const resources[] = {"facilities", "products", "stock", "requisitions"};
    uint64_t index = 0;
    for (uint32_t day = 0; day < world->day_count; day++)
        for (uint32_t slot = 0; slot < SYNCS_A_DAY * COUNT_OF(resources); slot++) {
            uint64_t hash = random_u64(world->seed, DRAW_SYNC, index, 0);
            if (!copy_row(writer, 8))
                return;
            bool failed = random_below(hash, 0, 50) == 0;
            int32_t records = (int32_t)random_below(hash, 32, world->facility_count * 3 + 10);
            Uuid id = world_id(world, TABLE_SYNC_LOGS, index++);
            int64_t started =
                time_at(world, day, (int64_t)slot * (DAY_US / (SYNCS_A_DAY * COUNT_OF(resources))));
            copy_uuid(writer, &id);
            copy_text(writer, resources[slot % COUNT_OF(resources)]);
            copy_text(writer, failed ? "failed" : "succeeded");
            copy_int32(writer, failed ? records / 2 : records);
            copy_int32(writer, failed ? records - records / 2 : 0);
            if (failed)
                copy_text(writer, "OpenLMIS did not answer within 30 s");
            else
                copy_null(writer);
            copy_time(writer, started);
            copy_time(writer, started + (5 + (int64_t)random_below(hash, 16, 90)) * SECOND_US);
        }
}
