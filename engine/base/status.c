#include "engine/base/status.h"

const char *status_text(enum status s)
{
    switch (s) {
    case STATUS_OK: return "ok";
    case STATUS_EMPTY: return "nothing there yet";
    case STATUS_FULL: return "no room";
    case STATUS_NOT_FOUND: return "not found";
    case STATUS_BUSY: return "held by another process";
    case STATUS_IO: return "input/output error";
    case STATUS_CORRUPT: return "corrupt";
    case STATUS_INVALID: return "invalid";
    }
    return "unknown status";
}
