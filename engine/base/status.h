/* status.h - what an operation on an outside thing (file, ring, peer) can answer.
 *
 * Business refusals are not statuses: they are reject reasons (message/reject.h) and travel in
 * events. A broken invariant is neither: it is a CHECK (base/check.h).
 */
#ifndef HOGA_BASE_STATUS_H
#define HOGA_BASE_STATUS_H

enum status {
    STATUS_OK = 0,
    STATUS_EMPTY,     /* nothing there yet: ask again later */
    STATUS_FULL,      /* no room now: answer the client, count, go on */
    STATUS_NOT_FOUND, /* no such file, segment or record */
    STATUS_BUSY,      /* somebody else holds it */
    STATUS_IO,        /* the system call failed; errno says why */
    STATUS_CORRUPT,   /* bytes that fail their checksum or their format */
    STATUS_INVALID,   /* an argument or a file's content is outside what is allowed */
};

/* A caller that drops a status has a defect. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* English for a status, static storage, never NULL. */
const char *status_text(enum status s);

#endif
