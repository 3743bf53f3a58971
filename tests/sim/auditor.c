#define _GNU_SOURCE
#include "tests/sim/auditor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/bus/chain.h"
#include "engine/bus/segment.h"
#include "tests/sim/files.h"
#include "web/replica/hash.h"

enum {
    COMMANDS_MAX = 1 << 15,
    EVENTS_MAX = 1 << 17,
    ANSWERS_MAX = 1 << 15,
    HASHES_MAX = 1 << 12,
    HASH_EVERY = 64, /* commands */
    SOURCES_MAX = CONTROL_RING_MAX + 1,
};

struct told_answer {
    unsigned client;
    uint64_t number;
    uint64_t message; /* hash of what was asked */
    struct gateway_answer answer;
    bool is_new_order;
};

struct state_hash {
    seq_t seq;
    uint32_t hash;
    bool is_core; /* of what may not be released yet */
    char who[16];
};

/* What the journals say in the end about one command. */
struct outcome {
    uint64_t message;
    enum reject reason;
    order_id_t order_id;
    bool is_known;
};

static struct {
    enum durability durability;
    uint64_t commands[COMMANDS_MAX]; /* hashes of what was told, by sequence number; 0: nothing */
    uint64_t events[EVENTS_MAX];
    seq_t last_command, last_event, last_checked;
    struct told_answer answers[ANSWERS_MAX];
    unsigned answer_count;
    seq_t last_answer[DESKS][CLIENT_MAX]; /* of one life of that front */
    struct state_hash hashes[HASHES_MAX];
    unsigned hash_count;
} told;

static struct {
    struct audit *audit;
    struct instance instance;
    struct engine *engine;
    struct journal_reader in, out;
    const struct journal_record *command;
    struct outcome outcomes[COMMANDS_MAX];
    order_id_t accepted[CLIENT_MAX][OPERATION_MAX];
    order_id_t named[CLIENT_MAX][OPERATION_MAX]; /* the first order with this name */
    uint64_t refs[COMMANDS_MAX][2];
    unsigned ref_count;
} final;

void auditor_begin(enum durability durability)
{
    memset(&told, 0, sizeof told);
    told.durability = durability;
}

seq_t auditor_told_seq(void)
{
    return told.last_command;
}

/* Never 0. */
static uint64_t hash_of(uint64_t seed, const void *bytes, size_t length)
{
    return hash_bytes(seed, bytes, length) | 1;
}

static uint64_t hash_command(const struct journal_record *r)
{
    const uint64_t head[] = {(uint64_t)r->time_ns, r->ref, r->origin};
    return hash_of(hash_of(1, head, sizeof head), record_message(r), record_message_length(r));
}

static uint64_t hash_event(seq_t cause, const void *message, size_t length)
{
    return hash_of(cause, message, length);
}

/* Notes one, or compares it with what was told before. */
static void note_told(uint64_t *all, seq_t max, seq_t *last, seq_t seq, uint64_t hash,
                      const char *what, const char *who)
{
    if (seq >= max) {
        machine_fail("more is told than the auditor can keep");
        return;
    }
    if (all[seq] && all[seq] != hash)
        machine_fail("%s %" PRIu64 ", as %s tells it, is not what was told before", what, seq, who);
    all[seq] = hash;
    if (seq > *last) *last = seq;
}

/* ---- while it runs ---- */

static void note_hash(seq_t seq, uint32_t hash, bool is_core, const char *who)
{
    for (unsigned i = 0; i < told.hash_count; i++)
        if (told.hashes[i].seq == seq && told.hashes[i].hash != hash)
            machine_fail("behind command %" PRIu64 " %s is in state %08" PRIx32
                         ", and %s was in %08" PRIx32,
                         seq, who, hash, told.hashes[i].who, told.hashes[i].hash);
    if (told.hash_count == HASHES_MAX) return;
    struct state_hash *h = &told.hashes[told.hash_count++];
    *h = (struct state_hash){.seq = seq, .hash = hash, .is_core = is_core};
    (void)snprintf(h->who, sizeof h->who, "%s", who);
}

void auditor_core_published(const struct sequencer *sequencer)
{
    seq_t seq = sequencer->in.next_seq - 1;
    const struct process *p = current_process();
    if (p && seq % HASH_EVERY == 0)
        note_hash(seq, engine_state_hash(sequencer->engine), true, p->name);
}

void auditor_lost_power(void)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < told.hash_count; i++)
        if (!told.hashes[i].is_core || told.hashes[i].seq <= told.last_command)
            told.hashes[kept++] = told.hashes[i];
    told.hash_count = kept;
}

void auditor_saw_event(const struct desk *desk, const struct journal_record *command, seq_t out_seq,
                       const void *message, size_t length)
{
    note_told(told.events, EVENTS_MAX, &told.last_event, out_seq,
              hash_event(command->seq, message, length), "event", desk->name);
}

void auditor_read(enum journal_kind kind, const struct journal_record *record)
{
    if (kind == JOURNAL_IN)
        note_told(told.commands, COMMANDS_MAX, &told.last_command, record->seq,
                  hash_command(record), "command", "the follower");
    else
        note_told(told.events, EVENTS_MAX, &told.last_event, record->seq,
                  hash_event(record->ref, record_message(record), record_message_length(record)),
                  "event", "the follower");
}

/* A file that still has the name it was made by is adopted if its header is there. */
static bool is_durable(const char *path, const struct journal_reader *reader,
                       const struct journal_record *command)
{
    size_t at = (size_t)((const uint8_t *)command - reader->map);
    return files_are_durable(path, at, command, record_length(atomic_load(&command->frame))) &&
           files_are_durable(path, 0, reader->map, sizeof(struct segment_header));
}

static void check_durable(const struct desk *desk, const struct journal_record *command)
{
    char path[SEGMENT_PATH_BYTES], ahead[SEGMENT_AHEAD_PATH_BYTES], making[sizeof ahead];
    const struct journal_reader *reader = &desk->replica.reader;
    segment_archive_path(path, &desk->instance, JOURNAL_IN, reader->segment);
    segment_ahead_path(ahead, &desk->instance, JOURNAL_IN, reader->segment, false);
    segment_ahead_path(making, &desk->instance, JOURNAL_IN, reader->segment, true);
    if (!is_durable(path, reader, command) && !is_durable(ahead, reader, command) &&
        !is_durable(making, reader, command))
        machine_fail("%s tells command %" PRIu64 ", which is not safe on the disk", desk->name,
                     command->seq);
}

void auditor_saw_command(const struct desk *desk, const struct journal_record *command,
                         seq_t replicated_seq)
{
    bool is_first = command->seq > told.last_checked;
    if (command->seq > atomic_load(&desk->control->released_seq))
        machine_fail("%s tells command %" PRIu64 ", which is not released", desk->name,
                     command->seq);
    if (is_first) told.last_checked = command->seq;
    if (is_first && told.durability != DURABILITY_MEMORY) check_durable(desk, command);
    if (told.durability == DURABILITY_REPLICATED && command->seq > replicated_seq)
        machine_fail("%s tells command %" PRIu64 ", which the cluster does not have", desk->name,
                     command->seq);
    note_told(told.commands, COMMANDS_MAX, &told.last_command, command->seq, hash_command(command),
              "command", desk->name);
    machine_note(STEP_TOLD, command->seq, NULL);
    if (command->seq % HASH_EVERY == 0)
        note_hash(command->seq, engine_state_hash(desk->replica.engine), false, desk->name);
}

void auditor_answered(unsigned desk, const struct operation *operation,
                      const struct gateway_answer *answer)
{
    if (!answer->in_seq) return; /* nothing was said */
    if (told.answer_count == ANSWERS_MAX) {
        machine_fail("more answers than the auditor can keep");
        return;
    }
    struct told_answer *t = &told.answers[told.answer_count++];
    *t = (struct told_answer){.client = operation->client,
                              .number = operation->number,
                              .message = hash_of(2, operation->message, operation->length),
                              .answer = *answer,
                              .is_new_order = operation->is_new_order};
    if (answer->in_seq <= told.last_answer[desk][operation->client])
        machine_fail("client %u is told of command %" PRIu64 " after command %" PRIu64,
                     operation->client, answer->in_seq, told.last_answer[desk][operation->client]);
    told.last_answer[desk][operation->client] = answer->in_seq;
}

/* ---- at the end ---- */

/* "c3-17" of client 3 is its 17th. */
static bool read_name(const struct command_new_order *order, unsigned *client, unsigned *number)
{
    char name[CL_ORD_ID_BYTES + 1] = "";
    memcpy(name, order->cl_ord_id, CL_ORD_ID_BYTES);
    return sscanf(name, "c%u-%u", client, number) == 2 && *client < CLIENT_MAX &&
           *number < OPERATION_MAX;
}

static void note_accepted(const struct event_execution *event)
{
    unsigned client, number;
    if (final.command->header.template_id != COMMAND_NEW_ORDER) return;
    if (!read_name(record_message(final.command), &client, &number)) return;
    if (!final.named[client][number]) final.named[client][number] = event->order_id;
    if (event->exec_type != EXEC_NEW) return;
    if (final.accepted[client][number] && final.accepted[client][number] != event->order_id)
        machine_fail("order c%u-%u was accepted twice: as %" PRIu64 " and %" PRIu64, client, number,
                     final.accepted[client][number], event->order_id);
    final.accepted[client][number] = event->order_id;
}

/* The first event that answers a command, by the messages' own description. */
static void note_outcome(const void *message)
{
    struct outcome *o = &final.outcomes[final.command->seq];
    uint16_t command = final.command->header.template_id;
    const struct sbe_header *header = message;
    bool about_order = command == COMMAND_NEW_ORDER || command == COMMAND_CANCEL_ORDER ||
                       command == COMMAND_REPLACE_ORDER;
    if (header->template_id == EVENT_EXECUTION && about_order) {
        const struct event_execution *e = message;
        if (!o->is_known)
            *o = (struct outcome){.reason = e->exec_type == EXEC_REJECTED ? e->reject_reason : 0,
                                  .order_id = e->order_id};
        if (!o->is_known) note_accepted(e);
    } else if (header->template_id == EVENT_REQUEST_REJECTED) {
        const struct event_request_rejected *e = message;
        if (!o->is_known)
            *o = (struct outcome){.reason = e->reject_reason, .order_id = e->order_id};
    } else if (header->template_id == EVENT_COMMAND_REJECTED) {
        const struct event_command_rejected *e = message;
        if (!o->is_known) *o = (struct outcome){.reason = e->reject_reason};
    } else if (!o->is_known && header->template_id != EVENT_MASS_CANCELED) {
        return;
    }
    o->is_known = true;
}

static void compare_event(void *context, const void *message, size_t length)
{
    (void)context;
    const struct journal_record *event;
    seq_t cause = final.command->seq;
    enum status status = journal_next(&final.out, &event);
    if (status != STATUS_OK)
        machine_fail("command %" PRIu64 " gives an event that is not in the out journal: %s %s",
                     cause, status_text(status), final.out.where);
    else if (event->ref != cause || record_message_length(event) != length ||
             memcmp(record_message(event), message, length) != 0)
        machine_fail("event %" PRIu64 " of the out journal is not what command %" PRIu64 " gives",
                     event->seq, cause);
    else if (event->seq < EVENTS_MAX && told.events[event->seq] &&
             told.events[event->seq] != hash_event(cause, message, length))
        machine_fail("event %" PRIu64 " was told differently", event->seq);
    note_outcome(message);
    final.audit->events++;
}

static void check_hashes(seq_t seq)
{
    uint32_t hash = 0;
    bool is_hashed = false;
    for (unsigned i = 0; i < told.hash_count; i++) {
        const struct state_hash *h = &told.hashes[i];
        if (h->seq != seq) continue;
        if (!is_hashed) hash = engine_state_hash(final.engine);
        is_hashed = true;
        final.audit->hashes++;
        if (h->hash != hash)
            machine_fail("behind command %" PRIu64 " the state is %08" PRIx32 ", and was %08" PRIx32
                         " in %s",
                         seq, hash, h->hash, h->who);
    }
}

static void replay(const struct journal_record *command)
{
    const struct event_sink sink = {compare_event, NULL};
    seq_t seq = command->seq;
    final.command = command;
    if (!final.engine) {
        const struct command_configure *configure = record_message(command);
        void *memory = arena_map(engine_bytes(&configure->limits), 0);
        final.engine = engine_init(memory, &configure->limits);
    }
    if (seq >= COMMANDS_MAX) machine_fail("more commands than the auditor can keep");
    engine_step(final.engine, seq, command->time_ns, record_message(command),
                record_message_length(command), &sink);
    final.outcomes[seq].message =
        hash_of(2, record_message(command), record_message_length(command));
    if (told.commands[seq] && told.commands[seq] != hash_command(command))
        machine_fail("command %" PRIu64 " was told differently", seq);
    if (command->ref) {
        final.refs[final.ref_count][0] = origin_source(command->origin);
        final.refs[final.ref_count++][1] = command->ref;
    }
    check_hashes(seq);
    final.audit->commands++;
}

static int compare_refs(const void *a, const void *b)
{
    return memcmp(a, b, 2 * sizeof(uint64_t));
}

static void check_refs(void)
{
    qsort(final.refs, final.ref_count, sizeof final.refs[0], compare_refs);
    for (unsigned i = 1; i < final.ref_count; i++)
        if (compare_refs(final.refs[i - 1], final.refs[i]) == 0)
            machine_fail("the message at %" PRIu64 " of ring %" PRIu64 " was sequenced twice",
                         final.refs[i][1], final.refs[i][0]);
}

static void check_answer(const struct told_answer *t)
{
    const struct outcome *o = &final.outcomes[t->answer.in_seq];
    const struct gateway_answer *a = &t->answer;
    if (a->in_seq > final.audit->commands)
        machine_fail("client %u was answered by command %" PRIu64
                     ", and the journal ends at %" PRIu64,
                     t->client, a->in_seq, final.audit->commands);
    if (o->message != t->message)
        machine_fail("command %" PRIu64 " is not what client %u was answered for", a->in_seq,
                     t->client);
    if (o->is_known && (o->reason != a->reason || o->order_id != a->order_id))
        machine_fail("client %u was told reason %d, order %" PRIu64 " by command %" PRIu64
                     ", which says %d, %" PRIu64,
                     t->client, a->reason, a->order_id, a->in_seq, o->reason, o->order_id);
    if (!t->is_new_order || t->number >= OPERATION_MAX) return;
    if (a->reason == REJECT_NONE && final.accepted[t->client][t->number] != a->order_id)
        machine_fail("order c%u-%" PRIu64 " was acknowledged and is not there", t->client,
                     t->number);
    if (a->reason == REJECT_DUPLICATE_CL_ORD_ID && final.named[t->client][t->number] != a->order_id)
        machine_fail("order c%u-%" PRIu64 " has a duplicate and no first", t->client, t->number);
}

static void verify_chain(enum journal_kind kind)
{
    static struct chain chain;
    struct chain_check check = {0};
    if (chain_verify(&chain, &final.instance, kind, &check) != STATUS_OK)
        machine_fail("the chain does not hold: %s", chain.problem);
    final.audit->sealed += check.compared;
}

/* Rot that nobody has met yet must be found by those whose task that is. */
static void find_rot(void)
{
    static struct chain chain;
    struct chain_check check = {0};
    if (!file_rot.inode || !strstr(file_rot.path, "/journal/")) return;
    enum journal_kind kind = strstr(file_rot.path, "/in-") ? JOURNAL_IN : JOURNAL_OUT;
    if (chain_verify(&chain, &final.instance, kind, &check) != STATUS_CORRUPT)
        machine_fail("%s has rotted at %zu, and the chain of hashes does not show it",
                     file_rot.path, file_rot.offset);
    files_heal();
}

static void replay_all(void)
{
    const struct journal_record *record;
    enum status status = STATUS_EMPTY;
    if (journal_reader_open(&final.in, &final.instance, NULL, JOURNAL_IN, 1) != STATUS_OK ||
        journal_reader_open(&final.out, &final.instance, NULL, JOURNAL_OUT, 1) != STATUS_OK)
        machine_fail("the journals cannot be opened");
    while ((status = journal_next(&final.in, &record)) == STATUS_OK) replay(record);
    if (status != STATUS_EMPTY) machine_fail("the in journal cannot be read: %s", final.in.where);
    if (journal_next(&final.out, &record) != STATUS_EMPTY)
        machine_fail("the out journal does not end with the in journal: %s", final.out.where);
    if (told.last_command > final.audit->commands || told.last_event > final.audit->events)
        machine_fail("command %" PRIu64 " and event %" PRIu64
                     " were told; the journals end at %" PRIu64 " and %" PRIu64,
                     told.last_command, told.last_event, final.audit->commands,
                     final.audit->events);
    journal_reader_close(&final.in);
    journal_reader_close(&final.out);
}

int auditor_main(void *argument)
{
    memset(&final, 0, sizeof final);
    final.audit = argument;
    *final.audit = (struct audit){.answers = told.answer_count};
    if (instance_open(&final.instance, "/data") != STATUS_OK) machine_fail("the exchange is gone");
    find_rot();
    files_restore_kept();
    replay_all();
    engine_validate(final.engine);
    check_refs();
    for (unsigned i = 0; i < told.answer_count; i++) check_answer(&told.answers[i]);
    verify_chain(JOURNAL_IN);
    verify_chain(JOURNAL_OUT);
    return 0;
}
