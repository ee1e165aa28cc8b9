// SPDX-License-Identifier: Apache-2.0
// argv as text that may be shown: one line, no control characters, and nothing that looks like a
// secret. A value is hidden when the word before it, or the part before its '=' or ':', contains
// one of the words below; when it stands between "://" and '@'; and after the few short options
// that are known to take a password. What a program calls otherwise cannot be known: the option
// `arguments` switches all of them off.
#include "sources/processes.h"

#include <ctype.h>

#include "sources/text.h"

#define HIDDEN "***"
#define WORD_MAX 256 // bytes of one word that are looked at for names

static const char *const secret_words[] = {
	"pass", "pwd", "token", "secret", "key", "credential", "auth", "bearer", "cookie"};

// Programs whose short option is followed by a password, in the same word or in the next.
static const struct {
	const char *program, *option;
} short_options[] = {{"mysql", "-p"}, {"mariadb", "-p"}, {"sshpass", "-p"}, {"redis-cli", "-a"},
	{"curl", "-u"}, {"ldapsearch", "-w"}, {"smbclient", "-U"}, {"sqlcmd", "-P"}};

static bool names_secret(struct str name) {
	char lower[WORD_MAX];
	size_t n = name.len < WORD_MAX ? name.len : WORD_MAX;
	for (size_t i = 0; i < n; i++) {
		lower[i] = (char)tolower((unsigned char)name.at[i]);
	}
	for (size_t i = 0; i < sizeof(secret_words) / sizeof(secret_words[0]); i++) {
		if (str_find(str_range(lower, n), str_from(secret_words[i])) >= 0) {
			return true;
		}
	}
	return false;
}

static const char *short_option_of(struct str program) {
	ptrdiff_t slash;
	while ((slash = str_find_char(program, '/')) >= 0) {
		program = str_skip(program, (size_t)slash + 1);
	}
	for (size_t i = 0; i < sizeof(short_options) / sizeof(short_options[0]); i++) {
		if (str_starts(program, str_from(short_options[i].program))) {
			return short_options[i].option;
		}
	}
	return NULL;
}

// "--password=x", "PGPASSWORD=x", "http://h/?token=x", "Authorization:": where the value begins, or
// 0.
static size_t value_start(struct str word) {
	size_t name = 0;
	for (size_t i = 0; i < word.len; i++) {
		if (!memchr("=:&?;,", word.at[i], 6)) {
			continue;
		}
		if ((word.at[i] == '=' || word.at[i] == ':') &&
			names_secret(str_range(word.at + name, i - name))) {
			return i + 1;
		}
		name = i + 1;
	}
	return 0;
}

// Appends a word without the "user:password" of "scheme://user:password@host".
static void append_address(struct buf *out, struct str word) {
	ptrdiff_t begin = str_find(word, STR("://"));
	ptrdiff_t end = begin < 0 ? -1 : str_find_char(str_skip(word, (size_t)begin + 3), '@');
	if (end < 0) {
		clean_text(out, word);
		return;
	}
	clean_text(out, str_head(word, (size_t)begin + 3));
	buf_append_text(out, HIDDEN);
	clean_text(out, str_skip(word, (size_t)begin + 3 + (size_t)end));
}

// What the words so far say of the next.
struct masking {
	const char *short_option; // of this program, or NULL
	bool hides_next;
};

// One word of an argument; false: all that is left of this argument is hidden.
static bool append_word(struct buf *out, struct masking *masking, struct str word) {
	size_t value = value_start(word);
	struct str option = str_from(masking->short_option);
	if (value) {
		clean_text(out, str_head(word, value));
		buf_append_text(out, HIDDEN);
		// "Authorization: Bearer x": the value is in the words that follow.
		masking->hides_next = value == word.len;
		return false;
	}
	if (option.len && str_starts(word, option)) {
		clean_text(out, option);
		buf_append_text(out, word.len > option.len ? HIDDEN : "");
		masking->hides_next = word.len == option.len;
		return true;
	}
	append_address(out, word);
	masking->hides_next = word.len > 1 && word.at[0] == '-' && names_secret(word) &&
		str_find_char(word, '=') < 0;
	return true;
}

// An argument may hold a whole command line (sh -c), or a title the program gave itself.
static void append_argument(struct buf *out, struct masking *masking, struct str argument) {
	struct str word;
	bool is_first = true;
	if (masking->hides_next) {
		buf_append_text(out, HIDDEN);
		masking->hides_next = false;
		return;
	}
	while (argument.at && str_split(&argument, ' ', &word)) {
		buf_append_text(out, is_first ? "" : " ");
		is_first = false;
		if (masking->hides_next) {
			buf_append_text(out, HIDDEN); // and what follows: it may be one quoted text
			masking->hides_next = false;
			return;
		}
		if (!append_word(out, masking, word)) {
			masking->hides_next = masking->hides_next && !argument.at;
			return;
		}
	}
}

// Cuts at the limit, between two characters.
static void cut(struct buf *text, size_t limit) {
	if (text->len <= limit) {
		return;
	}
	while (limit > 0 && ((unsigned char)text->at[limit] & 0xc0) == 0x80) {
		limit--;
	}
	text->len = limit;
	text->at[limit] = '\0';
}

void process_command_format(struct buf *out, struct str argv, bool with_arguments) {
	struct buf line = BUF_INIT;
	struct str argument;
	struct masking masking = {NULL, false};
	bool is_first = true;
	while (argv.len && argv.at[argv.len - 1] == '\0') {
		argv.len--; // the end of the last, and what a program blanked out
	}
	while (argv.len && argv.at && line.len < COMMAND_MAX && str_split(&argv, '\0', &argument)) {
		if (is_first) {
			masking.short_option = short_option_of(argument);
		}
		buf_append_text(&line, is_first ? "" : " ");
		is_first = false;
		append_argument(&line, &masking, argument);
		if (!with_arguments) {
			break;
		}
	}
	if (!with_arguments) {
		// A program's own title ("postgres: user database") is one argument.
		ptrdiff_t blank = str_find_char(buf_str(&line), ' ');
		cut(&line, blank >= 0 ? (size_t)blank : line.len);
	}
	cut(&line, COMMAND_MAX);
	buf_append_str(out, buf_str(&line));
	buf_finish(&line);
}
