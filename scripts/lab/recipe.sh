# shellcheck shell=bash
# What the lab image is made of. Everything here, and every script beside it that runs while the image is built, goes
# into the image's key: change a line and the next `schedctl lab build` makes a new image.
# shellcheck disable=SC2034  # read by the scripts that source this file

# The system, and the suite that has a kernel with sched_ext.
SUITE=trixie
KERNEL_SUITE=trixie-backports
KERNEL_FLAVOUR=cloud-amd64

PACKAGES=(
    # the system
    systemd systemd-sysv dbus udev passwd login libpam-runtime kmod procps psmisc
    # what SchedCP's own programs load at run time
    libsystemd0 libelf1t64 zlib1g libsqlite3-0 libzstd1 libcap2 libstdc++6 libgcc-s1
    # what bpftool (from the kernel's suite) loads
    libssl3t64
    # loads for tests and demonstrations; hackbench and cyclictest are in rt-tests
    stress rt-tests
)

# Modules that the first stage needs to find the disks; what they depend on comes along.
BOOT_MODULES=(virtio_blk virtio_pci virtio_console ext4)

# Space for files that commands in the machine write, on top of what the system takes, MiB. The file is sparse.
FREE_MIB=1536
