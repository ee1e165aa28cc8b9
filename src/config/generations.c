// SPDX-License-Identifier: Apache-2.0
// Every change is one file replaced as one step, so there is no moment at which two files must
// agree: which generation is in force follows from the highest `activated` count among the active
// and pending ones, and whatever else says "active" is an earlier one, shown as good.
#include "config/generations.h"

#include <errno.h>
#include <inttypes.h>

#include "base/alloc.h"
#include "base/crc32c.h"
#include "config/generation_file.h"
#include "io/draft.h"

#define KEPT 100
#define LISTED_MAX 10000	       // files looked at when opened, the newest ones
#define NUMBER_MAX (UINT64_C(1) << 53) // readable by every JSON reader
#define ASIDE ".damaged"
#define DOUBTFUL_MAX 8 // one is usual; two after an undo

struct generations {
	struct fs *fs;
	char *folder;
	struct entry **items; // by number
	size_t n;
	bool is_reader;	      // changes nothing on the disk
	uint64_t last_number; // ever seen or tried
	uint64_t last_activated;
	// Files that may not say what this list says, after a write that failed; and, since names that
	// were not synced come back with the power, whether that is so for the folder as a whole.
	uint64_t doubtful[DOUBTFUL_MAX];
	size_t doubtful_count;
	uint64_t unproven; // the newest found, until its bytes are known to be on the disk; 0: none
	bool is_in_doubt;
};

struct staged {
	struct entry entry;
	struct draft *draft;
};

struct numbers {
	struct generations *owner;
	uint64_t *items;
	size_t n;
	char **stale; // left-over temporary files
	size_t stale_count;
};

static char *path_of(const struct generations *generations, uint64_t number) {
	return xasprintf("%s/%08" PRIu64 ".conf", generations->folder, number);
}

static bool is_in_force(const struct entry *entry) {
	return entry->on_disk == VERDICT_ACTIVE || entry->on_disk == VERDICT_PENDING;
}

// The entry in force with the highest count below `limit`, or NULL.
static struct entry *newest_in_force(const struct generations *generations, uint64_t limit) {
	struct entry *newest = NULL;
	for (size_t i = 0; i < generations->n; i++) {
		struct entry *entry = generations->items[i];
		if (is_in_force(entry) && entry->activated < limit &&
			(!newest || entry->activated > newest->activated)) {
			newest = entry;
		}
	}
	return newest;
}

static void show_verdicts(struct generations *generations) {
	const struct entry *newest = newest_in_force(generations, UINT64_MAX);
	for (size_t i = 0; i < generations->n; i++) {
		struct entry *entry = generations->items[i];
		bool is_past = is_in_force(entry) && entry != newest;
		entry->public.verdict = is_past ? VERDICT_GOOD : entry->on_disk;
	}
}

// No links, no pipes: a file of ours is a plain file.
static int open_file(const struct generations *generations, const char *path) {
	return generations->fs->open(
		generations->fs, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
}

// The first line of a file, if it is whole and the rest has the length it tells.
static bool read_header(struct generations *generations, uint64_t number, struct entry *out) {
	char text[GENERATION_HEADER_MAX];
	_cleanup_(freep) char *path = path_of(generations, number);
	struct fs_stat stat;
	int fd = open_file(generations, path);
	if (fd < 0) {
		return false;
	}
	ssize_t n = fs_read_all(generations->fs, fd, text, sizeof(text), 0);
	(void)generations->fs->close(generations->fs, fd); // only read
	struct str line = str_range(text, n < 0 ? 0 : (size_t)n);
	ptrdiff_t end = str_find_char(line, '\n');
	struct entry entry;
	if (end < 0 || !entry_parse(str_head(line, (size_t)end), number, &entry) ||
		generations->fs->stat(generations->fs, path, &stat) < 0 ||
		entry.body_bytes > GENERATION_BODY_MAX ||
		stat.size != (int64_t)((size_t)end + 1 + entry.body_bytes)) {
		return false;
	}
	*out = entry;
	return true;
}

static struct entry *find_entry(const struct generations *generations, uint64_t number) {
	for (size_t i = generations->n; i > 0; i--) {
		if (generations->items[i - 1]->public.number == number) {
			return generations->items[i - 1];
		}
	}
	return NULL;
}

static void add_number(void *arg, const char *name) {
	struct numbers *numbers = arg;
	struct str digits = str_from(name);
	bool is_aside = str_ends(digits, STR(".conf" ASIDE)); // only its number counts
	bool is_stale = str_ends(digits, STR(".conf.tmp"));
	struct str suffix = is_aside ? STR(".conf" ASIDE)
		: is_stale	     ? STR(".conf.tmp")
				     : STR(".conf");
	uint64_t number;
	if (!str_ends(digits, suffix) || digits.len - suffix.len < 8) {
		return;
	}
	digits.len -= suffix.len;
	if (!str_to_uint64(digits, &number) || number == 0 || number > NUMBER_MAX) {
		return;
	}
	if (number > numbers->owner->last_number) {
		numbers->owner->last_number = number;
	}
	if (is_stale && numbers->stale_count < KEPT) {
		numbers->stale = xreallocarray(
			numbers->stale, numbers->stale_count + 1, sizeof(*numbers->stale));
		numbers->stale[numbers->stale_count++] = xasprintf(
			"%s/%s", numbers->owner->folder, name);
	} else if (!is_stale && !is_aside) {
		numbers->items = xreallocarray(
			numbers->items, numbers->n + 1, sizeof(*numbers->items));
		numbers->items[numbers->n++] = number;
	}
}

static int compare_numbers(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void keep(struct generations *generations, const struct entry *entry) {
	struct entry *kept = xmalloc(sizeof(*kept));
	*kept = *entry;
	kept->public.author = kept->author;
	kept->public.writer = kept->writer;
	generations->items = xreallocarray(
		generations->items, generations->n + 1, sizeof(struct entry *));
	generations->items[generations->n++] = kept;
	if (kept->activated > generations->last_activated) {
		generations->last_activated = kept->activated;
	}
}

// What is below the first line on the disk, with its checksum verified.
static bool read_body(struct generations *generations, const struct entry *entry, struct buf *out,
	struct err *err) {
	_cleanup_(freep) char *path = path_of(generations, entry->public.number);
	int fd = open_file(generations, path);
	if (fd < 0) {
		errno = -fd;
		return err_errno(err, "cannot open %s", path);
	}
	char header[GENERATION_HEADER_MAX];
	ssize_t head = fs_read_all(generations->fs, fd, header, sizeof(header), 0);
	ptrdiff_t end = str_find_char(str_range(header, head < 0 ? 0 : (size_t)head), '\n');
	ssize_t n = -EIO;
	if (end >= 0) {
		char *at = buf_reserve(out, entry->body_bytes);
		n = fs_read_all(generations->fs, fd, at, entry->body_bytes, end + 1);
	}
	(void)generations->fs->close(generations->fs, fd); // only read
	if (n < 0 || (size_t)n != entry->body_bytes ||
		crc32c(0, out->at, entry->body_bytes) != entry->body_crc) {
		return err_set(err, ERR_STORAGE,
			"configuration generation %" PRIu64
			" is damaged (%s); choose another: annactl config history",
			entry->public.number, path);
	}
	out->len += (size_t)n;
	return true;
}

static bool has_whole_body(struct generations *generations, const struct entry *entry) {
	struct buf body = BUF_INIT;
	bool is_whole = read_body(generations, entry, &body, NULL);
	buf_finish(&body);
	return is_whole;
}

// Writes the bytes of a file once more as they are, and syncs them. What a process that ended has left
// may be in the kernel's memory only, and after a sync that failed never come to the disk.
static bool prove(struct generations *generations, uint64_t number) {
	struct fs *fs = generations->fs;
	_cleanup_(freep) char *path = path_of(generations, number);
	_cleanup_(buf_finish) struct buf bytes = BUF_INIT;
	if (!fs_read_file(fs, path, GENERATION_HEADER_MAX + GENERATION_BODY_MAX, &bytes, NULL)) {
		return false;
	}
	int fd = fs->open(fs, path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0) {
		return false;
	}
	bool is_proven = fs_write_all(fs, fd, bytes.at, bytes.len, 0) >= 0 && fs->sync(fs, fd) >= 0;
	return fs->close(fs, fd) >= 0 && is_proven;
}

static void put_aside(struct generations *generations, const char *path) {
	_cleanup_(freep) char *aside = xasprintf("%s" ASIDE, path);
	if (!generations->is_reader) {
		(void)generations->fs->rename(
			generations->fs, path, aside); // or the next start does
	}
}

// The power may have gone while the newest was written: then its first line may be whole and its texts
// torn. It is put aside, or it would be one of the good ones as soon as another is the newest.
static void load_one(struct generations *generations, uint64_t number, bool is_newest,
	struct problems *problems) {
	struct entry entry;
	_cleanup_(freep) char *path = path_of(generations, number);
	struct place place = {path, 0, 0};
	if (!read_header(generations, number, &entry)) {
		if (problems) {
			problems_warn(problems, place,
				"configuration generation %" PRIu64
				" is damaged or cannot be read; it is left out of the history",
				number);
		}
		return;
	}
	if (is_newest && !has_whole_body(generations, &entry)) {
		put_aside(generations, path);
		if (problems) {
			problems_warn(problems, place,
				"configuration generation %" PRIu64
				" was cut short by a power loss, or is damaged; it is left out of "
				"the "
				"history, its file now ends in " ASIDE,
				number);
		}
		return;
	}
	keep(generations, &entry);
	if (is_newest && !generations->is_reader && !prove(generations, number)) {
		generations->unproven = number;
	}
}

static void load(
	struct generations *generations, struct numbers *numbers, struct problems *problems) {
	if (numbers->n) {
		qsort(numbers->items, numbers->n, sizeof(*numbers->items), compare_numbers);
	}
	size_t first = numbers->n > LISTED_MAX ? numbers->n - LISTED_MAX : 0;
	for (size_t i = first; i < numbers->n; i++) {
		if (i > 0 && numbers->items[i] == numbers->items[i - 1]) {
			continue; // 00000007.conf and 000000007.conf
		}
		load_one(generations, numbers->items[i], i + 1 == numbers->n, problems);
	}
	for (size_t i = 0; i < numbers->stale_count; i++) {
		if (!generations->is_reader) {
			(void)generations->fs->unlink(
				generations->fs, numbers->stale[i]); // tidying
		}
		free(numbers->stale[i]);
	}
	free(numbers->stale);
	free(numbers->items);
}

// The folder itself must not be a link to somewhere else.
static bool check_folder(struct generations *generations, struct err *err) {
	int fd = generations->fs->open(
		generations->fs, generations->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd >= 0) {
		(void)generations->fs->close(generations->fs, fd); // only looked at
	}
	if (fd == -ELOOP || fd == -ENOTDIR) {
		return err_set(err, ERR_STORAGE,
			"%s is not a folder but a link or a file; move it away: it is Anna's own",
			generations->folder);
	}
	return true;
}

static struct generations *open_list(struct fs *fs, const char *state_folder, bool is_reader,
	struct problems *problems, struct err *err) {
	struct generations *generations = xcalloc(1, sizeof(*generations));
	generations->fs = fs;
	generations->is_reader = is_reader;
	generations->folder = xasprintf("%s/generations", state_folder);
	struct numbers numbers = {.owner = generations};
	bool is_open = (is_reader || fs_make_directories(fs, generations->folder, err)) &&
		check_folder(generations, err);
	if (is_open) {
		int status = fs->list(fs, generations->folder, add_number, &numbers);
		errno = -status;
		is_open = status >= 0 ||
			err_errno(err, "cannot list the folder %s", generations->folder);
	}
	if (is_open) {
		load(generations, &numbers, problems);
		show_verdicts(generations);
		// A name that the last process could not sync is seen, and may yet be lost.
		bool is_synced = is_reader || fs->sync_directory(fs, generations->folder) >= 0;
		generations->is_in_doubt = !is_synced || generations->unproven;
		if (generations->is_in_doubt && problems) {
			problems_warn(problems, (struct place){generations->folder, 0, 0},
				"the folder, or the newest configuration generation in it, cannot "
				"be "
				"synced; that generation may be lost with the power");
		}
		return generations;
	}
	generations_close(generations);
	return NULL;
}

struct generations *generations_open(
	struct fs *fs, const char *state_folder, struct problems *problems, struct err *err) {
	return open_list(fs, state_folder, false, problems, err);
}

struct generations *generations_look(
	struct fs *fs, const char *state_folder, struct problems *problems, struct err *err) {
	return open_list(fs, state_folder, true, problems, err);
}

size_t generations_count(const struct generations *generations) {
	return generations->n;
}

const struct generation *generations_get(const struct generations *generations, size_t i) {
	return i < generations->n ? &generations->items[i]->public : NULL;
}

const struct generation *generations_find(const struct generations *generations, uint64_t number) {
	struct entry *entry = find_entry(generations, number);
	return entry ? &entry->public : NULL;
}

const struct generation *generations_find_hash(
	const struct generations *generations, const char *hash) {
	for (size_t i = generations->n; i > 0; i--) {
		if (strcmp(generations->items[i - 1]->public.hash, hash) == 0) {
			return &generations->items[i - 1]->public;
		}
	}
	return NULL;
}

static const struct entry *newest_good(const struct generations *generations) {
	for (size_t i = generations->n; i > 0; i--) {
		if (generations->items[i - 1]->public.verdict == VERDICT_GOOD) {
			return generations->items[i - 1];
		}
	}
	return NULL;
}

const struct generation *generations_active(
	const struct generations *generations, int64_t now_wall_ns) {
	const struct entry *entry = newest_in_force(generations, UINT64_MAX);
	while (entry && entry->on_disk == VERDICT_PENDING &&
		now_wall_ns >= entry->public.confirm_by_ns) {
		const struct entry *previous = find_entry(generations, entry->public.previous);
		bool is_usable = previous && previous->on_disk != VERDICT_UNDONE &&
			previous->on_disk != VERDICT_REJECTED &&
			previous->activated < entry->activated;
		entry = is_usable ? previous : newest_in_force(generations, entry->activated);
	}
	entry = entry ? entry : newest_good(generations);
	return entry ? &entry->public : NULL;
}

static bool replace_entry(struct generations *generations, const struct entry *entry,
	struct str body, struct err *err) {
	_cleanup_(freep) char *path = path_of(generations, entry->public.number);
	_cleanup_(buf_finish) struct buf text = BUF_INIT;
	entry_format(entry, &text);
	buf_append_str(&text, body);
	return draft_replace(generations->fs, path, buf_str(&text), err);
}

// Makes the file of a generation say what the list says of it: nothing, or its verdict.
static bool settle_one(struct generations *generations, uint64_t number) {
	const struct entry *entry = find_entry(generations, number);
	struct entry found;
	if (!entry) {
		_cleanup_(freep) char *path = path_of(generations, number);
		int status = generations->fs->unlink(generations->fs, path);
		return status >= 0 || status == -ENOENT;
	}
	if (read_header(generations, number, &found) && found.on_disk == entry->on_disk &&
		found.activated == entry->activated) {
		return true;
	}
	_cleanup_(buf_finish) struct buf body = BUF_INIT;
	return read_body(generations, entry, &body, NULL) &&
		replace_entry(generations, entry, buf_str(&body), NULL);
}

// After a write that failed: what is on the disk may be the new, though the answer is no. Takes it
// back for good, or leaves it in doubt until the next try.
static bool settle(struct generations *generations) {
	size_t left = 0;
	for (size_t i = 0; i < generations->doubtful_count; i++) {
		if (!settle_one(generations, generations->doubtful[i])) {
			generations->doubtful[left++] = generations->doubtful[i];
		}
	}
	generations->doubtful_count = left;
	if (generations->unproven && prove(generations, generations->unproven)) {
		generations->unproven = 0;
	}
	int status = generations->fs->sync_directory(generations->fs, generations->folder);
	generations->is_in_doubt = left > 0 || generations->unproven || status < 0;
	return !generations->is_in_doubt;
}

bool generations_in_doubt(const struct generations *generations) {
	return generations->is_in_doubt;
}

static void forget_doubt(struct generations *generations, uint64_t number) {
	size_t left = 0;
	for (size_t i = 0; i < generations->doubtful_count; i++) {
		if (generations->doubtful[i] != number) {
			generations->doubtful[left++] = generations->doubtful[i];
		}
	}
	generations->doubtful_count = left;
}

static bool fail_to_keep(uint64_t number, const char *more, struct err *err) {
	(void)err_prefix(
		err, "configuration generation %" PRIu64 " could not be kept%s", number, more);
	return false;
}

// Room to be in doubt about one more.
static bool check_doubt(struct generations *generations, struct err *err) {
	return generations->doubtful_count < DOUBTFUL_MAX || settle(generations) ||
		err_set(err, ERR_STORAGE,
			"earlier configuration generations could not be taken back yet in %s",
			generations->folder);
}

// After the file of a generation was written, or was not.
static bool conclude_write(
	struct generations *generations, uint64_t number, bool is_written, struct err *err) {
	forget_doubt(generations, number);
	if (is_written) {
		// Its file is as wanted, though the list will say so only in a moment.
		bool is_unsettled = generations->doubtful_count > 0 || generations->unproven;
		generations->is_in_doubt = is_unsettled && !settle(generations);
		return true;
	}
	generations->doubtful[generations->doubtful_count++] = number;
	return fail_to_keep(number,
		settle(generations) ? "" : ", and may be found after a restart all the same", err);
}

void generations_close(struct generations *generations) {
	if (!generations) {
		return;
	}
	if (generations->is_in_doubt) {
		(void)settle(generations); // the last chance; the start after this one looks again
	}
	for (size_t i = 0; i < generations->n; i++) {
		free(generations->items[i]);
	}
	free(generations->items);
	free(generations->folder);
	free(generations);
}

static bool is_needed(const struct generations *generations, const struct entry *entry) {
	const struct entry *newest = newest_in_force(generations, UINT64_MAX);
	return entry == newest || entry == newest_good(generations) ||
		(newest && newest->public.previous == entry->public.number);
}

static void remove_oldest(struct generations *generations) {
	for (size_t i = 0; generations->n > KEPT && i < generations->n;) {
		struct entry *entry = generations->items[i];
		_cleanup_(freep) char *path = path_of(generations, entry->public.number);
		int status = is_needed(generations, entry)
			? -EBUSY
			: generations->fs->unlink(generations->fs, path);
		if (status < 0 && status != -ENOENT) {
			i++; // the next change tries again
			continue;
		}
		free(entry);
		generations->n--;
		memmove(&generations->items[i], &generations->items[i + 1],
			(generations->n - i) * sizeof(struct entry *));
	}
}

struct staged *generations_stage(struct generations *generations, const struct config_files *files,
	const struct generation *wanted, struct err *err) {
	if (!check_doubt(generations, err)) {
		return NULL;
	}
	struct buf body = BUF_INIT;
	body_format(files, &body);
	struct staged *staged = xmalloc(sizeof(*staged));
	struct entry *entry = &staged->entry;
	*entry = (struct entry){.public = *wanted,
		.on_disk = wanted->verdict,
		.body_bytes = body.len,
		.body_crc = crc32c(0, body.at, body.len)};
	entry_set_author(entry, str_from(wanted->author));
	entry_set_writer(entry, STR(ANNA_VERSION));
	memcpy(entry->public.hash, files->hash, sizeof(entry->public.hash));
	entry->public.number = ++generations->last_number;
	entry->activated = is_in_force(entry) ? ++generations->last_activated : 0;
	_cleanup_(freep) char *path = path_of(generations, entry->public.number);
	_cleanup_(buf_finish) struct buf head = BUF_INIT;
	entry_format(entry, &head);
	staged->draft = draft_begin(generations->fs, path, buf_str(&head), buf_str(&body), err);
	buf_finish(&body);
	if (!staged->draft) {
		(void)fail_to_keep(entry->public.number, "", err);
		generations_drop(generations, staged);
		return NULL;
	}
	return staged;
}

// Its number comes again: the file never had it for a name.
void generations_drop(struct generations *generations, struct staged *staged) {
	if (staged) {
		draft_drop(staged->draft);
		assert(generations->last_number == staged->entry.public.number);
		generations->last_number--;
		free(staged);
	}
}

bool generations_put(struct generations *generations, struct staged *staged,
	const struct generation **out, struct err *err) {
	// The number is used up even when this fails: what failed may be on the disk all the same.
	bool is_written = draft_commit(staged->draft, err);
	is_written = conclude_write(generations, staged->entry.public.number, is_written, err);
	if (is_written) {
		keep(generations, &staged->entry);
		show_verdicts(generations);
		struct entry *kept = generations->items[generations->n - 1];
		remove_oldest(generations);
		if (out) {
			*out = &kept->public;
		}
	}
	free(staged);
	return is_written;
}

bool generations_add(struct generations *generations, const struct config_files *files,
	const struct generation *wanted, const struct generation **out, struct err *err) {
	struct staged *staged = generations_stage(generations, files, wanted, err);
	return staged && generations_put(generations, staged, out, err);
}

static bool find_or_fail(
	struct generations *generations, uint64_t number, struct entry **out, struct err *err) {
	*out = find_entry(generations, number);
	return *out ||
		err_set(err, ERR_NOT_FOUND,
			"there is no configuration generation %" PRIu64
			"; annactl config history lists them",
			number);
}

bool generations_set_verdict(
	struct generations *generations, uint64_t number, enum verdict verdict, struct err *err) {
	struct entry *entry;
	if (!find_or_fail(generations, number, &entry, err)) {
		return false;
	}
	assert(verdict != VERDICT_PENDING);
	struct entry changed = *entry;
	changed.on_disk = verdict;
	if (verdict == VERDICT_ACTIVE) {
		changed.activated = ++generations->last_activated;
		changed.public.confirm_by_ns = 0;
		changed.public.previous = 0;
	}
	struct buf body = BUF_INIT;
	bool is_read = check_doubt(generations, err) && read_body(generations, entry, &body, err);
	bool is_written = is_read && replace_entry(generations, &changed, buf_str(&body), err);
	buf_finish(&body);
	is_written = is_read && conclude_write(generations, number, is_written, err);
	if (is_written) {
		*entry = changed;
		entry->public.author = entry->author;
		entry->public.writer = entry->writer;
		show_verdicts(generations);
	}
	return is_written;
}

bool generations_read(struct generations *generations, uint64_t number, struct config_files *out,
	struct err *err) {
	struct entry *entry;
	struct buf body = BUF_INIT;
	bool is_read = find_or_fail(generations, number, &entry, err) &&
		read_body(generations, entry, &body, err) &&
		body_parse(buf_str(&body), entry, out, err);
	buf_finish(&body);
	if (is_read) {
		out->fs = generations->fs;
	}
	return is_read;
}
