// SPDX-License-Identifier: Apache-2.0
// Conditions: a `where` table compiled into a tree of tests; see condition.h for the grammar.
// Compiled conditions are immutable and their evaluation touches nothing but the event, so the same
// event always gets the same verdict.
#include "engine/condition.h"

#include <math.h>

#include "base/clock.h"
#include "config/option.h"

#define NESTING_MAX 16	 // any in not in any …
#define TESTS_MAX 1000	 // in one condition
#define OBSERVED_MAX 256 // bytes of a text shown as guard value

enum op {
	OP_EQ,
	OP_NE,
	OP_GT,
	OP_GE,
	OP_LT,
	OP_LE,
	OP_GLOB,
	OP_STARTS,
	OP_ENDS,
	OP_CONTAINS,
	OP_IN,
	OP_EXISTS
};

static const char *const op_names[] = {
	"eq", "ne", "gt", "ge", "lt", "le", "glob", "starts", "ends", "contains", "in", "exists"};

#define OP_COUNT (sizeof(op_names) / sizeof(op_names[0]))

enum node_type {
	NODE_ALL,
	NODE_ANY,
	NODE_NOT,
	NODE_TEST
};

struct node {
	enum node_type type;
	struct node *next;  // the next of the same parent
	struct node *first; // ALL, ANY: children; NOT: its one child
	struct str name;    // TEST
	enum op op;
	const struct value *operand;
	bool is_time; // the operand is a time: compare times
	int64_t time_ns;
};

struct condition {
	struct node *root;
};

struct compiler {
	struct arena *arena;
	struct problems *problems;
	size_t tests;
	bool has_failed;
};

// --- compiling ---

_printf_(3, 4) static void complain(
	struct compiler *compiler, struct place place, const char *format, ...) {
	char text[512];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	problems_add(compiler->problems, place, "%s", text);
	compiler->has_failed = true;
}

static bool op_find(struct str name, enum op *out) {
	for (size_t i = 0; i < OP_COUNT; i++) {
		if (str_is(name, op_names[i])) {
			*out = (enum op)i;
			return true;
		}
	}
	return false;
}

static bool is_scalar(const struct value *value) {
	return value->type != VALUE_ARRAY && value->type != VALUE_TABLE &&
		value->type != VALUE_NULL;
}

static bool is_nan(const struct value *value) {
	return value->type == VALUE_DOUBLE && isnan(value->number);
}

// A TOML date-time or RFC 3339 text.
static bool value_to_time(const struct value *value, int64_t *out_ns) {
	return (value->type == VALUE_TIME || value->type == VALUE_STRING) &&
		time_parse(value->string, out_ns);
}

static bool is_order(enum op op) {
	return op >= OP_GT && op <= OP_LE;
}

static bool check_list(struct compiler *compiler, const struct value *list, struct str name) {
	if (list->array.n == 0) {
		complain(compiler, list->place, "%" STR_FMT ": an empty list can never hold",
			STR_ARG(name));
		return false;
	}
	for (size_t i = 0; i < list->array.n; i++) {
		const struct value *item = &list->array.items[i];
		if (!is_scalar(item) || is_nan(item)) {
			complain(compiler, item->place,
				"%" STR_FMT ": a list of alternatives holds texts, numbers and "
				"booleans, not %s",
				STR_ARG(name), is_nan(item) ? "nan" : value_type_name(item->type));
			return false;
		}
	}
	return true;
}

// What an operator takes; false after a problem.
static bool check_operand(struct compiler *compiler, struct node *test) {
	const struct value *operand = test->operand;
	const char *wanted = NULL;
	if (is_nan(operand)) {
		complain(compiler, operand->place,
			"%" STR_FMT ": nothing compares with nan; use { exists = true }",
			STR_ARG(test->name));
		return false;
	}
	if (is_order(test->op)) {
		test->is_time = value_to_time(operand, &test->time_ns);
		bool is_number = operand->type == VALUE_INT || operand->type == VALUE_DOUBLE;
		wanted = test->is_time || is_number ? NULL : "a number or a time";
	} else if (test->op >= OP_GLOB && test->op <= OP_ENDS) {
		wanted = operand->type == VALUE_STRING ? NULL : "a string";
	} else if (test->op == OP_IN) {
		wanted = operand->type == VALUE_ARRAY ? NULL : "a list";
	} else if (test->op == OP_EXISTS) {
		wanted = operand->type == VALUE_BOOL ? NULL : "true or false";
	} else {
		wanted = is_scalar(operand) ? NULL : "a string, a number, a boolean or a time";
	}
	if (wanted) {
		complain(compiler, operand->place, "%" STR_FMT ": %s needs %s, not %s",
			STR_ARG(test->name), op_names[test->op], wanted,
			value_type_name(operand->type));
		return false;
	}
	return test->op != OP_IN || check_list(compiler, operand, test->name);
}

// Appends a test to the chain at *end; the new end.
static struct node **add_test(struct compiler *compiler, struct node **end, struct str name,
	enum op op, const struct value *operand) {
	if (++compiler->tests > TESTS_MAX) {
		if (compiler->tests == TESTS_MAX + 1) {
			complain(compiler, operand->place, "a condition has at most %d tests",
				TESTS_MAX);
		}
		return end;
	}
	struct node *test = ARENA_NEW(compiler->arena, struct node);
	test->type = NODE_TEST;
	test->name = name;
	test->op = op;
	test->operand = operand;
	if (check_operand(compiler, test)) {
		*end = test;
		return &test->next;
	}
	return end;
}

static struct node **add_operators(
	struct compiler *compiler, struct node **end, struct str name, const struct value *table) {
	if (table->table.n == 0) {
		complain(compiler, table->place,
			"%" STR_FMT ": an empty table tests nothing; write { exists = true }",
			STR_ARG(name));
	}
	for (size_t i = 0; i < table->table.n; i++) {
		const struct member *member = &table->table.members[i];
		struct str key = str_head(member->key, 40);
		enum op op;
		if (op_find(member->key, &op)) {
			end = add_test(compiler, end, name, op, &member->value);
			continue;
		}
		const char *near = option_nearest(member->key, op_names, OP_COUNT);
		if (near) {
			complain(compiler, member->place,
				"%" STR_FMT ": there is no operator \"%" STR_FMT
				"\"; did you mean \"%s\"?",
				STR_ARG(name), STR_ARG(key), near);
		} else {
			complain(compiler, member->place,
				"%" STR_FMT ": there is no operator \"%" STR_FMT
				"\"; there are eq ne gt ge lt le glob starts ends contains in "
				"exists (a"
				" nested attribute is written \"%" STR_FMT ".%" STR_FMT "\")",
				STR_ARG(name), STR_ARG(key), STR_ARG(name), STR_ARG(key));
		}
	}
	return end;
}

// A member that is a name: equality, "one of", or operators.
static struct node **add_name(
	struct compiler *compiler, struct node **end, const struct member *member) {
	const struct value *value = &member->value;
	if (str_is_empty(member->key) || member->key.len > 100) {
		complain(compiler, member->place, "a name in a condition has 1 to 100 characters");
		return end;
	}
	switch (value->type) {
	case VALUE_TABLE:
		return add_operators(compiler, end, member->key, value);
	case VALUE_ARRAY:
		return add_test(compiler, end, member->key, OP_IN, value);
	default:
		return add_test(compiler, end, member->key, OP_EQ, value);
	}
}

// Tables hold any, and any holds tables.
static struct node *compile_table(
	struct compiler *compiler, const struct value *table, int depth, const char *what);

static struct node *compile_any(struct compiler *compiler, const struct value *list, int depth) {
	struct node *any = ARENA_NEW(compiler->arena, struct node);
	any->type = NODE_ANY;
	if (list->type != VALUE_ARRAY || list->array.n == 0) {
		complain(compiler, list->place,
			"any needs a list of tables, like any = [ { a = 1 }, { b = 2 } ]");
		return any;
	}
	struct node **end = &any->first;
	for (size_t i = 0; i < list->array.n && compiler->tests <= TESTS_MAX; i++) {
		*end = compile_table(compiler, &list->array.items[i], depth + 1, "an item of any");
		end = &(*end)->next;
	}
	return any;
}

// Never NULL. Recursion is bounded by NESTING_MAX: the grammar nests, and so does this.
static struct node *compile_table(
	struct compiler *compiler, const struct value *table, int depth, const char *what) {
	struct node *all = ARENA_NEW(compiler->arena, struct node);
	struct node **end = &all->first;
	all->type = NODE_ALL;
	if (table->type != VALUE_TABLE) {
		complain(compiler, table->place, "%s must be a table, not %s", what,
			value_type_name(table->type));
		return all;
	}
	if (depth > NESTING_MAX) {
		complain(compiler, table->place, "a condition nests at most %d deep", NESTING_MAX);
		return all;
	}
	for (size_t i = 0; i < table->table.n; i++) {
		const struct member *member = &table->table.members[i];
		if (str_is(member->key, "any")) {
			*end = compile_any(compiler, &member->value, depth);
			end = &(*end)->next;
		} else if (str_is(member->key, "not")) {
			struct node *not = ARENA_NEW(compiler->arena, struct node);
			not ->type = NODE_NOT;
			not ->first = compile_table(compiler, &member->value, depth + 1, "not");
			*end = not ;
			end = &not ->next;
		} else {
			end = add_name(compiler, end, member);
		}
	}
	return all;
}

const struct condition *condition_compile(struct arena *arena, const struct value *where,
	struct place place, struct problems *problems) {
	static const struct value nothing = {.type = VALUE_TABLE};
	struct compiler compiler = {.arena = arena, .problems = problems};
	struct condition *condition = ARENA_NEW(arena, struct condition);
	(void)place; // every value carries its own
	condition->root = compile_table(&compiler, where ? where : &nothing, 1, "where");
	return compiler.has_failed ? NULL : condition;
}

// --- evaluating ---

// The value a test looks at; NULL when absent. A JSON null counts as absent.
static const struct value *look_up(
	const struct node *test, const struct event *event, struct value *space) {
	if (!event_lookup(event, test->name, space) || space->type == VALUE_NULL) {
		return NULL;
	}
	return space;
}

// -1, 0, 1; false when they have no order. Exact for integers: long double holds 64 bits.
static bool compare(const struct node *test, const struct value *observed, int *out) {
	int64_t time_ns;
	long double left, right;
	if (test->is_time) {
		if (!value_to_time(observed, &time_ns)) {
			return false;
		}
		*out = time_ns < test->time_ns ? -1 : time_ns > test->time_ns;
		return true;
	}
	double number;
	if (!value_to_double(observed, &number) || isnan(number)) {
		return false;
	}
	left = observed->type == VALUE_INT ? (long double)observed->integer : observed->number;
	right = test->operand->type == VALUE_INT ? (long double)test->operand->integer
						 : test->operand->number;
	*out = left < right ? -1 : left > right;
	return true;
}

static bool equals(const struct value *operand, const struct value *observed) {
	int64_t wanted_ns, observed_ns;
	if (operand->type == VALUE_TIME) {
		return value_to_time(operand, &wanted_ns) &&
			value_to_time(observed, &observed_ns) && wanted_ns == observed_ns;
	}
	return value_equal(operand, observed);
}

static bool is_one_of(const struct value *list, const struct value *observed) {
	for (size_t i = 0; i < list->array.n; i++) {
		if (equals(&list->array.items[i], observed)) {
			return true;
		}
	}
	return false;
}

// A part of a text, or an item of a list.
static bool contains(const struct value *operand, const struct value *observed) {
	if (observed->type == VALUE_STRING && operand->type == VALUE_STRING) {
		return str_find(observed->string, operand->string) >= 0;
	}
	if (observed->type != VALUE_ARRAY) {
		return false;
	}
	for (size_t i = 0; i < observed->array.n; i++) {
		if (equals(operand, &observed->array.items[i])) {
			return true;
		}
	}
	return false;
}

static bool order_holds(const struct node *test, const struct value *observed) {
	int order;
	if (!compare(test, observed, &order)) {
		return false;
	}
	switch (test->op) {
	case OP_GT:
		return order > 0;
	case OP_GE:
		return order >= 0;
	case OP_LT:
		return order < 0;
	default:
		return order <= 0;
	}
}

static bool text_holds(const struct node *test, const struct value *observed) {
	if (observed->type != VALUE_STRING) {
		return false;
	}
	switch (test->op) {
	case OP_GLOB:
		return str_glob(test->operand->string, observed->string);
	case OP_STARTS:
		return str_starts(observed->string, test->operand->string);
	default:
		return str_ends(observed->string, test->operand->string);
	}
}

static bool test_holds(const struct node *test, const struct value *observed) {
	if (test->op == OP_EXISTS) {
		return test->operand->boolean == (observed != NULL);
	}
	if (!observed) {
		return test->op == OP_NE;
	}
	switch (test->op) {
	case OP_EQ:
		return equals(test->operand, observed);
	case OP_NE:
		return !equals(test->operand, observed);
	case OP_CONTAINS:
		return contains(test->operand, observed);
	case OP_IN:
		return is_one_of(test->operand, observed);
	case OP_GLOB:
	case OP_STARTS:
	case OP_ENDS:
		return text_holds(test, observed);
	default:
		return order_holds(test, observed);
	}
}

// Finds the test that decided: the first that does not hold. *out_failed stays NULL when it holds.
// Of `any` that is the first alternative's, of `not` the (first) test that should not have held.
static bool node_holds(
	const struct node *node, const struct event *event, const struct node **out_failed) {
	struct value space;
	const struct node *inner = NULL;
	switch (node->type) {
	case NODE_TEST:
		if (test_holds(node, look_up(node, event, &space))) {
			return true;
		}
		*out_failed = node;
		return false;
	case NODE_NOT:
		if (!node_holds(node->first, event, &inner)) {
			return true;
		}
		*out_failed = node;
		return false;
	case NODE_ANY:
		for (const struct node *child = node->first; child; child = child->next) {
			if (node_holds(child, event, &inner)) {
				return true;
			}
		}
		*out_failed = node;
		return false;
	case NODE_ALL:
		for (const struct node *child = node->first; child; child = child->next) {
			if (!node_holds(child, event, out_failed)) {
				return false;
			}
		}
		return true;
	}
	return false;
}

bool condition_holds(const struct condition *condition, const struct event *event) {
	const struct node *failed = NULL;
	return node_holds(condition->root, event, &failed);
}

// --- explaining ---

// Calls on_test for each test below, in the order written.
static void each_test(
	const struct node *node, void (*on_test)(void *arg, const struct node *test), void *arg) {
	if (node->type == NODE_TEST) {
		on_test(arg, node);
	}
	for (const struct node *child = node->first; child; child = child->next) {
		each_test(child, on_test, arg);
	}
}

static void format_value(struct buf *out, const struct value *value) {
	switch (value->type) {
	case VALUE_STRING:
	case VALUE_TIME:
		buf_append_str(out, value->string);
		return;
	case VALUE_DOUBLE:
		buf_append_double(out, value->number);
		return;
	default:
		json_format(out, value);
	}
}

struct explanation {
	const struct event *event;
	struct buf guard;
	struct buf observed;
};

static void explain_test(void *arg, const struct node *test) {
	struct explanation *explanation = arg;
	const char *comma = explanation->guard.len ? ", " : "";
	struct value space;
	const struct value *observed = look_up(test, explanation->event, &space);
	if (explanation->guard.len > sizeof((struct condition_verdict){0}.guard)) {
		return; // what follows is cut anyway
	}
	buf_appendf(&explanation->guard, "%s%" STR_FMT " %s ", comma, STR_ARG(test->name),
		op_names[test->op]);
	format_value(&explanation->guard, test->operand);
	buf_appendf(&explanation->observed, "%s%" STR_FMT " is ", comma, STR_ARG(test->name));
	if (observed) {
		format_value(&explanation->observed, observed);
	} else {
		buf_append_text(&explanation->observed, "absent");
	}
}

// Cut at a character's boundary, with "…" where something is missing.
static void copy_cut(
	char *out, size_t size, const char *before, const struct buf *text, const char *after) {
	int n = snprintf(out, size, "%s%s%s", before, buf_text(text), after);
	if (n < 0 || (size_t)n < size) {
		return;
	}
	size_t len = size - sizeof("…");
	while (len > 0 && ((unsigned char)out[len] & 0xc0) == 0x80) {
		len--;
	}
	memcpy(out + len, "…", sizeof("…"));
}

void condition_explain(const struct condition *condition, const struct event *event,
	struct condition_verdict *out) {
	const struct node *failed = NULL;
	struct explanation explanation = {.event = event};
	*out = (struct condition_verdict){.holds = node_holds(condition->root, event, &failed)};
	each_test(failed ? failed : condition->root, explain_test, &explanation);
	const char *before = "", *after = "";
	if (failed && failed->type != NODE_TEST) {
		before = failed->type == NODE_NOT ? "not (" : "any of (";
		after = ")";
	}
	copy_cut(out->guard, sizeof(out->guard), before, &explanation.guard, after);
	copy_cut(out->observed, sizeof(out->observed), "", &explanation.observed, "");
	buf_finish(&explanation.guard);
	buf_finish(&explanation.observed);
}

struct observation {
	const struct event *event;
	struct json_writer *writer;
	const struct node *seen[32]; // names written already; more tests are left out
	size_t n;
};

static void observe_test(void *arg, const struct node *test) {
	struct observation *observation = arg;
	struct value space;
	for (size_t i = 0; i < observation->n; i++) {
		if (str_equal(observation->seen[i]->name, test->name)) {
			return;
		}
	}
	if (observation->n == sizeof(observation->seen) / sizeof(observation->seen[0])) {
		return;
	}
	observation->seen[observation->n++] = test;
	const struct value *observed = look_up(test, observation->event, &space);
	json_key_str(observation->writer, test->name);
	if (!observed) {
		json_null(observation->writer);
	} else if (observed->type == VALUE_ARRAY || observed->type == VALUE_TABLE) {
		json_text(observation->writer, value_type_name(observed->type));
	} else if (observed->type == VALUE_STRING) {
		json_str(observation->writer, str_head(observed->string, OBSERVED_MAX));
	} else {
		json_value(observation->writer, observed);
	}
}

void condition_observed(
	const struct condition *condition, const struct event *event, struct json_writer *writer) {
	struct observation observation = {.event = event, .writer = writer};
	json_begin_object(writer);
	each_test(condition->root, observe_test, &observation);
	json_end_object(writer);
}
