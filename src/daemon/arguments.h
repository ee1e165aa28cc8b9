// SPDX-License-Identifier: Apache-2.0
// What annad was called with, and the places that follow from it.
#pragma once

#include "base/err.h"
#include "base/log.h"

enum arguments_verb {
	VERB_RUN,
	VERB_CHECK,   // --check: read the config, say what is wrong, exit 0 or 5
	VERB_SHOW,    // --show default|schema: print and exit
	VERB_HELPER,  // --helper: be the second process (helper/helper.h)
	VERB_VERSION, // --version
	VERB_HELP     // --help
};

// All texts are owned; free with arguments_finish.
struct arguments {
	enum arguments_verb verb;
	char *config_path;    // NULL: there is none
	bool config_is_named; // by --config: it must exist
	bool has_no_config;   // --config none
	char *state_folder;
	char *socket_path;
	char *http;    // NULL: as the config says
	char *show;    // of --show
	char *sysroot; // "" by default
	char *grants;  // of --helper: the folder with what root has granted
	char *user;    // of --helper: who may ask, beside root
	bool is_json;  // --check --json
	bool has_log_level;
	enum log_level log_level;
	bool has_log_format;
	enum log_format log_format;
};

// False with *err (usage: exit 2) when the command line is not understood. Reads the environment
// for the XDG folders: as root /etc/anna, /var/lib/anna and /run/anna, else the user's own.
_must_use_ bool arguments_parse(int argc, char **argv, struct arguments *out, struct err *err);
void arguments_finish(struct arguments *arguments);
// The text of --help.
extern const char arguments_help[];
