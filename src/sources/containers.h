// SPDX-License-Identifier: Apache-2.0
// The parts of the source `containers`, private to its files and to `processes`, which asks whose
// container a cgroup is. What a container runs in is seen from its cgroup alone; its name comes
// from the files of who made it, where they may be read, else from its id.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"

struct exposition;
struct json_writer;

#define CONTAINERS_MAX 512
#define CONTAINER_FOLDERS_MAX 8192 // cgroups looked at in one gather
#define CONTAINER_DEPTH_MAX 10

// --- whose cgroup is it ---
struct container_id {
	char runtime[24]; // docker, podman, containerd, cri-o, kubernetes, lxc, nspawn, vm, …
	char id[128];	  // the 64 hexadecimal digits, or of lxc and nspawn the name
	bool is_name;	  // the id is what people call it
};
// Of the last component of a cgroup's path; `path` is the whole of it,
// "/system.slice/docker-….scope".
_must_use_ bool container_id_parse(struct str path, struct container_id *out);
// The outermost container on a path; *out_len, if not NULL, is the length of its own path.
_must_use_ bool container_id_find(struct str path, struct container_id *out, size_t *out_len);
// The id as shown: its first 12 digits, or the name.
struct str container_short_id(const struct container_id *id);
// A systemd name without its escapes: "\x2d" is a byte, '-' stays (systemd.unit(5)).
void unit_unescape(struct buf *out, struct str name);

// --- what the kernel counts of one; UINT64_MAX: not known ---
#define NOT_KNOWN UINT64_MAX
struct container_counters {
	uint64_t cpu_ns;
	uint64_t memory_bytes, cache_bytes; // the part of it that the kernel can drop at once
	uint64_t limit_bytes;		    // NOT_KNOWN: none
	uint64_t oom_kills;
	uint64_t pids;
};

// --- where to read it: one or more hierarchies, v2 or v1 ---
struct cgroup_tree {
	char *folder; // /sys/fs/cgroup, or a controller's folder below it
	bool is_v2, has_cpu, has_memory, has_pids;
};
#define CGROUP_TREES 5
struct cgroups {
	struct cgroup_tree trees[CGROUP_TREES];
	size_t n;
};
void cgroups_init(struct cgroups *cgroups, const char *sysroot);
void cgroups_finish(struct cgroups *cgroups);
// Every container's cgroup, each path once per tree that has it. Not into containers.
typedef void container_found_fn(
	void *arg, struct str path, const struct container_id *id, uint64_t inode);
// False: more folders than CONTAINER_FOLDERS_MAX, the rest was not looked at.
bool cgroups_each_container(const struct cgroups *cgroups, container_found_fn *on_found, void *arg);
void cgroups_read(const struct cgroups *cgroups, const char *path, struct container_counters *out);
// Pure: one file of a cgroup.
void counters_parse(struct container_counters *counters, const char *file, struct str text);

// --- names ---
// The name its maker gave it, and by which file: "docker", "podman", "kubernetes", "cgroup". False:
// not known, or not ours to read.
_must_use_ bool container_name_find(const char *sysroot, const struct container_id *id,
	struct str path, struct buf *out_name, const char **out_source);
// Pure: out of docker's config.v2.json, podman's containers.json, the name of a log's link.
_must_use_ bool docker_name_parse(struct str json, struct buf *out);
_must_use_ bool podman_name_parse(struct str json, struct str id, struct buf *out);
_must_use_ bool kubernetes_name_parse(struct str link, struct str id, struct buf *out);

// --- what is kept ---
#define OOM_SAMPLES 16
struct container {
	struct container_id id;
	char *path;
	char name[128];
	const char *name_source; // "id": the short id stands for it
	uint64_t inode;
	struct container_counters counters;
	int64_t read_ns;    // monotonic
	double cpu_percent; // of one CPU; below 0: not known
	uint64_t oom_kills; // since it was first seen
	uint64_t restarts;  // seen by Anna
	uint8_t name_tries;
	bool is_seen, is_newborn; // began after Anna did: all it counts was seen
	struct {
		int64_t at_ns;
		uint64_t kills;
	} oom[OOM_SAMPLES]; // the newest last
	size_t oom_count;
};
struct container_set {
	char *sysroot;
	struct cgroups cgroups;
	struct container *items[CONTAINERS_MAX];
	size_t n;
	// Those that are gone, by name, so that a new one of the same name is a restart.
	struct gone {
		char key[160]; // runtime, a blank, the name
		uint64_t restarts;
		int64_t at_ns;
	} * gone;
	size_t gone_count;
	bool is_cut;	  // more than CONTAINERS_MAX, or more folders than are looked at
	bool is_readable; // there is a cgroup tree
	int64_t now_ns;
	bool has_begun;
};
void container_set_init(struct container_set *set, const char *sysroot);
void container_set_finish(struct container_set *set);
// Reads all of it anew; call from a job.
void container_set_gather(struct container_set *set, int64_t now_ns);
// Memory that counts, in percent of the limit; below 0: no limit.
double container_memory_percent(const struct container *container);
uint64_t container_working_set(const struct container *container);
double container_oom_per_minute(const struct container *container, int64_t now_ns);
// As an array of objects, and as samples.
void container_set_write(const struct container_set *set, struct json_writer *w);
void container_set_collect(const struct container_set *set, struct exposition *out);
