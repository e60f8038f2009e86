// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "guest.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

// xterm's sequences: the second screen, the cursor, the line break at the right border.
static const char enter[] = "\033[?1049h\033[?25l\033[?7l\033[0m\033[H\033[2J";
static const char leave[] = "\033[0m\033[?7h\033[?25h\033[?1049l";

static const int ending[] = {
    SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGPIPE,   SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF,
    SIGXCPU, SIGXFSZ, SIGSEGV, SIGBUS,  SIGILL,    SIGFPE,  SIGTRAP, SIGABRT, SIGSYS,
};
enum { endings = sizeof(ending) / sizeof(ending[0]), others = 3 };
static const int other[others] = {SIGTSTP, SIGCONT, SIGWINCH};

enum state { free_again, going_back, is_taken };

static struct termios before, during;
static struct sigaction old_ending[endings], old_other[others];
static atomic_int state, writing, lost, wake_fd = -1;

// Nothing here waits for a terminal that takes nothing any more.
static void put(const char *bytes, size_t length)
{
    struct pollfd ready = {.fd = 1, .events = POLLOUT};

    while (length && poll(&ready, 1, 200) > 0) {
        ssize_t done = write(1, bytes, length);
        if (done <= 0)
            return;
        bytes += done;
        length -= (size_t)done;
    }
}

// The settings belong to whoever is in the foreground. True where no shell shares the terminal.
static int in_front(void)
{
    pid_t group = tcgetpgrp(0);
    return group < 0 || group == getpgrp();
}

static void wait_while(atomic_int *what, int value)
{
    for (int i = 0; i < 200 && atomic_load(what) == value; i++)
        poll(NULL, 0, 1);
}

static void give_back(void)
{
    int expected = is_taken;

    // Two signals at once, on two threads: the second waits for the first.
    if (!atomic_compare_exchange_strong(&state, &expected, going_back)) {
        wait_while(&state, going_back);
        return;
    }
    // A picture that is on its way to the terminal on another thread comes first.
    wait_while(&writing, 1);
    put(leave, sizeof(leave) - 1);
    if (in_front())
        tcsetattr(0, TCSANOW, &before);
    atomic_store(&state, free_again);
}

static int take(void)
{
    if (tcsetattr(0, TCSANOW, &during))
        return -1;
    put(enter, sizeof(enter) - 1);
    atomic_store(&lost, 1);
    atomic_store(&state, is_taken);
    return 0;
}

static void ring(void)
{
    uint64_t one = 1;
    int fd = atomic_load(&wake_fd);

    if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
        return;
}

static void on_end(int number)
{
    give_back();
    signal(number, SIG_DFL);
    // Comes when this handler returns.
    raise(number);
}

static void on_stop(int number)
{
    int saved = errno, fore = 0;
    struct sigaction again, stop = {.sa_handler = SIG_DFL};
    sigset_t set, old;

    give_back();
    sigemptyset(&set);
    sigaddset(&set, number);
    sigaction(number, &stop, &again);
    // In the background it stops again. A group that nobody can continue does not stop: it is not tried for ever.
    for (int i = 0; i < 50 && !fore; i++) {
        if (i)
            poll(NULL, 0, 100);
        raise(number);
        // Here it stops, until it is continued.
        pthread_sigmask(SIG_UNBLOCK, &set, &old);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        fore = in_front();
    }
    sigaction(number, &again, NULL);
    if (fore && atomic_load(&wake_fd) >= 0)
        take();
    ring();
    errno = saved;
}

// SIGCONT here follows a stop that nobody can catch: the shell has changed the terminal in between.
static void on_change(int number)
{
    int saved = errno;

    if (number == SIGCONT && atomic_load(&state) == is_taken && in_front()) {
        tcsetattr(0, TCSANOW, &during);
        atomic_store(&lost, 1);
    }
    ring();
    errno = saved;
}

static void handle(int number, void (*handler)(int), struct sigaction *old)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    sigfillset(&action.sa_mask);
    sigaction(number, NULL, old);
    // What whoever started this program has switched off stays off.
    if (old->sa_handler != SIG_IGN || number == SIGWINCH)
        sigaction(number, &action, NULL);
}

int clinux_screen_open(int wake)
{
    static atomic_int registered;

    if (atomic_load(&wake_fd) >= 0) {
        errno = EBUSY;
        return -1;
    }
    if (tcgetattr(0, &before))
        return -1;
    during = before;
    cfmakeraw(&during);
    during.c_lflag |= ISIG;
    during.c_oflag = before.c_oflag;
    atomic_store(&wake_fd, wake);
    for (int i = 0; i < endings; i++)
        handle(ending[i], on_end, &old_ending[i]);
    for (int i = 0; i < others; i++)
        handle(other[i], other[i] == SIGTSTP ? on_stop : on_change, &old_other[i]);
    if (!atomic_exchange(&registered, 1))
        atexit(give_back);
    if (take()) {
        int saved = errno;
        clinux_screen_close();
        errno = saved;
        return -1;
    }
    return 0;
}

void clinux_screen_close(void)
{
    if (atomic_load(&wake_fd) < 0)
        return;
    give_back();
    for (int i = 0; i < endings; i++)
        sigaction(ending[i], &old_ending[i], NULL);
    for (int i = 0; i < others; i++)
        sigaction(other[i], &old_other[i], NULL);
    atomic_store(&wake_fd, -1);
}

int clinux_screen_is_lost(void) { return atomic_exchange(&lost, 0); }

int clinux_screen_write(const void *bytes, size_t length)
{
    struct pollfd ready = {.fd = 1, .events = POLLOUT};
    sigset_t all, old;
    int result = 0;

    // The handlers wait for the end of this: none of them may run on this thread.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    atomic_store(&writing, 1);
    while (length && atomic_load(&state) == is_taken) {
        ssize_t done = write(1, bytes, length);
        if (done < 0 && errno == EAGAIN) {
            poll(&ready, 1, 100);
            continue;
        }
        if (done < 0 && errno != EINTR) {
            result = -1;
            break;
        }
        if (done > 0) {
            bytes = (const char *)bytes + done;
            length -= (size_t)done;
        }
    }
    atomic_store(&writing, 0);
    int saved = errno;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = saved;
    return result;
}
