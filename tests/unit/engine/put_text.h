/* put_text.h - a text into a fixed field of a message: the rest stays NUL, what is too long is cut.
 */
#ifndef HOGA_TESTS_UNIT_ENGINE_PUT_TEXT_H
#define HOGA_TESTS_UNIT_ENGINE_PUT_TEXT_H

#include <stddef.h>

static inline void put_text(char *field, size_t field_bytes, const char *text)
{
    for (size_t i = 0; i < field_bytes && text[i] != '\0'; i++) field[i] = text[i];
}

#endif
