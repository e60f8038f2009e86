import Testing

/// Everything here runs against the real daemon, under the real systemd, on a real sched_ext kernel, in the lab's virtual
/// machine. One after the other: there is one machine and it has one scheduler.
@Suite(.serialized) enum EndToEnd {}
