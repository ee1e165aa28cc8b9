// SPDX-License-Identifier: Apache-2.0
// The bytes of /proc as values: one process (proc_pid_stat(5), proc_pid_io(5),
// proc_pid_status(5)), and the machine around them (proc_stat(5), proc_meminfo(5),
// proc_loadavg(5), pressure: the kernel's accounting/psi). Pure; what is not said stays unknown.
#include "sources/processes.h"

#include <string.h>

#define PF_KTHREAD 0x00200000 // of field 9: include/linux/sched.h
#define KIB 1024.0

// Fields of stat after the name, counted from 3 as in the manual page.
enum stat_field {
	FIELD_STATE = 3,
	FIELD_PARENT = 4,
	FIELD_FLAGS = 9,
	FIELD_USER = 14,
	FIELD_SYSTEM = 15,
	FIELD_THREADS = 20,
	FIELD_START = 22,
	FIELD_RSS = 24
};

static bool take_field(struct process_stat *out, int field, struct str word) {
	uint64_t number = 0;
	if (field == FIELD_STATE) {
		out->state = word.at[0];
		return word.len == 1;
	}
	if (field != FIELD_PARENT && field != FIELD_FLAGS && field < FIELD_USER) {
		return true; // terminals and groups: may be negative, and are of no use here
	}
	if (field > FIELD_SYSTEM && field < FIELD_THREADS) {
		return true;
	}
	if (!str_to_uint64(word, &number)) {
		// The kernel writes rss as signed: it may be a few pages below 0.
		return field == FIELD_RSS || (field > FIELD_THREADS && field < FIELD_START);
	}
	switch (field) {
	case FIELD_PARENT:
		out->parent = number <= INT32_MAX ? (int32_t)number : 0;
		break;
	case FIELD_FLAGS:
		out->is_kernel = (number & PF_KTHREAD) != 0;
		break;
	case FIELD_USER:
	case FIELD_SYSTEM:
		// The bound keeps sums and differences of ticks far from overflow.
		out->ticks += number < UINT64_C(1) << 61 ? number : 0;
		break;
	case FIELD_THREADS:
		out->threads = number <= UINT32_MAX ? (uint32_t)number : UINT32_MAX;
		break;
	case FIELD_START:
		out->start = number;
		break;
	case FIELD_RSS:
		out->rss_pages = number < UINT64_C(1) << 48 ? number : 0;
		break;
	default:
		break;
	}
	return true;
}

bool process_stat_parse(struct str text, struct process_stat *out) {
	ptrdiff_t open = str_find_char(text, '(');
	ptrdiff_t close = (ptrdiff_t)text.len - 1;
	uint64_t pid = 0;
	struct str word;
	memset(out, 0, sizeof(*out));
	while (close >= 0 && text.at[close] != ')') {
		close--;
	}
	if (open < 2 || close < open || !str_to_uint64(str_head(text, (size_t)open - 1), &pid) ||
		pid == 0 || pid > INT32_MAX) {
		return false;
	}
	struct str name = str_head(str_skip(text, (size_t)open + 1), (size_t)(close - open - 1));
	name = str_head(name, sizeof(out->name) - 1);
	memcpy(out->name, name.at, name.len);
	out->pid = (int32_t)pid;
	struct str rest = str_skip(text, (size_t)close + 1);
	int field = FIELD_STATE;
	while (field <= FIELD_RSS && str_word(&rest, &word)) {
		if (!take_field(out, field++, word)) {
			return false;
		}
	}
	return field > FIELD_RSS;
}

// The number after "name:" on a line of its own.
static bool find_number(struct str text, const char *name, uint64_t *out) {
	struct str line, word;
	while (str_split(&text, '\n', &line)) {
		if (str_word(&line, &word) && str_is(word, name)) {
			return str_word(&line, &word) && str_to_uint64(word, out);
		}
	}
	return false;
}

bool process_io_parse(struct str text, uint64_t *out_read, uint64_t *out_written) {
	uint64_t read = 0, written = 0;
	if (!find_number(text, "read_bytes:", &read) ||
		!find_number(text, "write_bytes:", &written)) {
		return false;
	}
	*out_read = read;
	*out_written = written;
	return true;
}

bool process_status_parse(struct str text, struct process_status *out) {
	struct str line, word;
	bool has_uid = false;
	uint64_t number = 0;
	*out = (struct process_status){0};
	while (str_split(&text, '\n', &line)) {
		if (!str_word(&line, &word)) {
			continue;
		}
		if (str_is(word, "Uid:")) {
			has_uid = str_word(&line, &word) && str_word(&line, &word) &&
				str_to_uint64(word, &number) && number <= UINT32_MAX;
			out->uid = has_uid ? (uint32_t)number : 0;
		} else if (str_is(word, "VmSwap:") && str_word(&line, &word) &&
			str_to_uint64(word, &number) && number < UINT64_C(1) << 50) {
			out->swap_bytes = number * 1024;
			out->has_swap = true;
		}
	}
	return has_uid;
}

void machine_init(struct machine *machine) {
	*machine = (struct machine){0};
	machine->uptime_s = machine->load1 = UNKNOWN;
	machine->memory_bytes = machine->available_bytes = UNKNOWN;
	machine->swap_bytes = machine->swap_free_bytes = UNKNOWN;
	machine->threads = machine->threads_max = machine->pids_max = UNKNOWN;
	machine->cpu_ticks[0] = UNKNOWN;
	for (size_t i = 0; i < 3; i++) {
		machine->pressure[i] = UNKNOWN;
	}
}

void machine_parse_stat(struct machine *machine, struct str text) {
	struct str line, word;
	while (str_split(&text, '\n', &line)) {
		double ticks[8] = {0};
		size_t n = 0;
		if (!str_word(&line, &word) || !str_starts(word, STR("cpu"))) {
			return; // they come first
		}
		if (word.len > 3) {
			machine->cpus++;
			continue;
		}
		while (n < 8 && str_word(&line, &word) && str_to_double(word, &ticks[n])) {
			n++;
		}
		if (n >= 4) {
			memcpy(machine->cpu_ticks, ticks, sizeof(ticks));
		}
	}
}

void machine_parse_memory(struct machine *machine, struct str text) {
	const struct {
		const char *name;
		double *to;
	} rows[] = {{"MemTotal:", &machine->memory_bytes},
		{"MemAvailable:", &machine->available_bytes}, {"SwapTotal:", &machine->swap_bytes},
		{"SwapFree:", &machine->swap_free_bytes}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t kib = 0;
		if (find_number(text, rows[i].name, &kib)) {
			*rows[i].to = (double)kib * KIB;
		}
	}
}

void machine_parse_load(struct machine *machine, struct str text) {
	struct str word;
	double load = 0, threads = 0;
	if (!str_word(&text, &word) || !str_to_double(word, &load) || load < 0) {
		return;
	}
	machine->load1 = load;
	// "0.50 0.40 0.30 1/123 4567": running and all, threads counted as the limits count them
	for (size_t i = 0; i < 3 && str_word(&text, &word); i++) {
		ptrdiff_t slash = str_find_char(word, '/');
		if (i == 2 && slash >= 0 &&
			str_to_double(str_skip(word, (size_t)slash + 1), &threads)) {
			machine->threads = threads;
		}
	}
}

double machine_first_number(struct str text) {
	struct str word;
	double number = 0;
	return str_word(&text, &word) && str_to_double(word, &number) && number >= 0 ? number
										     : UNKNOWN;
}

double machine_parse_pressure(struct str text) {
	struct str word;
	double number = 0;
	if (!str_word(&text, &word) || !str_is(word, "some") || !str_word(&text, &word) ||
		!str_starts(word, STR("avg10="))) {
		return UNKNOWN;
	}
	return str_to_double(str_skip(word, 6), &number) && number >= 0 ? number : UNKNOWN;
}
