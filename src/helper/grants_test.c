// SPDX-License-Identifier: Apache-2.0
// What is believed of what root has written, in real folders; and what each verb makes of it.
#include "helper/grants.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/toml.h"
#include "helper/verb.h"
#include "tests/check.h"

struct fixture {
	char folder[64];
	struct arena *arena;
	struct grants grants;
	struct problems problems;
	struct err err;
};

static void setup(struct fixture *f) {
	*f = (struct fixture){.arena = arena_create(), .err = ERR_INIT};
	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/anna-grants-XXXXXX");
	CHECK(mkdtemp(f->folder));
}

static int remove_entry(const char *path, const struct stat *stat_now, int flag, struct FTW *walk) {
	(void)stat_now;
	(void)flag;
	(void)walk;
	return remove(path);
}

static void teardown(struct fixture *f) {
	problems_finish(&f->problems);
	arena_destroy(f->arena);
	CHECK_INT(nftw(f->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static const char *path_of(struct fixture *f, const char *name) {
	return arena_printf(f->arena, "%s/%s", f->folder, name);
}

static void put(struct fixture *f, const char *name, const char *text) {
	FILE *file = fopen(path_of(f, name), "w");
	CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
	CHECK_INT(chmod(path_of(f, name), 0644), 0);
}

static bool read_it(struct fixture *f) {
	return grants_read(f->folder, f->arena, &f->grants, &f->problems, &f->err);
}

#define GOOD \
	"[[commands]]\nname = \"renew\"\nargv = [\"/bin/true\", \"now\"]\nuser = \"nobody\"\n" \
	"[[units]]\nunit = \"web*.service\"\ndo = [\"restart\", \"reload\"]\n"

TEST(files_of_roots_own_are_granted_in_the_order_of_their_names) {
	struct fixture f;
	setup(&f);
	put(&f, "b.toml", "[[commands]]\nname = \"second\"\nargv = [\"/bin/true\"]\n");
	put(&f, "a.toml", GOOD);
	put(&f, "notes.txt", "not read");
	CHECK(read_it(&f));
	CHECK_INT(f.problems.n, 0);
	CHECK_INT(f.grants.command_count, 2);
	CHECK_STR(f.grants.commands[0].name, "renew");
	CHECK_STR(f.grants.commands[1].user, "root");
	CHECK_INT(f.grants.unit_count, 1);
	teardown(&f);
}

TEST(a_folder_that_is_not_there_grants_nothing) {
	struct fixture f;
	setup(&f);
	CHECK(grants_read(path_of(&f, "none"), f.arena, &f.grants, &f.problems, &f.err));
	CHECK_INT(f.grants.command_count, 0);
	teardown(&f);
}

TEST(a_file_others_could_write_or_a_link_grants_nothing_and_says_so) {
	struct fixture f;
	setup(&f);
	put(&f, "loose.toml", GOOD);
	CHECK_INT(chmod(path_of(&f, "loose.toml"), 0664), 0);
	put(&f, "real", GOOD);
	CHECK_INT(symlink("real", path_of(&f, "link.toml")), 0);
	CHECK_INT(mkfifo(path_of(&f, "pipe.toml"), 0600), 0);
	CHECK(read_it(&f));
	CHECK_INT(f.grants.command_count, 0);
	CHECK_INT(f.problems.errors, 3);
	teardown(&f);
}

TEST(a_folder_others_could_write_is_refused) {
	struct fixture f;
	setup(&f);
	put(&f, "a.toml", GOOD);
	CHECK_INT(chmod(f.folder, 0770), 0);
	CHECK(!read_it(&f));
	CHECK_INT(f.err.code, ERR_DENIED);
	teardown(&f);
}

TEST(a_file_with_one_mistake_grants_nothing_of_it) {
	static const char *const texts[] = {
		GOOD "[[units]]\nunit = \"x.service\"\ndo = [\"mask\"]\n",
		GOOD "[[commands]]\nname = \"relative\"\nargv = [\"true\"]\n",
		GOOD "[[comands]]\n",
		GOOD "[[",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct fixture f;
		setup(&f);
		put(&f, "a.toml", texts[i]);
		CHECK(read_it(&f));
		CHECK_INT(f.grants.command_count, 0);
		CHECK_INT(f.grants.unit_count, 0);
		CHECK(f.problems.errors > 0);
		CHECK_TEXT(f.problems.items[0].file, "a.toml");
		teardown(&f);
	}
}

TEST(a_program_in_a_place_others_could_write_to_is_not_roots_own) {
	struct fixture f;
	setup(&f);
	put(&f, "program", "#!/bin/sh\n");
	CHECK(grants_is_roots_own(path_of(&f, "program"), &f.err));
	CHECK_INT(chmod(f.folder, 0777), 0);
	CHECK(!grants_is_roots_own(path_of(&f, "program"), &f.err));
	CHECK_INT(f.err.code, ERR_DENIED);
	CHECK(!grants_is_roots_own("/nonexistent/program", &f.err));
	CHECK_INT(f.err.code, ERR_NOT_FOUND);
	teardown(&f);
}

// The command a verb makes of a request, or NULL with f->err.
static const char *prepare(struct fixture *f, const char *verb, const char *params) {
	struct helper_command command;
	struct buf line = BUF_INIT;
	for (size_t i = 0; verb_table[i]; i++) {
		const struct verb *found = verb_table[i];
		if (strcmp(found->name, verb) != 0) {
			continue;
		}
		struct option_reader reader = {.arena = f->arena, .problems = &f->problems};
		void *filled = arena_array(f->arena, 1, found->params_size);
		const struct value *table = toml_parse(
			f->arena, "params", str_from(params), &f->problems);
		CHECK(option_fill(&reader, found->params, table, (struct place){0}, filled));
		f->err = (struct err)ERR_INIT;
		if (!found->prepare(found, filled, &f->grants, f->arena, &command, &f->err)) {
			return NULL;
		}
		for (size_t k = 0; command.argv[k]; k++) {
			buf_appendf(&line, "%s%s", k ? " " : "", command.argv[k]);
		}
		buf_appendf(&line, " as %s", command.user ? command.user : "root");
	}
	const char *text = arena_copy(f->arena, buf_str(&line));
	buf_finish(&line);
	return text;
}

TEST(a_unit_is_controlled_only_by_a_granted_verb_and_never_by_a_pattern) {
	struct fixture f;
	setup(&f);
	put(&f, "a.toml", GOOD);
	CHECK(read_it(&f));
	CHECK_TEXT(prepare(&f, "unit.control", "unit = \"web-1.service\"\ndo = \"restart\""),
		"/usr/bin/systemctl --no-ask-password restart -- web-1.service as root");
	CHECK(!prepare(&f, "unit.control", "unit = \"web-1.service\"\ndo = \"stop\""));
	CHECK_INT(f.err.code, ERR_DENIED);
	CHECK(!prepare(&f, "unit.control", "unit = \"ssh.service\"\ndo = \"restart\""));
	CHECK_INT(f.err.code, ERR_DENIED);
	static const char *const bad[] = {"web*.service", "-h.service", "web",
		"web.service x.service", "web/../x.service", "web.", "web\\u0000.service"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char params[128];
		(void)snprintf(params, sizeof(params), "unit = \"%s\"\ndo = \"restart\"", bad[i]);
		CHECK(!prepare(&f, "unit.control", params));
		CHECK_INT(f.err.code, ERR_INVALID);
	}
	teardown(&f);
}

TEST(a_command_is_run_as_it_was_granted_and_no_other) {
	struct fixture f;
	setup(&f);
	put(&f, "a.toml", GOOD);
	CHECK(read_it(&f));
	CHECK_TEXT(prepare(&f, "command.run", "name = \"renew\""), "/bin/true now as nobody");
	CHECK(!prepare(&f, "command.run", "name = \"rene\""));
	CHECK_INT(f.err.code, ERR_DENIED);
	teardown(&f);
}

TEST(smart_is_read_of_disks_only) {
	struct fixture f;
	setup(&f);
	static const char *const bad[] = {"../sda", "sda;x", "null", "SDA", "tty0"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char params[64];
		(void)snprintf(params, sizeof(params), "device = \"%s\"", bad[i]);
		CHECK(!prepare(&f, "smart.read", params));
		CHECK_INT(f.err.code, ERR_INVALID);
	}
	CHECK(!prepare(&f, "smart.read", "device = \"sdzzz9\""));
	CHECK_INT(f.err.code, ERR_NOT_FOUND);
	teardown(&f);
}

int main(void) {
	return TESTS(RUN(files_of_roots_own_are_granted_in_the_order_of_their_names),
		RUN(a_folder_that_is_not_there_grants_nothing),
		RUN(a_file_others_could_write_or_a_link_grants_nothing_and_says_so),
		RUN(a_folder_others_could_write_is_refused),
		RUN(a_file_with_one_mistake_grants_nothing_of_it),
		RUN(a_program_in_a_place_others_could_write_to_is_not_roots_own),
		RUN(a_unit_is_controlled_only_by_a_granted_verb_and_never_by_a_pattern),
		RUN(a_command_is_run_as_it_was_granted_and_no_other),
		RUN(smart_is_read_of_disks_only));
}
