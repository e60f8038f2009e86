// SPDX-License-Identifier: Apache-2.0
// Round trips of `status` over the daemon's socket, beside a bare echo over socket pairs, by the same single-threaded
// driver in the same run, in turn (A B A B). Prints a table; see scripts/bench.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CLIENTS 512
#define MAX_FRAME 65536

// Request{id: 1, hello{protocol 1 to 1}} and Request{id: 2, status{}}, framed; see PROTOCOL.md.
static const uint8_t hello[] = {0, 0, 0, 8, 0x08, 1, 0x12, 4, 0x08, 1, 0x10, 1};
static const uint8_t status[] = {0, 0, 0, 4, 0x08, 2, 0x22, 0};

struct client {
    int fd;
    uint64_t sent;
    size_t have;
    uint8_t buffer[MAX_FRAME];
};

static struct client clients[MAX_CLIENTS];

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void send_all(int fd, const uint8_t *bytes, size_t length)
{
    if (send(fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
        fail("send");
}

// Reads what is there; 1 when a whole frame has come.
static int receive(struct client *c)
{
    ssize_t got = recv(c->fd, c->buffer + c->have, MAX_FRAME - c->have, 0);
    uint32_t length;

    if (got <= 0)
        fail("recv");
    c->have += (size_t)got;
    if (c->have < 4)
        return 0;
    length = (uint32_t)c->buffer[0] << 24 | (uint32_t)c->buffer[1] << 16 | (uint32_t)c->buffer[2] << 8 | c->buffer[3];
    if (c->have < 4 + (size_t)length)
        return 0;
    c->have = 0;
    return 1;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

struct result {
    double per_second, p50, p99;
};

// Every client has one request under way; `rounds` answers are timed in all.
static struct result drive(int count, int rounds)
{
    uint64_t *times = malloc(sizeof(*times) * (size_t)rounds), begun;
    int poll = epoll_create1(0), done = 0;
    struct epoll_event events[64];
    struct result result;

    for (int i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};

        if (epoll_ctl(poll, EPOLL_CTL_ADD, clients[i].fd, &event))
            fail("epoll_ctl");
    }
    begun = now();
    for (int i = 0; i < count; i++) {
        clients[i].sent = now();
        send_all(clients[i].fd, status, sizeof(status));
    }
    while (done < rounds) {
        int ready = epoll_wait(poll, events, 64, 10000);

        if (ready <= 0)
            fail("epoll_wait");
        for (int e = 0; e < ready && done < rounds; e++) {
            struct client *c = &clients[events[e].data.u32];

            if (!receive(c))
                continue;
            times[done++] = now() - c->sent;
            c->sent = now();
            send_all(c->fd, status, sizeof(status));
        }
    }
    result.per_second = rounds / ((double)(now() - begun) / 1e9);
    qsort(times, (size_t)rounds, sizeof(*times), by_value);
    result.p50 = (double)times[rounds / 2] / 1e3;
    result.p99 = (double)times[(size_t)rounds * 99 / 100] / 1e3;
    close(poll);
    free(times);
    return result;
}

static _Noreturn void echo(int *fds, int count)
{
    int poll = epoll_create1(0);
    struct epoll_event events[64];
    uint8_t buffer[MAX_FRAME];

    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (int i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fds[i]};

        epoll_ctl(poll, EPOLL_CTL_ADD, fds[i], &event);
    }
    for (;;) {
        int ready = epoll_wait(poll, events, 64, -1);

        for (int e = 0; e < ready; e++) {
            ssize_t got = recv(events[e].data.fd, buffer, sizeof(buffer), 0);

            if (got <= 0)
                _exit(0);
            if (send(events[e].data.fd, buffer, (size_t)got, MSG_NOSIGNAL) != got)
                _exit(0);
        }
    }
}

static pid_t open_echo(int count)
{
    int theirs[MAX_CLIENTS];
    pid_t child;

    for (int i = 0; i < count; i++) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
            fail("socketpair");
        clients[i] = (struct client){.fd = pair[0]};
        theirs[i] = pair[1];
    }
    child = fork();
    if (child < 0)
        fail("fork");
    if (!child) {
        for (int i = 0; i < count; i++)
            close(clients[i].fd);
        echo(theirs, count);
    }
    for (int i = 0; i < count; i++)
        close(theirs[i]);
    return child;
}

static pid_t open_daemon(const char *path, int count)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ucred peer = {0};
    socklen_t size = sizeof(peer);

    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    for (int i = 0; i < count; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
            fail(path);
        clients[i] = (struct client){.fd = fd};
        send_all(fd, hello, sizeof(hello));
        while (!receive(&clients[i]))
            ;
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    }
    return peer.pid;
}

static void close_all(int count)
{
    for (int i = 0; i < count; i++)
        close(clients[i].fd);
}

static long resident_kib(pid_t pid)
{
    char path[64], line[256];
    long kib = -1;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    file = fopen(path, "r");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib;
}

int main(int argc, char **argv)
{
    static const int sizes[] = {1, 16, 256};
    int rounds = argc > 2 ? atoi(argv[2]) : 20000, runs = argc > 3 ? atoi(argv[3]) : 5;

    if (argc < 2 || rounds < 100 || runs < 1) {
        fprintf(stderr, "usage: bench-wire SOCKET [ROUND-TRIPS [RUNS]]\n");
        return 64;
    }
    printf("%7s %5s | %12s %9s %9s | %12s %9s %9s | %s\n", "clients", "run", "echo/s", "p50 us", "p99 us", "status/s", "p50 us",
           "p99 us", "p50 ratio");
    for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
        double lowest = 1e9, highest = 0;

        for (int run = 1; run <= runs; run++) {
            struct result bare, real;
            pid_t child = open_echo(sizes[s]);

            drive(sizes[s], rounds / 10);
            close_all(sizes[s]);
            kill(child, SIGKILL);
            waitpid(child, NULL, 0);
            child = open_echo(sizes[s]);
            bare = drive(sizes[s], rounds);
            close_all(sizes[s]);
            kill(child, SIGKILL);
            waitpid(child, NULL, 0);
            open_daemon(argv[1], sizes[s]);
            real = drive(sizes[s], rounds);
            close_all(sizes[s]);
            double ratio = real.p50 / bare.p50;
            if (ratio < lowest)
                lowest = ratio;
            if (ratio > highest)
                highest = ratio;
            printf("%7d %5d | %12.0f %9.1f %9.1f | %12.0f %9.1f %9.1f | %.2f\n", sizes[s], run, bare.per_second, bare.p50,
                   bare.p99, real.per_second, real.p50, real.p99, ratio);
        }
        printf("%7d clients: p50 of status is %.2f to %.2f times that of the echo\n", sizes[s], lowest, highest);
    }
    pid_t daemon = open_daemon(argv[1], 256);
    printf("daemon with 256 idle clients: %.1f MiB resident\n", (double)resident_kib(daemon) / 1024);
    close_all(256);
    return 0;
}
