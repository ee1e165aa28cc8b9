// SPDX-License-Identifier: Apache-2.0
// Which names of /proc/diskstats are disks. Without all_disks these are left out, as by
// node_exporter's default ^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$: RAM disks, loop
// devices, floppies and partitions.
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct host_config;

bool is_disk_counted(const struct host_config *config, struct str name);
