/* control.h - the shared page that says how far everything is.
 *
 * One file, shm_dir/control, made by the core. Each field has one writing process:
 *
 *   core          written cursors, doorbell sleeping flag, limits of the bus, heartbeat
 *     its archiver  durable cursors; released at durability disk and replicated; archiver_disk
 *     its keeper    keeper_disk
 *   standby       snapshot cursors
 *   cluster       replicated_seq
 *   each station  its own slot: cursors, bell, counters
 *
 * "Core" is whichever process is primary: it holds DATA/core.lock. A `station` is a process of the
 * exchange. Operators read all of it (hoga status).
 */
#ifndef HOGA_BUS_CONTROL_H
#define HOGA_BUS_CONTROL_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/base/units.h"
#include "engine/bus/instance.h"

enum {
    CONTROL_STATION_MAX = 16,
    CONTROL_STATION_NAME_BYTES = 24,
    CONTROL_COUNTER_MAX = 24,
    CONTROL_COUNTER_NAME_BYTES = 24,
    CONTROL_RING_MAX = 16,
};

/* When an answer may leave: at once, when the disk has its command, or when the cluster has, too.
 */
enum durability { DURABILITY_MEMORY = 0, DURABILITY_DISK = 1, DURABILITY_REPLICATED = 2 };

/* What the disk still allows. */
enum disk_state {
    DISK_GOOD = 0,
    DISK_RESERVE = 1, /* full: what was set aside takes cancels, but no new orders */
    DISK_STOPPED = 2, /* nothing becomes safe */
};

enum station_state {
    STATION_FREE = 0,
    STATION_STARTING = 1, /* reading the journal; not serving yet */
    STATION_RUNNING = 2,
    STATION_STOPPED = 3, /* ended by itself, cleanly */
};

/* How far one journal is. `position` is segment number << 32 | offset: where the next record goes.
 */
struct journal_cursors {
    _Alignas(64) _Atomic uint64_t written_seq; /* pairs: release after the record is complete */
    _Atomic uint64_t written_position;
    _Alignas(64) _Atomic uint64_t durable_seq; /* in the archive and fdatasync'ed */
    _Atomic uint64_t durable_position;
};

struct counter {
    char name[CONTROL_COUNTER_NAME_BYTES];
    _Atomic uint64_t value;
};

struct station {
    _Alignas(64) char name[CONTROL_STATION_NAME_BYTES]; /* "core", "front", "reporter", ... */
    _Atomic int32_t pid;
    _Atomic uint32_t state;  /* enum station_state */
    _Atomic uint64_t in_seq; /* last record of `in` it has dealt with */
    _Atomic uint64_t out_seq;
    _Atomic int64_t started_ns;
    _Alignas(64) _Atomic uint32_t bell_armed; /* 1: ring me once when `released` moves */
    struct counter counters[CONTROL_COUNTER_MAX];
};

struct control {
    uint64_t magic;
    uint32_t version;
    uint32_t durability; /* enum durability */
    uint32_t segment_bytes;
    uint32_t ring_count;
    uint32_t ring_bytes;
    uint32_t pad;
    struct journal_cursors in;
    struct journal_cursors out;
    _Alignas(64) _Atomic uint64_t released_seq; /* of `in`: answers up to here may be told */
    _Alignas(64) _Atomic uint32_t doorbell;     /* futex: producers wake the core */
    _Atomic uint32_t core_sleeping;
    _Alignas(64) _Atomic uint32_t written_bell; /* futex: the core wakes its own helper threads */
    _Atomic uint32_t helper_sleeping;
    _Alignas(64) _Atomic uint64_t heartbeat_ns;   /* core's loop, CLOCK_REALTIME */
    _Atomic uint32_t accepting;                   /* 1: commands are taken off the rings */
    _Atomic uint32_t takeovers;                   /* by a standby, since the page was made */
    _Alignas(64) _Atomic uint64_t replicated_seq; /* of `in`: the cluster has all up to here */
    _Alignas(64) _Atomic uint32_t archiver_disk;  /* enum disk_state, as the archiver finds it */
    _Atomic uint32_t keeper_disk;                 /* and as the keeper does */
    _Atomic int32_t disk_error;                   /* errno of the last failure */
    _Alignas(64) _Atomic uint64_t snapshot_seq;   /* of `in`: the newest snapshot; 0: none */
    _Atomic int64_t snapshot_ns;                  /* when it was made, CLOCK_REALTIME */
    _Atomic uint64_t snapshot_asked;              /* counts requests for one (hoga snapshot) */
    struct station stations[CONTROL_STATION_MAX];
};

/* Creates the page (core only); an existing one of the same version is kept as it is, and the
 * cursors of an older version's are taken over. */
MUST_CHECK enum status control_create(struct control **self, const struct instance *instance,
                                      uint32_t durability, uint32_t segment_bytes,
                                      uint32_t ring_count, uint32_t ring_bytes);

/* Maps an existing page. STATUS_NOT_FOUND while the core has not made it. */
MUST_CHECK enum status control_open(struct control **self, const struct instance *instance);

void control_close(struct control *self);

/* What the disk allows, all in all. */
static inline enum disk_state control_disk(const struct control *self)
{
    uint32_t a = atomic_load_explicit(&self->archiver_disk, memory_order_relaxed);
    uint32_t k = atomic_load_explicit(&self->keeper_disk, memory_order_relaxed);
    return (enum disk_state)(a > k ? a : k);
}

/* Takes the slot of `name`, a free one if it has none. STATUS_FULL when all are taken, STATUS_BUSY
 * when a living process holds that name. */
MUST_CHECK enum status control_claim_station(struct control *self, const struct instance *instance,
                                             const char *name, struct station **station);

/* Takes the core's slot: who holds DATA/core.lock is the core, and whoever was it before has no
 * more say, though its process may still be on its way out. */
MUST_CHECK enum status control_claim_core(struct control *self, const struct instance *instance,
                                          struct station **station);

/* The named counter of this station, made at first use; NULL when the table is full. */
_Atomic uint64_t *control_counter(struct station *station, const char *name);

/* Adds to a counter with one writer. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t n)
{
    if (counter)
        atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                              memory_order_relaxed);
}

#endif
