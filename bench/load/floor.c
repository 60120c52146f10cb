/*
 * The floor: the least a program can do to pass one stream on to many sockets. No handshake, no sessions, no queues:
 * it reads whole messages from a publisher and writes the same bytes to every player of that stream.
 *
 *   floor PORT WINDOW     WINDOW: "video" (audio waits for the next video message), 0 (each message), or milliseconds
 *
 * A connection says who it is in eight bytes: "PUB0" or "PLY0" and the stream's number. Messages begin with a 12-byte
 * RTMP chunk header and are one chunk each. A player that does not take a write whole is closed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { STREAMS = 1024, SLAB = 1 << 21, HEADER = 12, EVENTS = 256, VIDEO = 9 };

struct stream {
    uint8_t *slab;          /* unsent whole messages, then the part of one that is arriving */
    size_t whole, have;     /* bytes of whole messages, bytes in all */
    int64_t due;            /* when the window ends, microseconds; 0: nothing waits */
    int *players;
    size_t count, room;
};

struct peer { int fd, publisher; uint32_t stream; uint8_t hello[8]; size_t have; };

static struct stream streams[STREAMS];
static int64_t window_us;   /* -1: video */

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void send_all(struct stream *s, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < s->count;) {
        ssize_t n = send(s->players[i], bytes, size, MSG_NOSIGNAL);
        if (n == (ssize_t)size) { i++; continue; }
        close(s->players[i]);
        s->players[i] = s->players[--s->count];
    }
}

static void flush(struct stream *s) {
    if (s->whole == 0) return;
    send_all(s, s->slab, s->whole);
    memmove(s->slab, s->slab + s->whole, s->have - s->whole);
    s->have -= s->whole;
    s->whole = 0;
    s->due = 0;
}

/* Count the whole messages that have arrived, and send when the window says so. */
static void advance(struct stream *s) {
    for (;;) {
        const uint8_t *m = s->slab + s->whole;
        if (s->have - s->whole < HEADER) return;
        size_t size = HEADER + ((size_t)m[4] << 16 | (size_t)m[5] << 8 | m[6]);
        if (s->have - s->whole < size) return;
        int video = m[7] == VIDEO;
        s->whole += size;
        if (window_us == 0 || (window_us < 0 && video)) flush(s);
        else if (window_us > 0 && s->due == 0) s->due = now_us() + window_us;
    }
}

static int64_t flush_due(void) {
    int64_t now = now_us(), next = INT64_MAX;
    for (int i = 0; i < STREAMS; i++) {
        struct stream *s = &streams[i];
        if (s->due == 0) continue;
        if (s->due <= now) flush(s);
        else if (s->due < next) next = s->due;
    }
    return next == INT64_MAX ? -1 : next - now;
}

static void drop(struct peer *p) { close(p->fd); free(p); }

static void greet(int poll, struct peer *p) {
    ssize_t n = recv(p->fd, p->hello + p->have, sizeof p->hello - p->have, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) { drop(p); return; }
    p->have += (size_t)n;
    if (p->have < sizeof p->hello) return;
    uint32_t number;
    memcpy(&number, p->hello + 4, 4);
    p->stream = ntohl(number);
    if (p->stream >= STREAMS) { drop(p); return; }
    struct stream *s = &streams[p->stream];
    if (memcmp(p->hello, "PUB0", 4) == 0) {
        if (!s->slab) s->slab = malloc(SLAB);
        s->have = s->whole = 0;
        p->publisher = 1;
        return;
    }
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 16;
        s->players = realloc(s->players, s->room * sizeof *s->players);
    }
    flush(s);               /* everybody is at the same point of the stream from here on */
    s->players[s->count++] = p->fd;
    epoll_ctl(poll, EPOLL_CTL_DEL, p->fd, NULL);
    free(p);
}

static void receive(struct peer *p) {
    struct stream *s = &streams[p->stream];
    ssize_t n = recv(p->fd, s->slab + s->have, SLAB - s->have, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) { drop(p); return; }
    s->have += (size_t)n;
    advance(s);
    if (s->have == SLAB) { fprintf(stderr, "floor: a message is larger than %d bytes\n", SLAB); exit(1); }
}

static void accept_all(int poll, int listener) {
    for (;;) {
        int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0) return;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct peer *p = calloc(1, sizeof *p);
        p->fd = fd;
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = p };
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) { fprintf(stderr, "usage: floor PORT video|0|MILLISECONDS\n"); return 2; }
    window_us = strcmp(argv[2], "video") == 0 ? -1 : (int64_t)atoi(argv[2]) * 1000;
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])) };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poll = epoll_create1(0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 4096)) { perror("floor"); return 1; }
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = NULL }, events[EVENTS];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int64_t wait = window_us > 0 ? flush_due() : -1;
        struct timespec limit = { wait / 1000000, wait % 1000000 * 1000 };
        int n = epoll_pwait2(poll, events, EVENTS, wait < 0 ? NULL : &limit, NULL);
        for (int i = 0; i < n; i++) {
            struct peer *p = events[i].data.ptr;
            if (!p) accept_all(poll, listener);
            else if (p->publisher) receive(p);
            else greet(poll, p);
        }
    }
}
