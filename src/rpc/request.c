// SPDX-License-Identifier: Apache-2.0
// One request object: is it one, is there such a method, may the caller, are the parameters right?
// Then its handler runs. Each way ends with the call answered, or held by the handler.
#include <stdarg.h>
#include <string.h>

#include "base/log.h"
#include "flow/bus.h"
#include "flow/capability.h"
#include "rpc/anna.h"
#include "rpc/call.h"

#define LOG_FOLDER "rpc"

_printf_(3, 4) static void fail(struct call *call, enum err_code code, const char *format, ...) {
	struct err err = {.code = code};
	va_list args;
	va_start(args, format);
	(void)vsnprintf(err.message, sizeof(err.message), format, args); // cut is fine
	va_end(args);
	call_fail(call, &err);
}

static void fail_unknown_method(struct call *call, struct str name) {
	const struct rpc_options *options = &call->rpc->options;
	const char **names = arena_array(call->arena, options->method_count, sizeof(*names));
	for (size_t i = 0; i < options->method_count; i++) {
		names[i] = options->methods[i]->name;
	}
	const char *near = option_nearest(name, names, options->method_count);
	fail(call, ERR_METHOD, "there is no method \"%" STR_FMT "\"%s%s%s",
		STR_ARG(str_head(name, 64)), near ? "; did you mean \"" : "", near ? near : "",
		near ? "\"?" : "");
}

// Says which parameters the method has: "limit, after".
static void fail_by_position(struct call *call) {
	struct buf names = BUF_INIT;
	const struct method *method = call->method;
	for (const struct option *row = method->params; row && row->type != OPTION_END; row++) {
		buf_appendf(&names, "%s%s", row == method->params ? "" : ", ", row->key);
	}
	fail(call, ERR_PARAMS, "parameters are given by name, as an object: %s takes %s",
		method->name, names.len ? buf_text(&names) : "none");
	buf_finish(&names);
}

static void fail_params(struct call *call, const struct problems *problems) {
	struct buf text = BUF_INIT;
	for (size_t i = 0; i < problems->n; i++) {
		if (!problems->items[i].is_warning) {
			buf_appendf(
				&text, "%s%s", text.len ? "; " : "", problems->items[i].message);
		}
	}
	fail(call, ERR_PARAMS, "%s", buf_text(&text));
	buf_finish(&text);
}

// Fills call->params; false: the call has been failed.
static bool fill_params(struct call *call, const struct value *params) {
	const struct method *method = call->method;
	if (params && params->type == VALUE_ARRAY) {
		fail_by_position(call);
		return false;
	}
	if (!method->params) {
		if (params && params->table.n > 0) {
			fail(call, ERR_PARAMS,
				"%s takes no parameters, but \"%" STR_FMT "\" was given",
				method->name, STR_ARG(str_head(params->table.members[0].key, 64)));
			return false;
		}
		return true;
	}
	struct problems problems = PROBLEMS_INIT;
	struct option_reader reader = {
		.arena = call->arena, .problems = &problems, .noun = "parameter"};
	void *filled = arena_alloc(call->arena, method->params_size);
	bool ok = option_fill(&reader, method->params, params, (struct place){0}, filled);
	call->params = filled;
	if (!ok) {
		fail_params(call, &problems);
	}
	problems_finish(&problems);
	return ok;
}

static bool is_always_answered(const struct method *method) {
	return strcmp(method->name, "status") == 0 || strcmp(method->name, "ping") == 0 ||
		strcmp(method->name, "rpc.describe") == 0;
}

// Before it is done: what it brings about comes after it. A journal that is full must not keep
// anybody from stopping Anna.
static void publish_call(const struct call *call) {
	struct event *event = event_create("rpc.called", "rpc", str_from(call->method->name));
	struct err err = ERR_INIT;
	event_set_text(event, "method", call->method->name);
	event_set_int(event, "uid", call->caller.uid);
	event_set_int(event, "pid", call->caller.pid);
	if (!bus_publish_reserved(anna_services(call_anna(call))->bus, event, &err)) {
		log_warn("a call of %s by uid %u is not in the journal: %s", call->method->name,
			(unsigned)call->caller.uid, err.message);
	}
}

static void run_method(struct call *call, struct str name, const struct value *params) {
	const struct method *method = call->method = map_get(&call->rpc->methods, name);
	if (!method) {
		fail_unknown_method(call, name);
	} else if (call->caller.role < method->role) {
		fail(call, ERR_DENIED, "%s needs the role %s, and uid %u has the role %s",
			method->name, role_name(method->role), (unsigned)call->caller.uid,
			role_name(call->caller.role));
	} else if (!call->rpc->is_ready && !is_always_answered(method)) {
		fail(call, ERR_UNAVAILABLE,
			"Anna is starting or stopping; %s is not answered now (status and ping "
			"are)",
			method->name);
	} else if (fill_params(call, params)) {
		if (method->is_audited) {
			publish_call(call);
		}
		method->handle(call);
	}
}

struct request {
	const struct value *version, *method, *params, *id;
};

static void read_members(const struct value *value, struct request *out) {
	for (size_t i = 0; i < value->table.n; i++) {
		const struct member *member = &value->table.members[i];
		if (str_equal(member->key, STR("jsonrpc"))) {
			out->version = &member->value;
		} else if (str_equal(member->key, STR("method"))) {
			out->method = &member->value;
		} else if (str_equal(member->key, STR("id"))) {
			out->id = &member->value;
		} else if (str_equal(member->key, STR("params"))) {
			out->params = &member->value;
		}
	}
}

static bool is_id(const struct value *value) {
	return value->type == VALUE_NULL || value->type == VALUE_INT ||
		value->type == VALUE_DOUBLE || value->type == VALUE_STRING;
}

// What is wrong with the request, or NULL.
static const char *request_fault(const struct request *request) {
	if (request->id && !is_id(request->id)) {
		return "the id is neither a string nor a number nor null";
	}
	if (!request->version) {
		return "the member jsonrpc is missing; give \"jsonrpc\":\"2.0\"";
	}
	if (request->version->type != VALUE_STRING || !str_is(request->version->string, "2.0")) {
		return "jsonrpc is not \"2.0\"; only JSON-RPC 2.0 is spoken here";
	}
	if (!request->method) {
		return "the member method is missing";
	}
	if (request->method->type != VALUE_STRING) {
		return "the method is not a string";
	}
	if (request->params && request->params->type != VALUE_NULL &&
		request->params->type != VALUE_ARRAY && request->params->type != VALUE_TABLE) {
		return "params is not an object";
	}
	return NULL;
}

void request_run(struct call *call, const struct value *value) {
	struct request request = {0};
	if (value->type != VALUE_TABLE) {
		fail(call, ERR_REQUEST, "a request is an object, not %s",
			value_type_name(value->type));
		return;
	}
	read_members(value, &request);
	const char *fault = request_fault(&request);
	if (request.id && is_id(request.id)) {
		call->id = *request.id;
	}
	if (fault) {
		fail(call, ERR_REQUEST, "%s", fault);
		return;
	}
	call->is_notification = !request.id;
	bool has_params = request.params && request.params->type != VALUE_NULL;
	run_method(call, request.method->string, has_params ? request.params : NULL);
}
