// SPDX-License-Identifier: Apache-2.0
// /: a plain page that names what is here.
#include "web/route.h"

#include "rpc/anna.h"

static void append_escaped(struct buf *out, struct str text) {
	for (size_t i = 0; i < text.len; i++) {
		switch (text.at[i]) {
		case '<':
			buf_append_text(out, "&lt;");
			break;
		case '>':
			buf_append_text(out, "&gt;");
			break;
		case '&':
			buf_append_text(out, "&amp;");
			break;
		case '"':
			buf_append_text(out, "&quot;");
			break;
		default:
			buf_append_char(out, text.at[i]);
		}
	}
}

static void append_row(struct buf *out, const char *name, const char *value) {
	buf_appendf(out, "<tr><th>%s</th><td>", name);
	append_escaped(out, str_from(value));
	buf_append_text(out, "</td></tr>\n");
}

static void handle(const struct web_request *request, struct response *response) {
	struct anna *anna = request->anna;
	struct buf *out = &response->body;
	struct health_reason reason[1];
	size_t n;
	response->content_type = "text/html; charset=utf-8";
	buf_append_text(out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<meta "
		"charset=\"utf-8\">\n<title>Anna</title>\n"
		"<style>body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;"
		"padding:0 1rem}th{text-align:left;padding-right:1rem}"
		"@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}a{color:#8bf}}"
		"</style>\n<h1>Anna</h1>\n<table>\n");
	append_row(out, "state", anna_state_name(anna_get_state(anna)));
	append_row(out, "health", anna_health_name(anna_get_health(anna, reason, 1, &n)));
	append_row(out, "version", ANNA_VERSION);
	append_row(out, "socket", anna_socket(anna));
	buf_append_text(out, "</table>\n<h2>What is here</h2>\n<ul>\n");
	for (size_t i = 0; i < route_count; i++) {
		const char *path = route_table[i]->path;
		buf_appendf(out, "<li><a href=\"%s\">%s</a> ", path, path);
		append_escaped(out, str_from(route_table[i]->summary));
		buf_append_text(out, "</li>\n");
	}
	buf_append_text(out, "</ul>\n<p>Everything else: <code>annactl --help</code>.</p>\n");
}

DEFINE_ROUTE(index) = {
	.path = "/",
	.summary = "This page.",
	.handle = handle,
};
