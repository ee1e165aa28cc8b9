// SPDX-License-Identifier: Apache-2.0
// What a survey has read already, private to its files: each fact is read when first asked for.
#pragma once

#include "advice/survey.h"

#define SURVEY_MOUNTS_MAX 1024
#define SURVEY_PROCESSES_MAX 8192

struct survey_facts {
	bool has_mounts, has_processes, has_dpkg;
	struct survey_mount *mounts;
	size_t mount_count;
	struct survey_process *processes;
	size_t process_count;
	struct str dpkg;
	char **pacman; // names of folders of its database
	size_t pacman_count;
};
