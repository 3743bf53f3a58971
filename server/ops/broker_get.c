/* broker_get.c - the one REST call the command line needs: a signed GET over a plain socket. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "engine/bus/clock.h"
#include "server/ops/brokers.h"
#include "web/stream_client/signature.h"

enum { TIMEOUT_S = 5, ANSWER_MAX_BYTES = 64 * 1024 * 1024, REQUEST_BYTES = 1024 };

/* Connects to "http://host:port"; -1 with errno. */
static int connect_to(const char *url)
{
    char host[BROKERS_URL_BYTES];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    if (strncmp(url, "http://", 7) != 0) return errno = EINVAL, -1;
    snprintf(host, sizeof host, "%s", url + 7);
    char *colon = strrchr(host, ':');
    if (!colon) return errno = EINVAL, -1;
    *colon = '\0';
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0) return errno = EHOSTUNREACH, -1;
    const struct timeval timeout = {.tv_sec = TIMEOUT_S};
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0 ||
                    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) != 0 ||
                    connect(fd, found->ai_addr, found->ai_addrlen) != 0)) {
        int error = errno;
        close(fd);
        errno = error;
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static bool send_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        text += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* Everything until the server closes, NUL-terminated; NULL when that fails. */
static char *receive_all(int fd)
{
    size_t capacity = 64 * 1024, length = 0;
    char *text = malloc(capacity);
    while (text) {
        ssize_t got = recv(fd, text + length, capacity - length - 1, 0);
        if (got < 0) break;
        length += (size_t)got;
        text[length] = '\0';
        if (got == 0) return text;
        if (capacity - length > 1) continue;
        capacity *= 2;
        char *grown = capacity <= ANSWER_MAX_BYTES ? realloc(text, capacity) : NULL;
        if (!grown) break;
        text = grown;
    }
    free(text);
    return NULL;
}

static char *exchange_request(const struct brokers *self, const struct broker *broker,
                              const char *target)
{
    char request[REQUEST_BYTES], sign[SIGNATURE_TEXT_BYTES];
    int64_t now_ms = clock_wall_ns() / 1000000;
    if (!signature_make(&broker->credentials, now_ms, "GET", target, sign)) return NULL;
    int length =
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nHOGA-KEY: %s\r\n"
                 "HOGA-TIMESTAMP: %lld\r\nHOGA-SIGN: %s\r\n\r\n",
                 target, self->rest_url + 7, broker->credentials.key, (long long)now_ms, sign);
    if (length < 0 || (size_t)length >= sizeof request) return errno = EMSGSIZE, NULL;
    int fd = connect_to(self->rest_url);
    if (fd < 0) return NULL;
    char *answer = send_all(fd, request, (size_t)length) ? receive_all(fd) : NULL;
    int error = errno;
    close(fd);
    errno = error;
    return answer;
}

json_t *broker_get(const struct brokers *self, const struct broker *broker, const char *target,
                   char why[BROKERS_WHY_BYTES])
{
    char *answer = exchange_request(self, broker, target);
    if (!answer) {
        snprintf(why, BROKERS_WHY_BYTES, "%s: %s", self->rest_url, strerror(errno));
        return NULL;
    }
    const char *body = strstr(answer, "\r\n\r\n");
    json_t *root = body ? json_loads(body + 4, 0, NULL) : NULL;
    if (!root || strncmp(answer, "HTTP/1.1 200 ", 13) != 0) {
        const char *code = json_string_value(json_object_get(root, "code"));
        snprintf(why, BROKERS_WHY_BYTES, "%s%s: %s", self->rest_url, target,
                 code ? code : "an answer that makes no sense");
        json_decref(root);
        root = NULL;
    }
    free(answer);
    return root;
}
