// SPDX-License-Identifier: Apache-2.0
// The processes of the host by name.
#include "advice/survey_facts.h"

static void read_processes(struct survey *survey) {
	struct survey_facts *facts = survey->facts;
	struct root *root = &survey->root;
	char **names;
	size_t n = root_list(root, &names, "/proc");
	facts->has_processes = true;
	facts->processes = arena_array(root->arena, n + 1, sizeof(*facts->processes));
	for (size_t i = 0; i < n && facts->process_count < SURVEY_PROCESSES_MAX; i++) {
		int64_t pid;
		struct str name;
		if (str_to_int64(str_from(names[i]), &pid) && pid > 0 &&
			root_read(root, &name, "/proc/%s/comm", names[i])) {
			facts->processes[facts->process_count++] = (struct survey_process){
				.pid = (pid_t)pid, .name = name};
		}
	}
}

size_t survey_processes(struct survey *survey, const struct survey_process **out) {
	if (!survey->facts->has_processes) {
		read_processes(survey);
	}
	*out = survey->facts->processes;
	return survey->facts->process_count;
}

const struct survey_process *survey_find_process(struct survey *survey, const char *const *names) {
	const struct survey_process *processes;
	size_t n = survey_processes(survey, &processes);
	for (; *names; names++) {
		for (size_t i = 0; i < n; i++) {
			if (str_is(processes[i].name, *names)) {
				return &processes[i];
			}
		}
	}
	return NULL;
}
