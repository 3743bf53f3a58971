#include "engine/message/reject.h"

#include <stddef.h>

static const struct reject_row rows[] = {
#define REJECT_ROW(name, number, http, code, text) {(number), (http), (code), (text)},
    REJECT_TABLE(REJECT_ROW)
#undef REJECT_ROW
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

const struct reject_row *reject_rows(unsigned *count)
{
    *count = ROW_COUNT;
    return rows;
}

const struct reject_row *reject_row(unsigned number)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].number == number) return &rows[i];
    return &rows[ROW_COUNT - 1];
}
