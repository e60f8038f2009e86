// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// exec in each folder of `path`, as execvpe does; async-signal-safe and with a bounded buffer.
static void execute(char *const argv[], char *const envp[], const char *path)
{
    char file[4096];
    size_t name = strlen(argv[0]), folder;
    int error = ENOENT;

    if (strchr(argv[0], '/')) {
        execve(argv[0], argv, envp);
        return;
    }
    for (; *path; path += folder + (path[folder] == ':')) {
        folder = strcspn(path, ":");
        if (folder == 0 || folder + name + 2 > sizeof(file))
            continue;
        memcpy(file, path, folder);
        file[folder] = '/';
        memcpy(file + folder + 1, argv[0], name + 1);
        execve(file, argv, envp);
        if (errno != ENOENT && errno != ENOTDIR)
            error = errno;
    }
    errno = error;
}

static void child(char *const argv[], char *const envp[], const char *path, const char *folder, const int fds[3],
                  int terminal)
{
    sigset_t none;
    int i;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (setsid() < 0)
        return;
    for (i = 0; i < 3; i++)
        if (dup2(fds[i], i) < 0)
            return;
    if (terminal && ioctl(0, TIOCSCTTY, 0))
        return;
    if (chdir(folder))
        return;
    execute(argv, envp, path);
}

pid_t clinux_spawn(char *const argv[], char *const envp[], const char *path, const char *folder, const int fds[3],
                   int terminal, int *pidfd)
{
    int report[2], error = 0;
    ssize_t got;
    pid_t pid;

    if (pipe2(report, O_CLOEXEC))
        return -1;
    pid = fork();
    if (pid == 0) {
        child(argv, envp, path, folder, fds, terminal);
        error = errno;
        got = write(report[1], &error, sizeof(error));
        _exit(got == sizeof(error) ? 127 : 126);
    }
    if (pid < 0)
        error = errno;
    close(report[1]);
    if (pid > 0) {
        do
            got = read(report[0], &error, sizeof(error));
        while (got < 0 && errno == EINTR);
        if (got != sizeof(error)) {
            error = 0;
            *pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
            if (*pidfd < 0) {
                error = errno;
                kill(-pid, SIGKILL);
            }
        }
        if (error)
            while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
    }
    close(report[0]);
    errno = error;
    return error ? -1 : pid;
}

int clinux_pipe(int ends[2])
{
    return pipe2(ends, O_CLOEXEC);
}

int clinux_accept_one(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener, connection = -1, error;

    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0)
        return -1;
    /* Nobody can connect before it listens, so the mode may come after the name; a umask would be the whole process's. */
    if (!bind(listener, (struct sockaddr *)&address, sizeof(address)) && !chmod(path, 0600) && !listen(listener, 1)) {
        connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        error = errno;
        unlink(path);
        errno = error;
    }
    error = errno;
    close(listener);
    errno = error;
    return connection;
}

int clinux_open_terminal(uint16_t rows, uint16_t columns, int *master, int *slave)
{
    char name[64];

    *master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (*master < 0)
        return -1;
    if (grantpt(*master) || unlockpt(*master) || ptsname_r(*master, name, sizeof(name)) ||
        (*slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0) {
        int error = errno;
        close(*master);
        errno = error;
        return -1;
    }
    return clinux_set_terminal_size(*slave, rows, columns);
}

int clinux_set_terminal_size(int fd, uint16_t rows, uint16_t columns)
{
    struct winsize size = {.ws_row = rows, .ws_col = columns};

    return ioctl(fd, TIOCSWINSZ, &size);
}

int clinux_get_terminal_size(int fd, uint16_t *rows, uint16_t *columns)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size))
        return -1;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}

int clinux_load_module(int fd, int compressed)
{
    // MODULE_INIT_COMPRESSED_FILE of include/uapi/linux/module.h.
    return (int)syscall(SYS_finit_module, fd, "", compressed ? 4 : 0);
}
