// SPDX-License-Identifier: Apache-2.0
// The source `links`: network interfaces that come, go, and lose or find the other end, their
// addresses, and default routes, from rtnetlink. All that is there is kept, and listed again when
// messages were lost or when the kernel removes things without a word (routes of an interface that
// goes down); only what is different is told.
#include "base/alloc.h"
#include "base/map.h"
#include "flow/capability.h"
#include "sources/links_socket.h"
#include "sources/outbox.h"

#define KNOWN_MAX 8192 // interfaces, addresses and default routes together
#define LIST_AFTER (100 * NS_PER_MS)
#define REOPEN_AFTER NS_PER_SECOND

struct links_config {
	bool is_enabled;
	struct strings ignored;
};

struct known {
	struct link_message message;
	uint64_t listing; // the last listing, or message since it began, that named it
};

struct links {
	const struct services *services;
	struct snapshot *snapshot;
	const struct links_config *config;
	struct outbox outbox;
	struct links_socket socket;
	struct timer again; // to list, or to open
	struct meter meter;
	struct map known; // by key
	uint64_t listing; // number of the one under way, or the last
	bool is_listed;	  // once: from then on differences are told
	bool is_full;
	int64_t heard_wall_ns;
	struct err complaint;
};

static const char *name_of(const struct links *links, const struct link_message *message) {
	char key[32];
	if (message->what == LINK_INTERFACE) {
		return message->name;
	}
	snprintf(key, sizeof(key), "interface %u", message->index);
	const struct known *known = map_get(&links->known, str_from(key));
	return known ? known->message.name : "";
}

static bool is_ignored(const struct links *links, const char *name) {
	const struct strings *ignored = &links->config->ignored;
	for (size_t i = 0; i < ignored->n; i++) {
		if (str_glob(ignored->items[i], str_from(name))) {
			return true;
		}
	}
	return false;
}

static void tell(struct links *links, const char *kind, const struct link_message *message,
	const char *former_name) {
	const char *name = name_of(links, message);
	if (!links->is_listed || is_ignored(links, name)) {
		return;
	}
	struct event *event = event_create(kind, "links", STR(""));
	outbox_set_clean(event, "interface", str_from(name));
	if (former_name) {
		outbox_set_clean(event, "from", str_from(former_name));
	}
	if (message->what == LINK_INTERFACE) {
		event_set_bool(event, "enabled", message->is_enabled);
	} else {
		event_set_text(event, "family", message->family);
	}
	if (message->what == LINK_ADDRESS) {
		event_set_text(event, "address", message->address);
	} else if (message->what == LINK_ROUTE) {
		event_set_text(event, "gateway", message->address[0] ? message->address : NULL);
		event_set_int(event, "metric", message->metric);
	}
	const struct value *subject = event_attribute(event, STR("interface"));
	event->subject = subject ? subject->string : STR("");
	outbox_send(&links->outbox, event);
}

static const char *kind_of(enum link_what what, bool is_gone) {
	static const char *const kinds[][2] = {
		[LINK_INTERFACE] = {"link.added", "link.removed"},
		[LINK_ADDRESS] = {"address.added", "address.removed"},
		[LINK_ROUTE] = {"route.added", "route.removed"},
	};
	return kinds[what][is_gone];
}

static void forget(struct links *links, struct known *known) {
	map_remove(&links->known, str_from(known->message.key));
	free(known);
}

static void on_again(void *arg);

static void list_soon(struct links *links) {
	if (!timer_is_set(&links->again)) {
		timer_start(&links->again, links->services->loop, LIST_AFTER, on_again, links);
	}
}

// It was known already: what is different now?
static void update(struct links *links, struct known *known, const struct link_message *message) {
	struct link_message before = known->message;
	known->message = *message;
	known->listing = links->listing;
	if (message->what != LINK_INTERFACE) {
		return;
	}
	if (strcmp(before.name, message->name) != 0) {
		tell(links, "link.renamed", message, before.name);
	}
	if (before.is_up != message->is_up) {
		tell(links, message->is_up ? "link.up" : "link.down", message, NULL);
	}
	if (before.is_enabled && !message->is_enabled) {
		list_soon(links); // its routes are gone, and the kernel does not tell
	}
}

static void add(struct links *links, const struct link_message *message) {
	if (map_count(&links->known) >= KNOWN_MAX) {
		links->is_full = true;
		return;
	}
	struct known *known = xmalloc(sizeof(*known));
	*known = (struct known){*message, links->listing};
	map_put(&links->known, str_from(known->message.key), known);
	tell(links, kind_of(message->what, false), message, NULL);
	if (message->what == LINK_INTERFACE && message->is_up) {
		tell(links, "link.up", message, NULL);
	}
}

static void on_message(void *arg, const struct link_message *message, bool is_replaced) {
	struct links *links = arg;
	struct known *known = map_get(&links->known, str_from(message->key));
	links->heard_wall_ns = clock_wall(loop_clock(links->services->loop));
	if (!message->is_gone) {
		if (known) {
			update(links, known, message);
		} else {
			add(links, message);
		}
	} else if (known) {
		tell(links, kind_of(message->what, true), &known->message, NULL);
		forget(links, known);
	}
	if (is_replaced || (message->is_gone && message->what == LINK_INTERFACE)) {
		list_soon(links);
	}
}

// What the listing did not name is gone: routes and addresses first, while their interface is known.
static void sweep(struct links *links, bool of_interfaces) {
	size_t cursor = 0;
	struct map_entry *entry;
	while ((entry = map_next(&links->known, &cursor))) {
		struct known *known = entry->value;
		if (known->listing != links->listing &&
			(known->message.what == LINK_INTERFACE) == of_interfaces) {
			tell(links, kind_of(known->message.what, true), &known->message, NULL);
			forget(links, known);
		}
	}
}

static void on_listed(void *arg) {
	struct links *links = arg;
	sweep(links, false);
	sweep(links, true);
	links->is_listed = true;
	links->complaint = (struct err)ERR_INIT;
	links->is_full = links->is_full && map_count(&links->known) >= KNOWN_MAX;
}

static void open_socket(struct links *links) {
	links->listing++;
	if (!links_socket_open(&links->socket, links->services->loop, &links->complaint)) {
		timer_start(
			&links->again, links->services->loop, 60 * REOPEN_AFTER, on_again, links);
	}
}

static void on_lost(void *arg) {
	struct links *links = arg;
	links_socket_close(&links->socket);
	if (links->is_listed) {
		outbox_gap(&links->outbox, "overflow", links->heard_wall_ns, 0);
	}
	timer_start(&links->again, links->services->loop, REOPEN_AFTER, on_again, links);
}

static void on_again(void *arg) {
	struct links *links = arg;
	if (links->socket.fd < 0) {
		open_socket(links);
	} else if (links->socket.listing < LINK_LISTS) {
		list_soon(links); // one is under way and may have passed by what has changed
	} else {
		links->listing++;
		links_socket_list(&links->socket);
	}
}

static void collect(void *arg, struct exposition *out) {
	const struct links *links = arg;
	if (links->is_listed) {
		exposition_family(out, "anna_links_known", "gauge",
			"Interfaces, addresses and default routes that are there.");
		exposition_sample(out, (double)map_count(&links->known), NULL);
	}
}

static void take_config(struct links *links, const struct capability_config *config) {
	struct snapshot *old = links->snapshot;
	links->snapshot = config->snapshot ? snapshot_ref(config->snapshot) : NULL;
	links->config = config->config;
	if (old) {
		snapshot_unref(old);
	}
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)err; // what cannot be heard degrades
	struct links *links = xcalloc(1, sizeof(*links));
	links->services = services;
	links->heard_wall_ns = clock_wall(loop_clock(services->loop));
	links->socket = (struct links_socket){.fd = -1,
		.on_message = on_message,
		.on_listed = on_listed,
		.on_lost = on_lost,
		.arg = links};
	outbox_init(&links->outbox, services, "links");
	take_config(links, config);
	meters_add(services->meters, &links->meter, collect, links);
	open_socket(links);
	return links;
}

static enum reconfigured reconfigure(void *self, const struct capability_config *config) {
	take_config(self, config);
	return RECONFIGURE_ADAPTED;
}

static void stop(void *self) {
	struct links *links = self;
	size_t cursor = 0;
	struct map_entry *entry;
	timer_stop(&links->again);
	meters_remove(&links->meter);
	links_socket_close(&links->socket);
	while ((entry = map_next(&links->known, &cursor))) {
		free(entry->value);
	}
	map_finish(&links->known);
	outbox_finish(&links->outbox);
	if (links->snapshot) {
		snapshot_unref(links->snapshot);
	}
	free(links);
}

static bool is_enabled(const struct capability_config *config) {
	return ((const struct links_config *)config->config)->is_enabled;
}

static void health(void *self, struct capability_health *out) {
	const struct links *links = self;
	out->state = CAPABILITY_ACTIVE;
	out->reason[0] = '\0';
	if (links->complaint.code != ERR_NONE) {
		out->state = CAPABILITY_DEGRADED;
		snprintf(out->reason, sizeof(out->reason), "%.200s; tried again every minute",
			links->complaint.message);
	} else if (links->is_full) {
		out->state = CAPABILITY_DEGRADED;
		snprintf(out->reason, sizeof(out->reason),
			"more than %d interfaces, addresses and default routes; the rest is left "
			"out",
			KNOWN_MAX);
	}
}

static const struct option rows[] = {
	{"enabled", OPTION_BOOL, offsetof(struct links_config, is_enabled), "true",
		.help = "Tell of network interfaces, addresses and default routes that change."},
	{"ignored", OPTION_STRINGS, offsetof(struct links_config, ignored),
		"[\"veth*\", \"cali*\", \"cni*\", \"lxc*\", \"vnet*\"]", .max = 1000,
		.help = "Interfaces to leave out (globs)."},
	{NULL},
};

static const struct kind_attribute link_attributes[] = {
	{"interface", "string", NULL, "its name"},
	{"from", "string", NULL, "its name before"},
	{"enabled", "boolean", NULL, "it is switched on; false: it is down on purpose"},
	{NULL},
};

static const struct kind_attribute address_attributes[] = {
	{"interface", "string", NULL, "whose it is"},
	{"family", "string", NULL, "ipv4 or ipv6"},
	{"address", "string", NULL, "with the length of its prefix: 192.0.2.1/24"},
	{NULL},
};

static const struct kind_attribute route_attributes[] = {
	{"interface", "string", NULL, "the way it takes; absent when it takes several"},
	{"family", "string", NULL, "ipv4 or ipv6"},
	{"gateway", "string", NULL, "the next host; absent when there is none"},
	{"metric", "integer", NULL, "the lowest is preferred"},
	{NULL},
};

static const struct kind kinds[] = {
	{"link.added", STREAM_NORMAL, "A network interface is new.", link_attributes},
	{"link.removed", STREAM_NORMAL, "A network interface is gone.", link_attributes},
	{"link.renamed", STREAM_NORMAL, "A network interface has another name.", link_attributes},
	{"link.up", STREAM_NORMAL, "An interface is on, and has the other end.", link_attributes},
	{"link.down", STREAM_NORMAL, "An interface was switched off or lost the other end.",
		link_attributes},
	{"address.added", STREAM_NORMAL, "An interface has a new address.", address_attributes},
	{"address.removed", STREAM_NORMAL, "An interface lost an address.", address_attributes},
	{"route.added", STREAM_NORMAL, "There is a new default route.", route_attributes},
	{"route.removed", STREAM_NORMAL, "A default route is gone.", route_attributes},
	{NULL},
};

DEFINE_SOURCE(links) = {
	.name = "links",
	.summary = "Network interfaces, addresses and default routes.",
	.maturity = MATURITY_STABLE,
	.section =
		&(const struct section){
			.name = "links",
			.summary = "Events of the network's configuration.",
			.rows = rows,
			.size = sizeof(struct links_config),
			.example = "[links]\nignored = [\"veth*\", \"docker0\"]\n",
		},
	.kinds = kinds,
	.is_enabled = is_enabled,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
	.health = health,
};
