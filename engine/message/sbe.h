/* sbe.h - the header before every message, as FIX Simple Binary Encoding 1.0 defines it.
 *
 *   | blockLength u16 | templateId u16 | schemaId u16 | version u16 | block ... |
 *
 * All little-endian; the layouts are written down in schema.xml and pinned by static asserts in
 * command.h and event.h. A later version only appends fields to a block: a reader takes what it
 * knows and skips to blockLength.
 */
#ifndef HOGA_MESSAGE_SBE_H
#define HOGA_MESSAGE_SBE_H

#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the journal's byte order is little-endian, and messages are used in place"
#endif

enum { SBE_SCHEMA_ID = 0x4847, SBE_SCHEMA_VERSION = 2 }; /* "HG" */

struct sbe_header {
    uint16_t block_length; /* bytes of the block, without this header */
    uint16_t template_id;
    uint16_t schema_id;
    uint16_t version;
};

_Static_assert(sizeof(struct sbe_header) == 8, "SBE header");

/* The longest message (header and block) in any journal or ring, a multiple of 8. */
enum { SBE_MESSAGE_MAX_BYTES = 256 };

static inline struct sbe_header sbe_header_of(uint16_t template_id, size_t block_length)
{
    return (struct sbe_header){(uint16_t)block_length, template_id, SBE_SCHEMA_ID,
                               SBE_SCHEMA_VERSION};
}

/* Of a message with nothing to say in the fields of version 2: it is written as version 1 was,
 * `bytes` long with its header. */
static inline struct sbe_header sbe_header_v1(uint16_t template_id, size_t bytes)
{
    return (struct sbe_header){(uint16_t)(bytes - sizeof(struct sbe_header)), template_id,
                               SBE_SCHEMA_ID, 1};
}

/* Pins one field's place: an accidental change of a layout does not compile. */
#define SBE_PIN(type, field, at)                                                                   \
    _Static_assert(offsetof(type, field) == (at), #type "." #field " moved")
#define SBE_PIN_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " changed size")

#endif
