// SPDX-License-Identifier: Apache-2.0
// Checking a configuration without running it: the same schema, nothing written.
#include "daemon/daemon.h"
#include "formats/json.h"
#include "rpc/method.h"
#include "store/segment.h"
#include "store/state.h"

void daemon_show_formats(struct buf *out) {
	struct json_writer w;
	json_writer_init(&w, out);
	json_begin_object(&w);
	json_member_int(&w, "journal", SEGMENT_VERSION);
	json_member_int(&w, "journal_features", SEGMENT_INCOMPATIBLE_KNOWN);
	json_member_int(&w, "state", STATE_FORMAT);
	json_member_int(&w, "generation", GENERATION_FORMAT);
	json_end_object(&w);
	buf_append_char(out, '\n');
}

bool daemon_check_config(
	const struct arguments *arguments, struct problems *problems, struct err *err) {
	struct anna anna = {0};
	struct config_files files;
	if (!config_files_read(
		    fs_system(), arguments->config_path, arguments->config_is_named, &files, err)) {
		return false;
	}
	daemon_build_schema(&anna, NULL);
	struct snapshot *snapshot = snapshot_create(&anna.schema, &files, problems);
	bool ok = snapshot != NULL;
	snapshot_unref(snapshot);
	daemon_finish_schema(&anna);
	config_files_finish(&files);
	return ok;
}

void daemon_format_check(
	bool ok, const struct problems *problems, const struct err *err, struct buf *out) {
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_begin_object(&writer);
	json_member_bool(&writer, "ok", ok);
	json_member_text(&writer, "error", err->code == ERR_NONE ? NULL : err->message);
	json_key(&writer, "problems");
	problems_write(&writer, problems);
	json_member_uint(&writer, "errors", problems->errors);
	json_end_object(&writer);
	buf_append_char(out, '\n');
}
