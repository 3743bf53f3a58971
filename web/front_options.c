#include "web/front_options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "web/json/parse.h"

static bool is_loopback(const char *address)
{
    struct in_addr v4;
    if (inet_pton(AF_INET, address, &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
    return strcmp(address, "::1") == 0;
}

static bool is_address(const char *address)
{
    struct in6_addr any;
    return inet_pton(AF_INET, address, &any) == 1 || inet_pton(AF_INET6, address, &any) == 1;
}

static bool take_number(const char *name, const char *text, uint64_t min, uint64_t max,
                        uint64_t *value)
{
    if (json_parse_uint(text, max, value) && *value >= min) return true;
    fprintf(stderr, "hoga-front: --%s must be a number from %llu to %llu\n", name,
            (unsigned long long)min, (unsigned long long)max);
    return false;
}

static bool take_port(const char *name, const char *text, uint16_t *port)
{
    uint64_t value;
    if (!take_number(name, text, 0, UINT16_MAX, &value)) return false;
    *port = (uint16_t)value;
    return true;
}

static bool check(const struct front_options *self)
{
    const char *wrong = NULL;
    if (!self->data_dir)
        wrong = "--data DIR is required";
    else if (!self->static_dir)
        wrong = "--static DIR is required";
    else if (!is_address(self->address))
        wrong = "--address must be an IPv4 or IPv6 address";
    else if (self->demo && !is_loopback(self->address))
        wrong = "--demo gives a broker's key to every visitor: it needs a loopback --address";
    if (wrong) fprintf(stderr, "hoga-front: %s\n", wrong);
    return !wrong;
}

bool front_options_parse(struct front_options *self, int argc, char **argv)
{
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'},    {"static", required_argument, NULL, 's'},
        {"address", required_argument, NULL, 'a'}, {"rest-port", required_argument, NULL, 'r'},
        {"ws-port", required_argument, NULL, 'w'}, {"rate", required_argument, NULL, 'l'},
        {"demo", no_argument, NULL, 'm'},          {0},
    };
    uint64_t rate = FRONT_RATE_DEFAULT_PER_S;
    *self = (struct front_options){.address = "127.0.0.1", .rest_port = 8080, .ws_port = 8081};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'd': self->data_dir = optarg; break;
        case 's': self->static_dir = optarg; break;
        case 'a': self->address = optarg; break;
        case 'm': self->demo = true; break;
        case 'r':
            if (!take_port("rest-port", optarg, &self->rest_port)) return false;
            break;
        case 'w':
            if (!take_port("ws-port", optarg, &self->ws_port)) return false;
            break;
        case 'l':
            if (!take_number("rate", optarg, 1, FRONT_RATE_MAX_PER_S, &rate)) return false;
            break;
        default: return false; /* getopt has said why */
        }
    }
    if (optind < argc) {
        fprintf(stderr, "hoga-front: %s is no option\n", argv[optind]);
        return false;
    }
    self->rate_per_s = (uint32_t)rate;
    return check(self);
}
