// SPDX-License-Identifier: Apache-2.0
// Every check over made-up patients: a healthy one, on which none fires, and for each check at least
// one change to it on which that check fires, with its severity. Facts are JSON, so a fault is a line.
#include "doctor/check.h"
#include "doctor/pages.h"
#include "formats/json.h"
#include "tests/check.h"

#define PROCESS "'pid':42,'parent':1,'state':'S','name':'annad','start_ticks':100,'uid':7"

static const char healthy[] =
	"{'client':{'version':'1','build':'abc','contract':1,'uid':0},"
	"'rpc':{'ok':true,'peer_pid':42,'pings':10,'ping_p50_us':90,'ping_p95_us':120},"
	"'status':{'contract':1,'state':'running','version':'1','build':'abc','pid':42,"
	"'uptime_seconds':100,'generation':1,'confirm_by':null,'config_path':'/etc/anna/"
	"config.toml'},"
	"'diagnosis':{'state_folder':'/var/lib/anna','socket_mode':432,'max_connections':128,"
	"'log_dropped':0,'exe':'/usr/sbin/annad','exe_on_disk':true,'exe_inode':5,'exe_device':1,"
	"'on_disk_inode':5,'on_disk_device':1,'fds':20,'nofile':1024,"
	"'cgroup':{'path':'/system.slice/annad.service','oom_kill':0},'hidden':[]},"
	"'health':{'health':'ok','reasons':[],'memory':{'rss_bytes':12000000,'limit_bytes':"
	"80000000},"
	"'queue':{'depth':0,'accepted':1000,'refused':0,'failed':0},"
	"'journal':{'is_failing':false,'reason':null},'loop_lag':{'p99_us':40},"
	"'rpc':{'connections':1,'refused_connections':0}},"
	"'capabilities':{'capabilities':[{'name':'rpc','state':'active','reason':null},"
	"{'name':'http','state':'disabled','reason':null}]},"
	"'history':{'active':1,'generations':[]},"
	"'drift':{'ok':true,'changed':false,'generation':1,'changes':[]},"
	"'places':{'socket':'/run/anna/annad.sock','state_folder':'/var/lib/anna',"
	"'config_is_in_use':true},"
	"'socket':{'path':'/run/anna/annad.sock','exists':true,'type':'socket','mode':432,'uid':7,"
	"'owner':'anna','listeners':1,'folder':{'path':'/run/anna','exists':true,'mode':488}},"
	"'lock':{'path':'/var/lib/anna/lock','exists':true,'text':'42','pid':42,"
	"'is_garbage':false,'holder':42},"
	"'processes':{'daemon':{" PROCESS ",'cpu_percent':0.5,'exe':'/usr/sbin/annad',"
	"'exe_deleted':false,'exe_inode':5,'exe_device':1,'exe_on_disk':true,'on_disk_inode':5,"
	"'on_disk_device':1,'nofile':1024,'fds':20},'others':[]},'leftovers':{'items':[],"
	"'sees_environments':true},"
	"'state':{'path':'/var/lib/anna','exists':true,'type':'folder','mode':448,'uid':7,"
	"'owner':'anna','is_read_only':false,'total_bytes':10000000000,"
	"'available_bytes':5000000000,'files_total':1000000,'files_available':900000,"
	"'file_system':'other','cores':[]},"
	"'state_file':{'path':'/var/lib/anna/state','source':'newest','error':null,'starts':3},"
	"'journal':{'path':'/var/lib/anna/journal','total_bytes':100,'verified_bytes':100,"
	"'damage_count':0,'unreadable_count':0,'damage':[],'unreadable':[],"
	"'newest_ns':1790000000000000000,'starts_last_hour':1,'unclean_last_hour':0},"
	"'generations':{'count':1,'newest':1,'newest_verdict':'active','active':1,'damaged':[]},"
	"'config':{'path':'/etc/anna/config.toml','exists':true,'type':'file','mode':420,'uid':0,"
	"'owner':'root','size':100,'is_readable':true,'is_valid':true,'errors':0,'error':'',"
	"'problems':[]},"
	"'installed':{'path':'/usr/sbin/annad','exists':true,'runs':true,'error':null,"
	"'says':'annad 1 (build abc)','version':'1','build':'abc'},"
	"'systemd':{'unit':'annad.service','LoadState':'loaded','ActiveState':'active',"
	"'SubState':'running','Result':'success','UnitFileState':'enabled','MainPID':42,"
	"'NRestarts':0,'NeedDaemonReload':'no','MemoryMax':80000000,'TasksMax':64,"
	"'LimitNOFILE':1024,'ExecMainStatus':0},"
	"'unit':{'path':'/lib/systemd/system/annad.service','shipped':'/usr/share/anna/"
	"annad.service',"
	"'is_same':true,'in_force':'','in_package':'','dropins':[]},"
	"'clock':{'wall_ns':1790000001000000000,'is_synchronised':true,'max_error_us':2000},"
	"'mounts':{'answered':0},"
	"'bus':{'path':'/run/dbus/system_bus_socket','answers':true,'error':null}}";

#define W SEVERITY_WARNING
#define C SEVERITY_CRITICAL
#define I SEVERITY_INFO

// A change is merged into the healthy patient: members replace, tables are merged, a fact that is a
// string is missing for that reason ("!…": because looking timed out).
static const struct {
	const char *id;
	enum severity severity;
	const char *change;
} sick[] = {
	{"daemon-not-running", C,
		"{'rpc':{'ok':false,'error':'SocketNotFound','message':'no'},'processes':{'daemon':"
		"null}}"},
	{"daemon-not-running", C,
		"{'rpc':{'ok':false,'error':'ConnectionRefused'},'processes':{'daemon':null}}"},
	{"daemon-stopped", C, "{'processes':{'daemon':{'state':'T'}}}"},
	{"daemon-stopped", C, "{'processes':{'daemon':{'state':'t'}}}"},
	{"daemon-blocked", C,
		"{'rpc':{'ok':false},'processes':{'daemon':{'state':'D','state_after':'D'}}}"},
	{"daemon-silent", C, "{'rpc':{'ok':false,'error':'ConnectionTimeout'}}"},
	{"daemon-spinning", W, "{'processes':{'daemon':{'cpu_percent':99.0}}}"},
	{"daemon-spinning", W, "{'processes':{'daemon':{'runnable_percent':99.0}}}"},
	{"daemon-not-ready", W,
		"{'rpc':{'ok':false,'error':'SocketNotFound'},'processes':{'daemon':{'age_seconds':"
		"2}}}"},
	{"daemon-not-ready", W, "{'status':{'state':'starting'}}"},
	{"daemon-not-ready", W, "{'status':{'state':'stopping','uptime_seconds':1}}"},
	{"answer-invalid", C, "{'rpc':{'ok':false,'error':'InvalidAnswer'}}"},
	{"answer-broken-off", C, "{'rpc':{'ok':false,'error':'ConnectionClosed'}}"},
	{"access-denied", W, "{'rpc':{'ok':false,'error':'PermissionDenied'}}"},
	{"connections-full", C, "{'rpc':{'ok':false,'error':'ResourceBusy'}}"},
	{"connections-full", W, "{'health':{'rpc':{'connections':120}}}"},
	{"socket-missing", C, "{'rpc':{'ok':false},'socket':{'exists':false}}"},
	{"socket-missing", C, "{'rpc':{'ok':false},'socket':{'listeners':0}}"},
	{"socket-missing", C,
		"{'rpc':{'ok':false},'socket':{'exists':false},'processes':{'daemon':{'age_seconds'"
		":1}}}"},
	{"socket-stale", W, "{'socket':{'listeners':0},'processes':{'daemon':null}}"},
	{"socket-replaced", C, "{'socket':{'type':'file'}}"},
	{"socket-mode", W, "{'socket':{'mode':511}}"},
	{"socket-mode", W, "{'socket':{'mode':0}}"},
	{"socket-owner", W, "{'socket':{'uid':1000}}"},
	{"socket-folder", W, "{'socket':{'folder':{'mode':511}}}"},
	{"lock-stale", W, "{'lock':{'holder':0},'processes':{'daemon':null}}"},
	{"lock-stale", W,
		"{'lock':{'holder':0,'pid':0,'is_garbage':true,'text':'x'},'processes':{'daemon':"
		"null}}"},
	{"lock-lost", C, "{'lock':{'exists':false,'holder':null}}"},
	{"lock-lost", C, "{'lock':{'holder':0}}"},
	{"two-daemons", C, "{'processes':{'others':[{'pid':43}]}}"},
	{"two-daemons", C, "{'lock':{'holder':43}}"},
	{"state-missing", C, "{'state':{'exists':false}}"},
	{"state-missing", C, "{'state':{'has_journal':false}}"},
	{"state-missing", C, "{'state':{'type':'file'}}"},
	{"state-owner", C, "{'state':{'uid':0}}"},
	{"state-owner", C, "{'state':{'uid':0,'journal_uid':7},'processes':{'daemon':null}}"},
	{"state-mode", C, "{'state':{'mode':511}}"},
	{"state-mode", W, "{'state':{'mode':0}}"},
	{"state-read-only", C, "{'state':{'is_read_only':true}}"},
	{"state-on-tmpfs", I, "{'state':{'file_system':'tmpfs'}}"},
	{"state-unreachable", C, "{'state':'!looking at it (state) did not end in time'}"},
	{"disk-space", W, "{'state':{'available_bytes':30000000}}"},
	{"disk-space", C, "{'state':{'available_bytes':1000000}}"},
	{"disk-inodes", W, "{'state':{'files_available':900}}"},
	{"disk-inodes", C, "{'state':{'files_available':9}}"},
	{"state-file-damaged", W, "{'state_file':{'source':'previous','error':'is cut'}}"},
	{"core-dumps", W, "{'state':{'cores':['core.17']}}"},
	{"core-dumps", C, "{'systemd':{'Result':'core-dump'}}"},
	{"journal-damaged", W,
		"{'journal':{'damage_count':1,'damage':[{'stream':'normal','from':1,'to':2}]}}"},
	{"journal-unreadable", C,
		"{'journal':{'unreadable':[{'stream':'normal','text':'of a newer version'}]}}"},
	{"journal-failing", C, "{'health':{'journal':{'is_failing':true,'reason':'EIO'}}}"},
	{"journal-failing", W,
		"{'health':{'reasons':[{'level':'degraded','part':'journal','text':'short'}]}}"},
	{"events-lost", W, "{'health':{'queue':{'failed':3}}}"},
	{"events-refused", W, "{'health':{'queue':{'refused':500}}}"},
	{"queue-long", W,
		"{'health':{'reasons':[{'level':'degraded','part':'queue','text':'60'}]}}"},
	{"queue-long", C,
		"{'health':{'reasons':[{'level':'critical','part':'queue','text':'60'}]}}"},
	{"rpc-slow", W, "{'rpc':{'ping_p95_us':210000}}"},
	{"rpc-slow", C, "{'rpc':{'ping_p95_us':600000}}"},
	{"rpc-slow", C, "{'health':{'reasons':[{'level':'critical','part':'rpc','text':'x'}]}}"},
	{"loop-slow", W, "{'health':{'reasons':[{'level':'degraded','part':'loop','text':'x'}]}}"},
	{"memory-high", W, "{'health':{'memory':{'rss_bytes':70000000}}}"},
	{"memory-high", C, "{'health':{'memory':{'rss_bytes':79000000}}}"},
	{"memory-high", W,
		"{'health':{'reasons':[{'level':'degraded','part':'memory','text':'x'}]}}"},
	{"memory-killed", W, "{'diagnosis':{'cgroup':{'oom_kill':1}}}"},
	{"descriptors-short", W, "{'processes':{'daemon':{'fds':900}}}"},
	{"descriptors-short", C, "{'processes':{'daemon':{'fds':1020}}}"},
	{"descriptor-limit", W, "{'processes':{'daemon':{'nofile':64}}}"},
	{"health-degraded", W,
		"{'health':{'reasons':[{'level':'degraded','part':'jobs','text':'wait'}]}}"},
	{"health-degraded", C,
		"{'health':{'reasons':[{'level':'critical','part':'jobs','text':'wait'}]}}"},
	{"health-degraded", I,
		"{'health':{'reasons':[{'level':'unknown','part':'memory','text':'hidden'}]}}"},
	{"log-dropped", W, "{'diagnosis':{'log_dropped':4}}"},
	{"capability-failed", W,
		"{'capabilities':{'capabilities':[{'name':'file','state':'failed','reason':'x'}]}"
		"}"},
	{"capability-failed", W,
		"{'capabilities':{'capabilities':[{'name':'host','state':'degraded','reason':'x'}]}"
		"}"},
	{"http-off", W,
		"{'capabilities':{'capabilities':[{'name':'http','state':'failed','reason':'x'}]}"
		"}"},
	{"config-missing", W, "{'config':{'exists':false,'mode':null,'is_valid':null}}"},
	{"config-unreadable", W, "{'config':{'type':'folder'}}"},
	{"config-unreadable", W, "{'config':{'size':9000000}}"},
	{"config-unreadable", W, "{'config':{'mode':384}}"},
	{"config-writable", C, "{'config':{'mode':438}}"},
	{"config-invalid", W,
		"{'config':{'is_valid':false,'errors':1,'problems':[{'line':3,'severity':'error',"
		"'message':'no such key'}]}}"},
	{"config-drift", W, "{'drift':{'changed':true,'changes':[{'path':'daemon.log_level'}]}}"},
	{"config-not-in-force", W,
		"{'health':{'reasons':[{'level':'degraded','part':'config','text':'undone'}]}}"},
	{"config-pending", I, "{'status':{'confirm_by':'2026-01-01T00:00:00Z'}}"},
	{"generation-damaged", W,
		"{'generations':{'damaged':[{'file':'/x/1.json','text':'cut'}]}}"},
	{"binary-replaced", W, "{'processes':{'daemon':{'on_disk_inode':6}}}"},
	{"binary-replaced", W, "{'processes':{'daemon':{'exe_on_disk':false,'exe_deleted':true}}}"},
	{"binary-replaced", W,
		"{'processes':{'daemon':{'exe':null}},'diagnosis':{'on_disk_inode':6}}"},
	{"binary-broken", C, "{'installed':{'runs':false,'error':'Exec format error'}}"},
	{"binary-broken", C, "{'installed':{'version':null,'build':null,'says':'hello'}}"},
	{"version-differs", W, "{'status':{'build':'old'}}"},
	{"client-differs", W, "{'client':{'build':'old'}}"},
	{"contract-differs", C, "{'status':{'contract':2}}"},
	{"methods-missing", W, "{'diagnosis':'the running daemon does not know diagnosis'}"},
	{"unit-failed", C, "{'systemd':{'ActiveState':'failed','Result':'watchdog'}}"},
	{"unit-reload-needed", W, "{'systemd':{'NeedDaemonReload':'yes'}}"},
	{"unit-changed", W, "{'unit':{'is_same':false,'in_force':'MemoryMax=1G'}}"},
	{"unit-disabled", I, "{'systemd':{'UnitFileState':'disabled'}}"},
	{"unit-limits", W, "{'systemd':{'MemoryMax':8000000}}"},
	{"unit-limits", W, "{'systemd':{'TasksMax':4}}"},
	{"restart-loop", W, "{'journal':{'unclean_last_hour':3}}"},
	{"restart-loop", C, "{'journal':{'unclean_last_hour':12}}"},
	{"leftover-processes", W, "{'leftovers':{'items':[{'pid':99,'name':'sleep'}]}}"},
	{"sandbox-blind", W, "{'diagnosis':{'hidden':[{'path':'/proc/stat','error':'no'}]}}"},
	{"clock-unsynchronised", I, "{'clock':{'is_synchronised':false}}"},
	{"clock-behind", W, "{'clock':{'wall_ns':1780000000000000000}}"},
	{"clock-behind", C, "{'clock':{'wall_ns':1000000000}}"},
	{"mount-hangs", W, "{'mounts':{'waiting_for':'/mnt/x','type':'fuse'}}"},
	{"bus-silent", W, "{'bus':{'answers':false,'error':'silent'}}"},
};

#define SICK_COUNT (sizeof(sick) / sizeof(*sick))

// ' stands for " in the texts above.
static const struct value *parse(struct arena *arena, const char *text) {
	struct err err = ERR_INIT;
	char *copy = arena_copy(arena, str_from(text));
	for (char *c = copy; *c; c++) {
		*c = *c == '\'' ? '"' : *c;
	}
	const struct value *value = json_parse(arena, str_from(copy), JSON_DEPTH, &err);
	if (!value) {
		print_error("%s: %s\n", err.message, text);
	}
	CHECK(value != NULL);
	return value;
}

// RFC 7396 but for null, which here stays: "known to be nothing".
static struct value merge(struct arena *arena, const struct value *to, const struct value *change) {
	if (!to || to->type != VALUE_TABLE || change->type != VALUE_TABLE) {
		return *change;
	}
	struct value merged = *to;
	merged.table.members = arena_array(
		arena, to->table.n + change->table.n, sizeof(*merged.table.members));
	memcpy(merged.table.members, to->table.members, to->table.n * sizeof(struct member));
	for (size_t i = 0; i < change->table.n; i++) {
		const struct member *member = &change->table.members[i];
		size_t at = 0;
		while (at < merged.table.n &&
			!str_equal(merged.table.members[at].key, member->key)) {
			at++;
		}
		merged.table.n += at == merged.table.n;
		merged.table.members[at].key = member->key;
		merged.table.members[at].value = merge(
			arena, value_get(to, member->key), &member->value);
	}
	return merged;
}

static void make_patient(struct arena *arena, const char *change, struct patient *out) {
	struct value *facts = ARENA_NEW(arena, struct value);
	*facts = merge(arena, parse(arena, healthy), parse(arena, change));
	for (size_t i = 0; i < facts->table.n; i++) {
		const struct value *value = &facts->table.members[i].value;
		const char *name = arena_copy(arena, facts->table.members[i].key);
		if (value->type == VALUE_STRING) {
			const char *why = arena_copy(arena, value->string);
			patient_add_missing(out, name, why, why[0] == '!');
		} else {
			patient_add(out, name, value);
		}
	}
}

static struct findings *examine(struct arena *arena, const char *change, const struct check *only) {
	struct patient patient = {0};
	struct findings *findings = ARENA_NEW(arena, struct findings);
	findings->arena = arena;
	make_patient(arena, change, &patient);
	checks_make(&patient, only, findings);
	return findings;
}

TEST(a_healthy_patient_has_no_finding_and_every_check_is_made) {
	struct arena *arena = arena_create();
	struct findings *findings = examine(arena, "{}", NULL);
	for (size_t i = 0; i < findings->n; i++) {
		print_error("%s: %s\n", findings->items[i].check->id, findings->items[i].what);
	}
	for (size_t i = 0; i < findings->unmade_count; i++) {
		print_error("%s: %s\n", findings->unmade[i].check->id, findings->unmade[i].why);
	}
	CHECK_INT(findings->n, 0);
	CHECK_INT(findings->unmade_count, 0);
	CHECK_INT(findings->made, check_count);
	arena_destroy(arena);
}

TEST(each_fault_is_found_by_its_check_with_evidence_and_a_fix) {
	for (size_t i = 0; i < SICK_COUNT; i++) {
		struct arena *arena = arena_create();
		const struct check *check = check_find(str_from(sick[i].id));
		CHECK(check != NULL);
		struct findings *findings = examine(arena, sick[i].change, check);
		if (findings->n != 1 || findings->items[0].severity != sick[i].severity) {
			print_error("%s %s: %zu findings, %zu not made (%s)\n", sick[i].id,
				sick[i].change, findings->n, findings->unmade_count,
				findings->unmade_count ? findings->unmade[0].why : "");
		}
		CHECK_INT(findings->n, 1);
		CHECK_INT(findings->items[0].severity, sick[i].severity);
		CHECK(findings->items[0].what[0] != '\0');
		CHECK(findings->items[0].evidence_count > 0);
		CHECK(findings->items[0].fix && findings->items[0].fix[0] != '\0');
		arena_destroy(arena);
	}
}

TEST(each_check_has_a_fault_here) {
	for (size_t i = 0; i < check_count; i++) {
		bool is_here = false;
		for (size_t j = 0; j < SICK_COUNT; j++) {
			is_here = is_here || strcmp(sick[j].id, check_table[i]->id) == 0;
		}
		if (!is_here) {
			print_error("%s\n", check_table[i]->id);
		}
		CHECK(is_here);
	}
}

TEST(a_check_whose_facts_are_missing_is_told_as_not_made) {
	for (size_t i = 0; i < check_count; i++) {
		struct arena *arena = arena_create();
		struct patient patient = {0};
		struct findings *findings = ARENA_NEW(arena, struct findings);
		findings->arena = arena;
		CHECK(check_table[i]->needs != NULL);
		for (const char *const *need = check_table[i]->needs; *need; need++) {
			struct str rest = str_from(*need), name;
			(void)str_split(&rest, '.', &name);
			const char *fact = arena_copy(arena, name);
			if (!patient_find(&patient, fact)) {
				patient_add_missing(&patient, fact, "it is hidden", false);
			}
		}
		checks_make(&patient, check_table[i], findings);
		CHECK_INT(findings->n, 0);
		CHECK_INT(findings->made, 0);
		CHECK_INT(findings->unmade_count, 1);
		CHECK_TEXT(findings->unmade[0].why, "it is hidden");
		arena_destroy(arena);
	}
}

TEST(each_check_has_its_page_built_in) {
	CHECK_INT(doctor_page_count, check_count);
	for (size_t i = 0; i < check_count; i++) {
		bool has_page = false;
		for (size_t j = 0; j < doctor_page_count; j++) {
			has_page = has_page || strcmp(doctor_pages[j].id, check_table[i]->id) == 0;
		}
		CHECK(has_page);
	}
}

TEST(the_worst_finding_comes_first) {
	struct arena *arena = arena_create();
	struct findings *findings = examine(arena,
		"{'clock':{'is_synchronised':false},'state':{'available_bytes':30000000},"
		"'processes':{'daemon':{'state':'T'}}}",
		NULL);
	CHECK_INT(findings->n, 3);
	CHECK_TEXT(findings->items[0].check->id, "daemon-stopped");
	CHECK_TEXT(findings->items[1].check->id, "disk-space");
	CHECK_TEXT(findings->items[2].check->id, "clock-unsynchronised");
	arena_destroy(arena);
}

TEST(more_findings_than_there_is_room_for_are_counted) {
	struct arena *arena = arena_create();
	struct findings *findings = ARENA_NEW(arena, struct findings);
	findings->arena = arena;
	findings->check = check_table[0];
	for (int i = 0; i < FINDINGS_MAX + 5; i++) {
		found(findings, NULL, "number %d", i);
		found_at(findings, "here", "evidence of %d", i);
	}
	CHECK_INT(findings->n, FINDINGS_MAX);
	CHECK_INT(findings->dropped, 5);
	CHECK_INT(findings->items[FINDINGS_MAX - 1].evidence_count, 1);
	arena_destroy(arena);
}

TEST(a_path_is_one_word_of_a_shell) {
	struct arena *arena = arena_create();
	CHECK_TEXT(quoted(arena, "/var/lib/anna"), "/var/lib/anna");
	CHECK_TEXT(quoted(arena, "/tmp/a b"), "'/tmp/a b'");
	CHECK_TEXT(quoted(arena, "/tmp/$(id);'x"), "'/tmp/$(id);'\\''x'");
	CHECK_TEXT(quoted(arena, "-rf"), "'-rf'");
	CHECK_TEXT(quoted(arena, ""), "''");
	arena_destroy(arena);
}

TEST(a_stopped_process_explains_the_silence) {
	struct arena *arena = arena_create();
	struct findings *findings = examine(arena,
		"{'rpc':{'ok':false,'error':'ConnectionTimeout'},"
		"'processes':{'daemon':{'state':'T'}}}",
		NULL);
	CHECK_INT(findings->n, 1);
	CHECK_TEXT(findings->items[0].check->id, "daemon-stopped");
	arena_destroy(arena);
}

int main(void) {
	return TESTS(RUN(a_healthy_patient_has_no_finding_and_every_check_is_made),
		RUN(each_fault_is_found_by_its_check_with_evidence_and_a_fix),
		RUN(each_check_has_a_fault_here),
		RUN(a_check_whose_facts_are_missing_is_told_as_not_made),
		RUN(each_check_has_its_page_built_in), RUN(the_worst_finding_comes_first),
		RUN(more_findings_than_there_is_room_for_are_counted),
		RUN(a_path_is_one_word_of_a_shell), RUN(a_stopped_process_explains_the_silence));
}
