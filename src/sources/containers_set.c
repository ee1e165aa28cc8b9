// SPDX-License-Identifier: Apache-2.0
// The containers of this machine from one gather to the next. A restart is told only when it was
// seen: the same name with another id, or the same id in another cgroup; what was before Anna began
// is not known and counts as none.
#include "sources/containers.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "sources/text.h"

#define NAME_TRIES 5	       // podman writes its list a moment after the start
#define GONE_FOR_NS NS_PER_DAY // so long a name is remembered
#define OOM_WINDOW_NS (60 * NS_PER_SECOND)
#define OOM_SPACING_NS (OOM_WINDOW_NS / (OOM_SAMPLES - 1))

void container_set_init(struct container_set *set, const char *sysroot) {
	*set = (struct container_set){.sysroot = xstrdup(sysroot)};
	set->gone = xcalloc(CONTAINERS_MAX, sizeof(*set->gone));
}

static void container_destroy(struct container *container) {
	free(container->path);
	free(container);
}

void container_set_finish(struct container_set *set) {
	for (size_t i = 0; i < set->n; i++) {
		container_destroy(set->items[i]);
	}
	cgroups_finish(&set->cgroups);
	free(set->gone);
	free(set->sysroot);
}

uint64_t container_working_set(const struct container *container) {
	const struct container_counters *now = &container->counters;
	if (now->memory_bytes == NOT_KNOWN) {
		return NOT_KNOWN;
	}
	uint64_t cache = now->cache_bytes == NOT_KNOWN ? 0 : now->cache_bytes;
	return cache < now->memory_bytes ? now->memory_bytes - cache : 0;
}

double container_memory_percent(const struct container *container) {
	uint64_t used = container_working_set(container), limit = container->counters.limit_bytes;
	return used == NOT_KNOWN || limit == NOT_KNOWN || limit == 0
		? -1
		: (double)used * 100 / (double)limit;
}

double container_oom_per_minute(const struct container *container, int64_t now_ns) {
	for (size_t i = 0; i < container->oom_count; i++) {
		if (container->oom[i].at_ns >= now_ns - OOM_WINDOW_NS) {
			return (double)(container->oom_kills - container->oom[i].kills);
		}
	}
	return container->oom_count ? 0 : -1;
}

// --- restarts ---

static void format_key(char *out, size_t size, const struct container *container) {
	(void)snprintf(out, size, "%s %s", container->id.runtime, container->name);
}

static void remember(struct container_set *set, const struct container *container) {
	size_t at = set->gone_count;
	for (size_t i = 0; at == CONTAINERS_MAX && i < set->gone_count; i++) {
		if (at == CONTAINERS_MAX || set->gone[i].at_ns < set->gone[at].at_ns) {
			at = i;
		}
	}
	set->gone_count += set->gone_count < CONTAINERS_MAX;
	struct gone *gone = &set->gone[at];
	*gone = (struct gone){.restarts = container->restarts, .at_ns = set->now_ns};
	format_key(gone->key, sizeof(gone->key), container);
}

// A new one of a name that is remembered goes on with its count.
static void recall(struct container_set *set, struct container *container) {
	char key[sizeof(set->gone->key)];
	format_key(key, sizeof(key), container);
	for (size_t i = 0; i < set->gone_count; i++) {
		if (strcmp(set->gone[i].key, key) == 0) {
			container->restarts += set->gone[i].restarts + 1;
			set->gone[i] = set->gone[--set->gone_count];
			return;
		}
	}
}

static void forget_old(struct container_set *set) {
	for (size_t i = 0; i < set->gone_count;) {
		if (set->gone[i].at_ns < set->now_ns - GONE_FOR_NS) {
			set->gone[i] = set->gone[--set->gone_count];
		} else {
			i++;
		}
	}
}

// --- names ---

static bool is_taken(
	const struct container_set *set, const struct container *own, const char *name) {
	for (size_t i = 0; i < set->n; i++) {
		const struct container *other = set->items[i];
		if (other != own && strcmp(other->name, name) == 0 &&
			strcmp(other->id.runtime, own->id.runtime) == 0) {
			return true;
		}
	}
	return false;
}

// A name is unique per runtime, for figures go by it: two users may both have a "web".
static void set_name(struct container_set *set, struct container *container, struct str name) {
	struct buf unique = BUF_INIT;
	buf_append_str(&unique, str_head(name, sizeof(container->name) - 14));
	if (is_taken(set, container, buf_text(&unique))) {
		buf_append_char(&unique, '@');
		clean_text(&unique, str_head(str_from(container->id.id), 12));
	}
	(void)snprintf(container->name, sizeof(container->name), "%s", buf_text(&unique));
	buf_finish(&unique);
}

static void find_name(struct container_set *set, struct container *container) {
	struct buf name = BUF_INIT;
	const char *source = "id";
	bool is_first = container->name_tries == 0;
	if (container->name_tries >= NAME_TRIES || strcmp(container->name_source, "id") != 0) {
		return;
	}
	container->name_tries++;
	bool is_known = container_name_find(
		set->sysroot, &container->id, str_from(container->path), &name, &source);
	if (is_known) {
		container->name_source = source;
		set_name(set, container, buf_str(&name));
		recall(set, container);
	} else if (is_first) {
		set_name(set, container, container_short_id(&container->id));
		recall(set, container);
	}
	buf_finish(&name);
}

// --- one gather ---

static void on_found(void *arg, struct str path, const struct container_id *id, uint64_t inode) {
	struct container_set *set = arg;
	for (size_t i = 0; i < set->n; i++) {
		struct container *known = set->items[i];
		if (str_is(path, known->path)) {
			// Each hierarchy has an inode of its own: the first counts.
			if (!known->is_seen && known->inode != inode) {
				known->inode = inode;
				known->restarts++;
				known->oom_count = 0;
				known->read_ns = 0;
				known->is_newborn = true;
			}
			known->is_seen = true;
			return;
		}
	}
	if (set->n == CONTAINERS_MAX) {
		set->is_cut = true;
		return;
	}
	struct container *new = xcalloc(1, sizeof(*new));
	*new = (struct container){.id = *id, .inode = inode, .name_source = "id", .is_seen = true};
	new->path = xstrndup(path.at, path.len);
	new->cpu_percent = -1;
	new->is_newborn = set->has_begun;
	set->items[set->n++] = new;
}

static void add_oom_sample(struct container *container, int64_t now_ns) {
	size_t n = container->oom_count;
	if (n > 1 && container->oom[n - 1].at_ns - container->oom[n - 2].at_ns < OOM_SPACING_NS) {
		n--; // the newest takes the place of one that is hardly older
	} else if (n == OOM_SAMPLES) {
		memmove(container->oom, container->oom + 1,
			(OOM_SAMPLES - 1) * sizeof(container->oom[0]));
		n--;
	}
	container->oom[n].at_ns = now_ns;
	container->oom[n].kills = container->oom_kills;
	container->oom_count = n + 1;
}

static void update(struct container_set *set, struct container *container) {
	struct container_counters before = container->counters, now;
	double seconds = (double)(set->now_ns - container->read_ns) / (double)NS_PER_SECOND;
	bool has_before = container->read_ns != 0;
	cgroups_read(&set->cgroups, container->path, &now);
	container->cpu_percent = -1;
	if (has_before && seconds > 0 && now.cpu_ns != NOT_KNOWN && before.cpu_ns != NOT_KNOWN &&
		now.cpu_ns >= before.cpu_ns) {
		container->cpu_percent = (double)(now.cpu_ns - before.cpu_ns) /
			(double)NS_PER_SECOND / seconds * 100;
	}
	if (now.oom_kills != NOT_KNOWN) {
		uint64_t from = has_before	? before.oom_kills
			: container->is_newborn ? 0
						: now.oom_kills;
		if (!has_before) {
			add_oom_sample(container, set->now_ns); // none so far
		}
		container->oom_kills += from <= now.oom_kills ? now.oom_kills - from : 0;
		add_oom_sample(container, set->now_ns);
	}
	container->is_newborn = false;
	container->counters = now;
	container->read_ns = set->now_ns;
}

void container_set_gather(struct container_set *set, int64_t now_ns) {
	set->now_ns = now_ns;
	set->is_cut = false;
	cgroups_finish(&set->cgroups); // hierarchies may be mounted later
	cgroups_init(&set->cgroups, set->sysroot);
	set->is_readable = set->cgroups.n > 0;
	for (size_t i = 0; i < set->n; i++) {
		set->items[i]->is_seen = false;
	}
	set->is_cut |= !cgroups_each_container(&set->cgroups, on_found, set);
	size_t kept = 0;
	for (size_t i = 0; i < set->n; i++) {
		struct container *container = set->items[i];
		if (container->is_seen) {
			set->items[kept++] = container;
		} else {
			remember(set, container);
			container_destroy(container);
		}
	}
	set->n = kept;
	for (size_t i = 0; i < set->n; i++) {
		find_name(set, set->items[i]);
		update(set, set->items[i]);
	}
	forget_old(set);
	set->has_begun = true;
}
