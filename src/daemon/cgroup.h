// SPDX-License-Identifier: Apache-2.0
// The cgroup systemd delegated to us (Delegate=yes), where actions get sub-cgroups of their own.
#pragma once

// The folder below /sys/fs/cgroup that is ours to divide, or NULL when nothing was delegated (no
// cgroup v2, or not writable by us). The caller frees it.
char *cgroup_delegated(void);
