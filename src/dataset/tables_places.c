/* Places, people, vaccines and batches: what the other tables refer to. */
#include "dataset/calendar.h"
#include "dataset/tables.h"

#include <assert.h>
#include <endian.h>

/* Registered long before the series begins. */
#define FOUNDED_DAYS 900

static void write_times(const World *world, CopyWriter *writer, uint64_t index)
{
    int64_t created = time_at(world, -FOUNDED_DAYS, 8 * HOUR_US + (int64_t)index * SECOND_US);
    copy_time(writer, created);
    copy_time(writer, created);
}

typedef struct {
    uint32_t index; /* among all locations */
    const Uuid *parent;
    const char *type;
    int64_t latitude_microdeg;
    int64_t longitude_microdeg;
} Place;

/* A place lies within reach of the capital of its state. */
static void scatter(const World *world, Place *place, const StateRecord *state, uint32_t reach)
{
    uint64_t hash = random_u64(world->seed, DRAW_FACILITY, place->index, 2);
    place->latitude_microdeg =
        state->latitude_centideg * 10000 + (int64_t)random_below(hash, 0, 2 * reach) - reach;
    place->longitude_microdeg =
        state->longitude_centideg * 10000 + (int64_t)random_below(hash, 32, 2 * reach) - reach;
}

/* id and parent; the caller writes code and name after. */
static bool begin_place(const World *world, CopyWriter *writer, const Place *place)
{
    if (!copy_row(writer, 12))
        return false;
    Uuid id = world_id(world, TABLE_LOCATIONS, place->index);
    copy_uuid(writer, &id);
    if (place->parent)
        copy_uuid(writer, place->parent);
    else
        copy_null(writer);
    return true;
}

static void write_coordinates(CopyWriter *writer, const Place *place)
{
    copy_text(writer, place->type);
    copy_double(writer, place->latitude_microdeg, 1000000);
    copy_double(writer, place->longitude_microdeg, 1000000);
}

static void end_place(const World *world, CopyWriter *writer, const Place *place)
{
    Uuid openlmis = world_id(world, TABLE_COUNT, place->index);
    copy_uuid(writer, &openlmis);
    copy_bool(writer, true);
    write_times(world, writer, place->index);
}

static void write_zones_and_states(const World *world, CopyWriter *writer)
{
    for (uint32_t z = 0; z < ZONE_COUNT; z++) {
        const Zone *zone = &dataset_zones[z];
        Place place = {z, NULL, "zone", zone->latitude_centideg * 10000,
                       zone->longitude_centideg * 10000};
        if (!begin_place(world, writer, &place))
            return;
        copy_text(writer, zone->code);
        copy_text(writer, zone->name);
        write_coordinates(writer, &place);
        copy_jsonf(writer, "{}");
        end_place(world, writer, &place);
    }
    for (uint32_t s = 0; s < STATE_COUNT; s++) {
        const StateRecord *state = &dataset_states[s];
        Uuid parent = world_id(world, TABLE_LOCATIONS, state->zone);
        Place place = {FIRST_STATE + s, &parent, "state", state->latitude_centideg * 10000,
                       state->longitude_centideg * 10000};
        if (!begin_place(world, writer, &place))
            return;
        copy_text(writer, state->code);
        copy_text(writer, state->name);
        write_coordinates(writer, &place);
        copy_jsonf(writer, "{\"population\": %u}", state->population_thousands * 1000u);
        end_place(world, writer, &place);
    }
}

static void write_lgas(const World *world, CopyWriter *writer)
{
    for (uint32_t i = 0; i < LGA_COUNT; i++) {
        const Lga *lga = &world->lgas[i];
        const StateRecord *state = &dataset_states[lga->state];
        Uuid parent = world_id(world, TABLE_LOCATIONS, FIRST_STATE + lga->state);
        Place place = {.index = FIRST_LGA + i, .parent = &parent, .type = "lga"};
        scatter(world, &place, state, 400000);
        if (!begin_place(world, writer, &place))
            return;
        copy_textf(writer, "%s-%02u", state->code, lga->ordinal);
        copy_bytes(writer, lga->name, lga->name_length);
        write_coordinates(writer, &place);
        copy_jsonf(writer, "{\"population\": %u}", lga->weight);
        end_place(world, writer, &place);
    }
}

void tables_write_locations(const World *world, CopyWriter *writer)
{
    write_zones_and_states(world, writer);
    write_lgas(world, writer);
    for (uint32_t f = 0; f < world->facility_count; f++) {
        const Facility *facility = &world->facilities[f];
        const Lga *lga = &world->lgas[facility->lga];
        const StateRecord *state = &dataset_states[facility->state];
        Uuid parent = world_id(world, TABLE_LOCATIONS, FIRST_LGA + facility->lga);
        Place place = {.index = FIRST_FACILITY + f, .parent = &parent, .type = "facility"};
        scatter(world, &place, state, 500000);
        if (!begin_place(world, writer, &place))
            return;
        copy_textf(writer, "%s-%02u-%04u", state->code, lga->ordinal, facility->ordinal);
        copy_textf(writer, "%.*s %s %u", (int)lga->name_length, lga->name,
                   facility->sessions == 5 ? "General Hospital" : "Primary Health Centre",
                   facility->ordinal);
        write_coordinates(writer, &place);
        copy_jsonf(writer, "{\"catchment\": %u, \"power\": \"%s\"}", facility->catchment,
                   facility->solar ? "solar" : "grid");
        end_place(world, writer, &place);
    }
}

void tables_write_vaccines(const World *world, CopyWriter *writer)
{
    for (size_t v = 0; v < VACCINE_COUNT; v++) {
        const Vaccine *vaccine = &dataset_vaccines[v];
        if (!copy_row(writer, 13))
            return;
        copy_uuid(writer, &world->vaccine_ids[v]);
        copy_text(writer, vaccine->code);
        copy_text(writer, vaccine->name);
        copy_text(writer, vaccine->category);
        copy_int32(writer, vaccine->doses_per_vial);
        copy_real(writer, vaccine->storage_min_c, 1);
        copy_real(writer, vaccine->storage_max_c, 1);
        copy_int32(writer, vaccine->shelf_life_months);
        copy_real(writer, 3, 1);
        copy_real(writer, 6, 1);
        copy_bool(writer, true);
        write_times(world, writer, v);
    }
}

/* GS1 check digit over the 13 digits before it: weights 3 and 1 from the left. */
static uint32_t gtin_check_digit(uint64_t digits)
{
    uint32_t sum = 0;
    for (uint32_t place = 0; place < 13; place++, digits /= 10)
        sum += (uint32_t)(digits % 10) * (place % 2 == 0 ? 3 : 1);
    return (10 - sum % 10) % 10;
}

void tables_write_product_batches(const World *world, CopyWriter *writer)
{
    uint32_t last = month_index(world_last_day(world));
    uint32_t first = month_index(world->first_day);
    uint64_t index = 0;
    for (uint8_t v = 0; v < VACCINE_COUNT; v++) {
        uint32_t life = dataset_vaccines[v].shelf_life_months;
        uint64_t item = 8900000000000u + 1000u * (v + 1u);
        for (uint32_t month = first - life; month <= last; month++, index++) {
            uint64_t hash = random_u64(world->seed, DRAW_BATCH, v, month);
            bool quarantined = random_below(hash, 0, 40) == 0;
            char lot[LOT_NUMBER_LENGTH + 1];
            tables_lot_number(lot, v, (uint16_t)month);
            if (!copy_row(writer, 10))
                return;
            Uuid id = world_id(world, TABLE_PRODUCT_BATCHES, index);
            copy_uuid(writer, &id);
            copy_uuid(writer, &world->vaccine_ids[v]);
            copy_textf(writer, "%013llu%u", (unsigned long long)item, gtin_check_digit(item));
            copy_text(writer, lot);
            copy_date(writer, month_first_day(month + life));
            copy_int32(writer, (int32_t)(100000 + random_below(hash, 32, 900000)));
            copy_bool(writer, quarantined);
            if (quarantined)
                copy_text(writer, "temperature record incomplete on arrival");
            else
                copy_null(writer);
            int64_t created = month_first_day(month) * DAY_US + 9 * HOUR_US;
            copy_time(writer, created);
            copy_time(writer, created);
        }
    }
}

typedef struct {
    const char *role;
    const char *permissions;
    const char *mailbox;
} Role;

enum { ROLE_DIRECTOR, ROLE_ADMIN, ROLE_STATE, ROLE_LGA, ROLE_FACILITY };
static const Role roles[] = {
    [ROLE_DIRECTOR] = {"nphcda_director", "{\"scope\": \"national\", \"approve\": true}",
                       "director"},
    [ROLE_ADMIN] = {"system_admin", "{\"scope\": \"national\", \"admin\": true}", "admin"},
    [ROLE_STATE] = {"state_cold_chain_officer", "{\"scope\": \"state\", \"approve\": true}",
                    "state"},
    [ROLE_LGA] = {"lga_logistics_officer", "{\"scope\": \"lga\", \"approve\": true}", "lga"},
    [ROLE_FACILITY] = {"facility_in_charge", "{\"scope\": \"facility\"}", "facility"},
};

static const char *const first_names[] = {
    "Aisha",  "Amina",  "Babatunde", "Bello", "Chidi", "Chiamaka", "Danladi", "Ebere",
    "Efe",    "Emeka",  "Fatima",    "Funke", "Grace", "Hauwa",    "Ibrahim", "Ifeoma",
    "Jumoke", "Kabiru", "Ladi",      "Musa",  "Ngozi", "Nkechi",   "Obinna",  "Olumide",
    "Rakiya", "Sani",   "Segun",     "Tunde", "Uche",  "Yakubu",   "Yemi",    "Zainab",
};
static const char *const last_names[] = {
    "Abdullahi", "Abubakar", "Adebayo",  "Adeyemi", "Aliyu", "Bassey",   "Bello", "Danjuma",
    "Dung",      "Edet",     "Effiong",  "Eze",     "Garba", "Gyang",    "Idris", "Igwe",
    "Iorfa",     "Lawal",    "Mohammed", "Nnamdi",  "Nwosu", "Obi",      "Ojo",   "Okafor",
    "Okeke",     "Okonkwo",  "Osagie",   "Salisu",  "Shehu", "Suleiman", "Umar",  "Yusuf",
};

static void write_user(const World *world, CopyWriter *writer, uint32_t index, const Role *role,
                       uint32_t number, int64_t location)
{
    uint64_t hash = random_u64(world->seed, DRAW_USER, index, 0);
    if (!copy_row(writer, 11))
        return;
    Uuid id = world_id(world, TABLE_USERS, index);
    copy_uuid(writer, &id);
    copy_textf(writer, "%s.%u@vaxtrace.example", role->mailbox, number + 1);
    copy_textf(writer, "%s %s", first_names[random_below(hash, 0, COUNT_OF(first_names))],
               last_names[random_below(hash, 32, COUNT_OF(last_names))]);
    copy_text(writer, role->role);
    if (location < 0) {
        copy_null(writer);
    } else {
        Uuid place = world_id(world, TABLE_LOCATIONS, (uint64_t)location);
        copy_uuid(writer, &place);
    }
    copy_jsonf(writer, "%s", role->permissions);
    /* Looks like what AES-GCM leaves of a phone number: nonce, text and tag. */
    uint64_t cipher[5];
    for (uint64_t i = 0; i < COUNT_OF(cipher); i++)
        cipher[i] = htobe64(random_u64(world->seed, DRAW_USER, index, i + 1));
    copy_bytes(writer, cipher, sizeof(cipher));
    copy_time(writer, time_at(world, (int64_t)world->day_count - 1 - random_below(hash, 16, 5),
                              7 * HOUR_US + (int64_t)random_below(hash, 8, 36000) * SECOND_US));
    copy_bool(writer, random_below(hash, 24, 50) != 0);
    write_times(world, writer, index);
}

void tables_write_users(const World *world, CopyWriter *writer)
{
    uint32_t index = 0;
    for (uint32_t i = 0; i < DIRECTOR_COUNT; i++)
        write_user(world, writer, index++, &roles[ROLE_DIRECTOR], i, -1);
    for (uint32_t i = 0; i < ADMIN_COUNT; i++)
        write_user(world, writer, index++, &roles[ROLE_ADMIN], i, -1);
    for (uint32_t i = 0; i < STATE_COUNT; i++)
        write_user(world, writer, index++, &roles[ROLE_STATE], i, FIRST_STATE + i);
    for (uint32_t i = 0; i < LGA_COUNT; i++)
        write_user(world, writer, index++, &roles[ROLE_LGA], i, FIRST_LGA + i);
    assert(index == FIRST_FACILITY_USER);
    for (uint32_t i = 0; i < world->facility_count && !writer->stopped; i++)
        write_user(world, writer, index++, &roles[ROLE_FACILITY], i, FIRST_FACILITY + i);
}
