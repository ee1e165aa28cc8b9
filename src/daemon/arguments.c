// SPDX-License-Identifier: Apache-2.0
// The command line of annad; see arguments.h.
#include "daemon/arguments.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "helper/helper.h"

const char arguments_help[] =
	"annad - looks after this machine and what runs on it\n"
	"\n"
	"usage: annad [options]            run in the foreground\n"
	"       annad --check [--json]     check the configuration, change nothing\n"
	"       annad --show default       print a commented sample configuration\n"
	"       annad --show schema        print every option, event and error as JSON\n"
	"       annad --show formats       print which formats she writes to disk, as JSON\n"
	"       annad --helper             be the helper, as root: does what commands.d grants\n"
	"\n"
	"  --config FILE       the configuration (default: /etc/anna/config.toml as root,\n"
	"                      $XDG_CONFIG_HOME/anna/config.toml else; conf.d/*.toml and\n"
	"                      policies.d/*.yaml beside it), or none: every option has its "
	"default\n"
	"  --state-dir FOLDER  journal, generations, state (default: /var/lib/anna, or\n"
	"                      $XDG_STATE_HOME/anna)\n"
	"  --socket PATH       where annactl reaches it (default: /run/anna/annad.sock, or\n"
	"                      $XDG_RUNTIME_DIR/anna/annad.sock)\n"
	"  --http ADDR:PORT    the HTTP listener, or off\n"
	"  --log-level LEVEL   debug, info, warn or error\n"
	"  --log-format FORMAT text or json (journald when started by systemd)\n"
	"  --sysroot FOLDER    read proc/ and sys/ below this folder\n"
	"  --grants FOLDER     of --helper: what may be done (default: /etc/anna/commands.d)\n"
	"  --user NAME         of --helper: who may ask, beside root (default: anna)\n"
	"  --version, --help\n"
	"\n"
	"signals: HUP reloads, TERM and INT stop (a second one hurries), USR1 logs a diagnosis\n"
	"exit status: 0 stopped, 1 failed, 2 usage, 5 invalid configuration\n";

static char *default_folder(const char *variable, const char *below_home, const char *for_root) {
	const char *folder = getenv(variable);
	const char *home = getenv("HOME");
	if (geteuid() == 0) {
		return xstrdup(for_root);
	}
	if (folder && folder[0] == '/') {
		return xasprintf("%s/anna", folder);
	}
	return xasprintf("%s/%s/anna", home && home[0] == '/' ? home : "/nonexistent", below_home);
}

// systemd names the unit's own folders (systemd.exec(5)); they win over the defaults.
static char *unit_folder(const char *variable) {
	const char *folder = getenv(variable);
	return folder && folder[0] == '/' && !strchr(folder, ':') ? xstrdup(folder) : NULL;
}

static void fill_helper(struct arguments *out) {
	out->socket_path = out->socket_path ? out->socket_path : xstrdup(HELPER_SOCKET);
	out->grants = out->grants ? out->grants : xstrdup(HELPER_GRANTS);
	out->user = out->user ? out->user : xstrdup("anna");
}

static void fill_places(struct arguments *out) {
	if (out->verb == VERB_HELPER) {
		fill_helper(out);
	}
	if (!out->config_path && !out->has_no_config) {
		char *folder = default_folder("XDG_CONFIG_HOME", ".config", "/etc/anna");
		out->config_path = xasprintf("%s/config.toml", folder);
		free(folder);
	}
	if (!out->state_folder) {
		out->state_folder = unit_folder("STATE_DIRECTORY");
	}
	if (!out->state_folder) {
		out->state_folder = default_folder(
			"XDG_STATE_HOME", ".local/state", "/var/lib/anna");
	}
	if (!out->socket_path) {
		char *folder = unit_folder("RUNTIME_DIRECTORY");
		const char *runtime = getenv("XDG_RUNTIME_DIR");
		if (!folder && geteuid() != 0 && !(runtime && runtime[0] == '/')) {
			folder = xstrdup(out->state_folder);
		}
		if (!folder) {
			folder = default_folder("XDG_RUNTIME_DIR", ".", "/run/anna");
		}
		out->socket_path = xasprintf("%s/annad.sock", folder);
		free(folder);
	}
	if (!out->sysroot) {
		out->sysroot = xstrdup("");
	}
}

static void set_text(char **slot, const char *value) {
	free(*slot);
	*slot = xstrdup(value);
}

static char *absolute(const char *path) {
	if (path[0] == '/') {
		return xstrdup(path);
	}
	char *here = getcwd(NULL, 0);
	char *joined = xasprintf("%s/%s", here ? here : "", path);
	free(here);
	return joined;
}

static bool is_http_address(const char *value) {
	const char *colon = strrchr(value, ':');
	uint64_t port;
	return strcmp(value, "off") == 0 || strcmp(value, "auto") == 0 ||
		(colon && colon > value && str_to_uint64(str_from(colon + 1), &port) &&
			port <= 65535);
}

static bool take_option(
	struct arguments *out, const char *name, const char *value, struct err *err) {
	if (strcmp(name, "--config") == 0) {
		free(out->config_path);
		out->has_no_config = strcmp(value, "none") == 0;
		out->config_path = out->has_no_config ? NULL : absolute(value);
		out->config_is_named = !out->has_no_config;
	} else if (strcmp(name, "--state-dir") == 0) {
		free(out->state_folder);
		out->state_folder = absolute(value);
	} else if (strcmp(name, "--socket") == 0) {
		free(out->socket_path);
		out->socket_path = absolute(value);
	} else if (strcmp(name, "--http") == 0) {
		set_text(&out->http, value);
		if (!is_http_address(value)) {
			return err_set(err, ERR_INVALID,
				"--http takes ADDRESS:PORT or off, not \"%s\"; see annad --help",
				value);
		}
	} else if (strcmp(name, "--sysroot") == 0) {
		set_text(&out->sysroot, value);
	} else if (strcmp(name, "--grants") == 0) {
		set_text(&out->grants, value);
	} else if (strcmp(name, "--user") == 0) {
		set_text(&out->user, value);
	} else if (strcmp(name, "--show") == 0) {
		if (strcmp(value, "default") != 0 && strcmp(value, "schema") != 0 &&
			strcmp(value, "formats") != 0) {
			return err_set(err, ERR_INVALID,
				"--show takes default, schema or formats, not \"%s\"", value);
		}
		set_text(&out->show, value);
		out->verb = VERB_SHOW;
	} else if (strcmp(name, "--log-level") == 0) {
		out->has_log_level = true;
		if (!log_level_parse(str_from(value), &out->log_level)) {
			return err_set(err, ERR_INVALID,
				"--log-level takes debug, info, warn or error, not \"%s\"", value);
		}
	} else if (strcmp(name, "--log-format") == 0) {
		out->has_log_format = true;
		out->log_format = strcmp(value, "json") == 0 ? LOG_JSON : LOG_TEXT;
		if (out->log_format == LOG_TEXT && strcmp(value, "text") != 0) {
			return err_set(err, ERR_INVALID,
				"--log-format takes text or json, not \"%s\"", value);
		}
	} else {
		return err_set(err, ERR_INVALID, "unknown option \"%s\"; see annad --help", name);
	}
	return true;
}

static bool is_flag(struct arguments *out, const char *name) {
	if (strcmp(name, "--check") == 0) {
		out->verb = VERB_CHECK;
	} else if (strcmp(name, "--helper") == 0) {
		out->verb = VERB_HELPER;
	} else if (strcmp(name, "--json") == 0) {
		out->is_json = true;
	} else if (strcmp(name, "--version") == 0) {
		out->verb = VERB_VERSION;
	} else if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		out->verb = VERB_HELP;
	} else {
		return false;
	}
	return true;
}

bool arguments_parse(int argc, char **argv, struct arguments *out, struct err *err) {
	*out = (struct arguments){.verb = VERB_RUN};
	for (int i = 1; i < argc; i++) {
		if (is_flag(out, argv[i])) {
			continue;
		}
		const char *equals = strchr(argv[i], '=');
		char *name = equals ? xstrndup(argv[i], (size_t)(equals - argv[i]))
				    : xstrdup(argv[i]);
		const char *value = equals ? equals + 1 : i + 1 < argc ? argv[++i] : NULL;
		bool ok = strncmp(name, "--", 2) != 0
			? err_set(err, ERR_INVALID, "unexpected word \"%s\"; see annad --help",
				  name)
			: !value
			? err_set(err, ERR_INVALID, "%s needs a value; see annad --help", name)
			: take_option(out, name, value, err);
		free(name);
		if (!ok) {
			arguments_finish(out);
			return false;
		}
	}
	fill_places(out);
	return true;
}

void arguments_finish(struct arguments *arguments) {
	free(arguments->config_path);
	free(arguments->state_folder);
	free(arguments->socket_path);
	free(arguments->http);
	free(arguments->show);
	free(arguments->sysroot);
	free(arguments->grants);
	free(arguments->user);
	*arguments = (struct arguments){0};
}
