// SPDX-License-Identifier: Apache-2.0
// The kinds the daemon itself publishes. Kinds of sources and actions stand in their own files.
#include "flow/kind.h"

static const struct kind_attribute daemon_state[] = {
	{"from", "string", NULL, "the state before"},
	{"to", "string", NULL, "starting, running, reloading or stopping"},
	{"reason", "string", NULL, "what asked for it: a signal, a method, an error"},
	{NULL},
};

static const struct kind_attribute daemon_started[] = {
	{"version", "string", NULL, "of annad"},
	{"build", "string", NULL, "the commit it was built from"},
	{"pid", "integer", NULL, "process id"},
	{"config_path", "string", NULL, "the file that was read, or empty"},
	{"was_clean", "boolean", NULL, "the last run ended by an orderly stop"},
	{"start_us", "integer", "us", "from the start of the process to ready"},
	{NULL},
};

static const struct kind_attribute config_changed[] = {
	{"author", "string", NULL, "who asked: uid, start, file change, undo"},
	{"hash", "string", NULL, "SHA-256 over names and contents of the files"},
	{"verdict", "string", NULL, "active, or pending until it is confirmed"},
	{"previous", "integer", NULL, "the generation before"},
	{"changes", "array", NULL, "path, before and after of each changed option"},
	{"restart_needed", "array", NULL, "changed options that wait for a restart"},
	{"total_us", "integer", "us", "parse, check and apply together"},
	{NULL},
};

static const struct kind_attribute config_rejected[] = {
	{"author", "string", NULL, "who asked"},
	{"hash", "string", NULL, "of the files that were refused"},
	{"errors", "integer", NULL, "how many"},
	{"first", "string", NULL, "the first of them, with its place"},
	{NULL},
};

static const struct kind_attribute config_confirmed[] = {
	{"author", "string", NULL, "who confirmed"},
	{NULL},
};

static const struct kind_attribute capability_state[] = {
	{"from", "string", NULL, "the state before"},
	{"to", "string", NULL, "active, degraded, disabled or failed"},
	{"reason", "string", NULL, "why"},
	{NULL},
};

static const struct kind_attribute health_changed[] = {
	{"from", "string", NULL, "ok, degraded, critical or unknown"},
	{"to", "string", NULL, "ok, degraded, critical or unknown"},
	{"reasons", "array", NULL, "the parts that are not well, and why"},
	{NULL},
};

static const struct kind_attribute source_gap[] = {
	{"source", "string", NULL, "who may have missed something: file, journal, timer"},
	{"reason", "string", NULL, "why: overflow, unclean stop, disk full"},
	{"watch", "string", NULL, "which of its watches, where it has several"},
	{"from", "integer", NULL, "the first id or time that may be missing"},
	{"to", "integer", NULL, "the last"},
	{"count", "integer", NULL, "how many, where that is known"},
	{NULL},
};

static const struct kind_attribute journal_state[] = {
	{"state", "string", NULL, "failing, short or ok"},
	{"reason", "string", NULL, "what the disk said"},
	{NULL},
};

static const struct kind_attribute rpc_called[] = {
	{"method", "string", NULL, "what was asked"},
	{"uid", "integer", NULL, "by whom"},
	{"pid", "integer", NULL, "from which process"},
	{NULL},
};

static const struct kind_attribute doctor_fixed[] = {
	{"what", "string", NULL, "what was done"},
	{"about", "string", NULL, "which one, where there may be several"},
	{"done", "boolean", NULL, "the finding was gone when it was looked for again"},
	{"before", "string", NULL, "how it was"},
	{"after", "string", NULL, "how it is"},
	{"undo", "string", NULL, "the command that takes it back; empty: it cannot be"},
	{"uid", "integer", NULL, "by whom"},
	{"at", "string", NULL, "when, if the daemon did not run then"},
	{NULL},
};

static const struct kind_attribute upgrade[] = {
	{"from", "string", NULL, "the package's version before"},
	{"to", "string", NULL, "the version that is wanted"},
	{"reason", "string", NULL, "why it was rolled back"},
	{"uid", "integer", NULL, "who runs the upgrade"},
	{NULL},
};

const struct kind core_kinds[] = {
	{"daemon.state", STREAM_AUDIT, "The daemon went from one lifecycle state to another.",
		daemon_state},
	{"daemon.started", STREAM_AUDIT, "The daemon is ready.", daemon_started},
	{"config.changed", STREAM_AUDIT, "Another configuration is in force.", config_changed},
	{"config.rejected", STREAM_AUDIT, "A configuration was refused; nothing changed.",
		config_rejected},
	{"config.confirmed", STREAM_AUDIT, "A pending configuration was confirmed.",
		config_confirmed},
	{"capability.state", STREAM_AUDIT, "A part of Anna changed its state.", capability_state},
	{"health.changed", STREAM_AUDIT, "Anna's own health changed.", health_changed},
	{"source.gap", STREAM_AUDIT, "A source may have missed something.", source_gap},
	{"journal.state", STREAM_AUDIT, "The journal cannot keep events, or can again.",
		journal_state},
	{"upgrade.started", STREAM_AUDIT, "annactl upgrade begins to replace Anna.", upgrade},
	{"upgrade.finished", STREAM_AUDIT, "The new Anna runs and was verified.", upgrade},
	{"upgrade.rolled_back", STREAM_AUDIT,
		"The new Anna did not get ready; the one before runs.", upgrade},
	{"rpc.called", STREAM_AUDIT, "Someone asked for something that changes Anna.", rpc_called},
	{"doctor.fixed", STREAM_AUDIT, "annactl doctor changed something.", doctor_fixed},
	{NULL},
};
