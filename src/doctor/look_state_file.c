// SPDX-License-Identifier: Apache-2.0
// The state file, read and verified as the daemon would at its next start.
#include <errno.h>

#include "doctor/look.h"
#include "store/state.h"

static void gather(const struct places *places, struct look_report *out) {
	static const char *const sources[] = {"none", "newest", "previous"};
	struct buf payload = BUF_INIT, path = BUF_INIT;
	struct err err = ERR_INIT;
	buf_appendf(&path, "%s/state", places->state_folder);
	if (access(places->state_folder, R_OK | X_OK) < 0) {
		look_report_missing(out, "%s: %s", places->state_folder, strerror(errno));
	} else {
		enum state_source source = state_load(
			fs_system(), places->state_folder, &payload, &err);
		json_member_text(&out->w, "path", buf_text(&path));
		json_member_text(&out->w, "source", sources[source]);
		json_member_text(&out->w, "error", err.code ? err.message : NULL);
		if (payload.len > 0) {
			struct arena *arena = arena_create();
			const struct value *saved = json_parse(
				arena, buf_str(&payload), JSON_DEPTH, NULL);
			json_member_int(&out->w, "starts", value_number(saved, "starts", 0));
			json_member_bool(&out->w, "clean", value_truth(saved, "clean"));
			arena_destroy(arena);
		}
	}
	buf_finish(&payload);
	buf_finish(&path);
}

DEFINE_LOOK(state_file) = {.name = "state_file", .gather = gather};
