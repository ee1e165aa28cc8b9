// SPDX-License-Identifier: Apache-2.0
// What doors may ask the daemon (rpc/anna.h), answered from struct anna.
#include "rpc/anna.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/daemon.h"

const struct services *anna_services(struct anna *anna) {
	return &anna->services;
}

enum anna_state anna_get_state(const struct anna *anna) {
	return anna->state;
}

int64_t anna_started_ns(const struct anna *anna) {
	return anna->started_ns;
}

const char *anna_config_path(const struct anna *anna) {
	struct fs_stat stat;
	const struct arguments *arguments = anna->arguments;
	bool exists = arguments->config_path &&
		anna->services.fs->stat(anna->services.fs, arguments->config_path, &stat) >= 0;
	return exists || arguments->config_is_named ? arguments->config_path : NULL;
}

const char *anna_config_file(const struct anna *anna) {
	return anna->arguments->config_path;
}

const char *anna_socket(const struct anna *anna) {
	return anna->arguments->socket_path;
}

int anna_socket_fd(const struct anna *anna) {
	return anna->socket_fd;
}

const char *anna_http(const struct anna *anna) {
	return anna->http;
}

const char *anna_http_wanted(const struct anna *anna) {
	return anna->arguments->http;
}

void anna_set_http(struct anna *anna, const char *address) {
	(void)snprintf(anna->http, sizeof(anna->http), "%s", address);
}

const char *anna_state_folder(const struct anna *anna) {
	return anna->arguments->state_folder;
}

const char *anna_journal_folder(const struct anna *anna) {
	return anna->journal_folder;
}

struct engine *anna_engine(struct anna *anna) {
	return anna->engine;
}

struct rpc *anna_rpc(struct anna *anna) {
	return anna->rpc;
}

struct emitter *anna_emitter(struct anna *anna) {
	return anna->emitter;
}

struct writer *anna_writer(struct anna *anna) {
	return anna->writer;
}

struct generations *anna_generations(struct anna *anna) {
	return anna->generations_are_lent ? NULL : anna->generations;
}

int64_t anna_confirm_by_ns(const struct anna *anna) {
	return anna->confirm_by_ns;
}

struct snapshot *anna_snapshot(struct anna *anna) {
	return anna->snapshot;
}

const struct schema *anna_schema(struct anna *anna) {
	return &anna->schema;
}

const struct section *anna_mappings(struct anna *anna) {
	(void)anna;
	return &mappings_section;
}

uint64_t anna_generation(const struct anna *anna) {
	return anna->generation;
}

size_t anna_capability_count(const struct anna *anna) {
	return anna->part_count;
}

const struct histogram *anna_reload_ns(const struct anna *anna) {
	return &anna->reload_ns;
}

int64_t anna_stop_timeout_ns(const struct anna *anna) {
	const struct daemon_config *config = snapshot_section(anna->snapshot, &daemon_section);
	return config->stop_timeout_ns;
}
