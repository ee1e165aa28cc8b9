// SPDX-License-Identifier: Apache-2.0
// `annactl doctor report`: one archive to attach to a bug: what the doctor found and saw, the daemon's
// answers, the log. Texts are searched for secrets (doctor_redact.h), events are counted by kind and not
// told. Nothing is sent anywhere.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "build_id.h"
#include "ctl/doctor_archive.h"
#include "ctl/doctor_examine.h"
#include "ctl/doctor_redact.h"
#include "ctl/fields.h"
#include "doctor/look.h"

#define LOG_WITHIN_NS (5 * NS_PER_SECOND)
#define LOG_LINES "200"
#define KINDS_MAX 200
#define FILES_MAX 16

struct report_options {
	struct str file;
};

struct report {
	struct invocation *in;
	const struct examination *examination;
	struct buf archive;
	struct {
		const char *name;
		size_t bytes;
	} files[FILES_MAX];
	size_t n;
};

static void add(struct report *report, const char *name, struct str content) {
	if (report->n < FILES_MAX && content.len > 0) {
		report->files[report->n].name = name;
		report->files[report->n++].bytes = content.len;
		archive_add(&report->archive, name, content, clock_wall(report->in->clock));
	}
}

static void add_text(struct report *report, const char *name, struct str text) {
	struct buf clean = BUF_INIT;
	redact_text(text, &clean);
	add(report, name, buf_str(&clean));
	buf_finish(&clean);
}

static void add_findings(struct report *report) {
	struct buf json = BUF_INIT, clean = BUF_INIT;
	struct json_writer w;
	json_writer_init(&w, &json);
	examination_format(report->examination, &w);
	const struct value *value = examination_parse(report->in->arena, &json);
	json_writer_init(&w, &clean);
	redact_value(value, &w);
	add(report, "findings.json", buf_str(&clean));
	buf_finish(&json);
	buf_finish(&clean);
}

// The daemon's answers and what the looks saw: everything the checks went by.
static void add_facts(struct report *report) {
	const struct patient *patient = &report->examination->patient;
	struct buf json = BUF_INIT;
	struct json_writer w;
	json_writer_init(&w, &json);
	json_begin_object(&w);
	for (size_t i = 0; i < patient->n; i++) {
		json_key(&w, patient->facts[i].name);
		if (patient->facts[i].value) {
			redact_value(patient->facts[i].value, &w);
		} else {
			json_begin_object(&w);
			json_member_text(&w, "missing", patient->facts[i].missing);
			json_end_object(&w);
		}
	}
	json_end_object(&w);
	add(report, "facts.json", buf_str(&json));
	buf_finish(&json);
}

static void add_answer(
	struct report *report, const char *method, const char *member, const char *name) {
	struct failure ignored = FAILURE_INIT;
	const struct value *answer = patient_is(&report->examination->patient, "rpc.ok")
		? client_ask(&report->in->client, method, report->in->arena, &ignored)
		: NULL;
	add_text(report, name, field_str(answer, member));
}

// How often each kind came, of the newest events; what they say stays here.
static void add_kinds(struct report *report) {
	struct {
		struct str kind;
		int64_t count;
	} kinds[KINDS_MAX];
	size_t n = 0;
	struct failure ignored = FAILURE_INIT;
	struct request request = {
		.method = "events", .params = STR("{\"limit\":1000}"), .is_repeatable = true};
	struct buf text = BUF_INIT;
	const struct value *answer = patient_is(&report->examination->patient, "rpc.ok")
		? client_call(&report->in->client, &request, report->in->arena, &ignored)
		: NULL;
	const struct value *events = value_get(answer, STR("events"));
	for (size_t i = 0; i < field_count(events); i++) {
		struct str kind = field_str(field_item(events, i), "kind");
		size_t at = 0;
		while (at < n && !str_equal(kinds[at].kind, kind)) {
			at++;
		}
		if (at == n && n < KINDS_MAX) {
			kinds[n].kind = kind;
			kinds[n++].count = 0;
		}
		if (at < n) {
			kinds[at].count++;
		}
	}
	for (size_t i = 0; i < n; i++) {
		buf_appendf(&text, "%6lld  %" STR_FMT "\n", (long long)kinds[i].count,
			STR_ARG(kinds[i].kind));
	}
	add(report, "events-by-kind.txt", buf_str(&text));
	buf_finish(&text);
}

static void add_log(struct report *report) {
	const char *const argv[] = {"journalctl", "-u", "annad.service", "-n", LOG_LINES,
		"--no-pager", "-o", "short-iso", NULL};
	struct buf said = BUF_INIT;
	struct err err = ERR_INIT;
	int status = 0;
	struct stat booted;
	if (lstat("/run/systemd/system", &booted) == 0 &&
		look_run_program(argv, LOG_WITHIN_NS, &said, &status, &err)) {
		add_text(report, "log.txt", buf_str(&said));
	}
	buf_finish(&said);
}

static void add_file(struct report *report, const char *path, const char *name) {
	struct buf text = BUF_INIT;
	if (path[0] && look_read_file(path, 65536, &text)) {
		add_text(report, name, buf_str(&text));
	}
	buf_finish(&text);
}

static void add_process(struct report *report) {
	int64_t pid = patient_int(&report->examination->patient, "processes.daemon.pid", 0);
	char path[64];
	if (pid > 0) {
		(void)snprintf(path, sizeof(path), "/proc/%lld/status", (long long)pid);
		add_file(report, path, "process-status.txt");
		(void)snprintf(path, sizeof(path), "/proc/%lld/limits", (long long)pid);
		add_file(report, path, "process-limits.txt");
	}
}

static void add_unit(struct report *report) {
	struct str path = patient_str(&report->examination->patient, "unit.path");
	add_file(report, arena_copy(report->in->arena, path), "unit.txt");
}

static void add_versions(struct report *report) {
	const struct patient *patient = &report->examination->patient;
	struct buf text = BUF_INIT;
	buf_appendf(&text, "annactl %s (%s)\n", ANNA_VERSION, ANNA_BUILD);
	buf_appendf(&text, "running %" STR_FMT " (%" STR_FMT ")\n",
		STR_ARG(patient_str(patient, "status.version")),
		STR_ARG(patient_str(patient, "status.build")));
	buf_appendf(
		&text, "installed %" STR_FMT "\n", STR_ARG(patient_str(patient, "installed.says")));
	add(report, "versions.txt", buf_str(&text));
	buf_finish(&text);
}

// Never over a file that is there, and for its owner only.
static bool write_archive(struct report *report, const char *path, struct err *err) {
	struct str rest = buf_str(&report->archive);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return err_errno(err, "cannot make %s", path);
	}
	while (rest.len > 0) {
		ssize_t n = write(fd, rest.at, rest.len);
		if (n < 0 && errno != EINTR) {
			err_errno(err, "cannot write %s", path);
			close(fd);
			(void)unlink(path);
			return false;
		}
		rest = str_skip(rest, n > 0 ? (size_t)n : 0);
	}
	if (close(fd) < 0) {
		return err_errno(err, "cannot write %s", path);
	}
	return true;
}

static const char *choose_path(struct invocation *in, const struct report_options *asked) {
	struct buf name = BUF_INIT;
	if (asked->file.len > 0) {
		return arena_copy(in->arena, asked->file);
	}
	buf_appendf(
		&name, "anna-report-%lld.tar", (long long)(clock_wall(in->clock) / NS_PER_SECOND));
	const char *path = arena_copy(in->arena, buf_str(&name));
	buf_finish(&name);
	return path;
}

static void tell(struct report *report, const char *path) {
	struct output *output = &report->in->output;
	struct buf json = BUF_INIT;
	struct json_writer w;
	if (!output->is_json) {
		output_str(output, str_from(path));
		output_text(output, "\n");
		for (size_t i = 0; i < report->n; i++) {
			output_printf(output, "  %-22s %zu bytes\n", report->files[i].name,
				report->files[i].bytes);
		}
		output_text(
			output, "Look through it before you attach it: tar -xOf shows a file.\n");
		return;
	}
	json_writer_init(&w, &json);
	json_begin_object(&w);
	json_member_text(&w, "path", path);
	json_key(&w, "files");
	json_begin_array(&w);
	for (size_t i = 0; i < report->n; i++) {
		json_begin_object(&w);
		json_member_text(&w, "name", report->files[i].name);
		json_member_uint(&w, "bytes", report->files[i].bytes);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_end_object(&w);
	output_json_line(output, buf_str(&json));
	buf_finish(&json);
}

static int run(struct invocation *in, const void *options) {
	struct examination examination;
	struct report report = {.in = in, .examination = &examination};
	const char *path = choose_path(in, options);
	struct err err = ERR_INIT;
	struct failure failure = FAILURE_INIT;
	examination_make(in, NULL, &examination);
	add_versions(&report);
	add_findings(&report);
	add_facts(&report);
	add_answer(&report, "metrics", "text", "metrics.txt");
	add_answer(&report, "config.show", "text", "config.txt");
	add_kinds(&report);
	add_log(&report);
	add_unit(&report);
	add_process(&report);
	archive_end(&report.archive);
	bool ok = write_archive(&report, path, &err);
	buf_finish(&report.archive);
	if (!ok) {
		failure_from_err(&failure, &err);
		return invocation_fail(in, &failure);
	}
	tell(&report, path);
	return 0;
}

DEFINE_COMMAND(doctor_report) = {
	.name = "doctor report",
	.summary = "Write one archive to attach to a bug, secrets removed.",
	.usage = "[FILE]",
	.examples = (const char *const[]){"annactl doctor report",
		"annactl doctor report /tmp/anna.tar", NULL},
	.options =
		(const struct option[]){
			{.key = "FILE",
				.type = OPTION_STRING,
				.is_positional = true,
				.unit = "file",
				.offset = offsetof(struct report_options, file),
				.help = "Where to; else anna-report-TIME.tar in this folder. "
					"Never over a file that is there."},
			{0},
		},
	.options_size = sizeof(struct report_options),
	.run = run,
};
