// SPDX-License-Identifier: Apache-2.0
// For the agent in a virtual machine and the terminal of its user: what Swift cannot call, or must not between fork
// and exec. -1 and errno on failure.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Starts argv[0], looked for in `path`, in a session and process group of its own, with these descriptors as 0, 1, 2;
// `terminal` makes descriptor 0 its controlling terminal. The caller must have one thread only. Gives the process, and
// its pidfd in *pidfd; where exec or an earlier step fails, -1 with that step's errno and no process left.
int32_t clinux_spawn(char *const argv[], char *const envp[], const char *path, const char *folder, const int fds[3],
                   int terminal, int *pidfd);

// pipe2(2), close-on-exec.
int clinux_pipe(int ends[2]);

// Waits on a new Unix socket at `path` for one connection; the socket's name is gone afterwards.
int clinux_accept_one(const char *path);

// A new pseudo-terminal of this size; both ends close-on-exec, the master non-blocking.
int clinux_open_terminal(uint16_t rows, uint16_t columns, int *master, int *slave);
int clinux_set_terminal_size(int fd, uint16_t rows, uint16_t columns);
int clinux_get_terminal_size(int fd, uint16_t *rows, uint16_t *columns);

// finit_module(2): links a module, which may be compressed, into the kernel.
int clinux_load_module(int fd, int compressed);

// A terminal's screen that a program has for itself (screen.c). What brings the terminal back when a signal ends or stops
// the program runs within the signal's handler, where Swift must not.
//
// Takes the terminal behind descriptors 0 and 1: keys come as they are (those that send a signal still send it), the
// screen is the second one, without cursor and without line breaks of its own. Every signal that would end the program
// gives it back first; SIGTSTP gives it back until the program is continued. An eventfd `wake` is written to when the
// size has changed and when everything has to be drawn again. EBUSY where it is taken already.
int clinux_screen_open(int wake);

// Gives it back. Does nothing where it is not taken.
void clinux_screen_close(void);

// Has everything on the screen been lost since this was asked last?
int clinux_screen_is_lost(void);

// Writes all of it. Drops it where the terminal is given back at the moment.
int clinux_screen_write(const void *bytes, size_t length);
