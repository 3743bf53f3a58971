#include "server/ops/demo.h"

#include "engine/message/command.h"

/* The two Korean ones are there for their long prices and wide ticks; cash is USD throughout. */
static const struct demo_instrument instruments[] = {
    {1, "AAPL", "Apple Inc.", 100},
    {2, "MSFT", "Microsoft Corporation", 100},
    {3, "NVDA", "NVIDIA Corporation", 100},
    {4, "GOOG", "Alphabet Inc.", 100},
    {5, "AMZN", "Amazon.com, Inc.", 100},
    {6, "TSLA", "Tesla, Inc.", 100},
    {7, "005930", "Samsung Electronics", 100 * PX_SCALE},
    {8, "000660", "SK hynix", 100 * PX_SCALE},
    {9, "HOGA", "Hoga Exchange", 100},
};

static const struct demo_party parties[] = {
    {"admin", 1, 0, SCOPE_READ | SCOPE_ADMIN | SCOPE_REPORT, DEMO_ADMIN},
    {"alpha", 1001, 1001, SCOPE_READ | SCOPE_TRADE, DEMO_BROKER},
    {"beta", 1002, 1002, SCOPE_READ | SCOPE_TRADE, DEMO_BROKER},
    {"flow-1", 2001, 2001, SCOPE_READ | SCOPE_TRADE, DEMO_FLOW},
    {"flow-2", 2002, 2002, SCOPE_READ | SCOPE_TRADE, DEMO_FLOW},
    {"flow-3", 2003, 2003, SCOPE_READ | SCOPE_TRADE, DEMO_FLOW},
    {"flow-4", 2004, 2004, SCOPE_READ | SCOPE_TRADE, DEMO_FLOW},
};

const struct demo_instrument *demo_instruments(unsigned *count)
{
    *count = sizeof instruments / sizeof instruments[0];
    return instruments;
}

const struct demo_party *demo_parties(unsigned *count)
{
    *count = sizeof parties / sizeof parties[0];
    return parties;
}
