// SPDX-License-Identifier: Apache-2.0
#include "formats/exposition.h"

#include <math.h>

#include "tests/check.h"

TEST(a_family_is_begun_once_and_followed_by_its_samples) {
	struct buf buf = BUF_INIT;
	struct exposition exposition;
	exposition_init(&exposition, &buf);
	exposition_family(&exposition, "node_load1", "gauge", "1m load average.");
	exposition_sample(&exposition, 0.5, NULL);
	exposition_family(&exposition, "t_seconds", "summary", "Time.");
	exposition_sample(&exposition, 1e-3, "quantile", "0.5", "op", "read", NULL);
	exposition_suffixed(&exposition, "_sum", 12, NULL);
	exposition_suffixed(&exposition, "_count", 3, "op", "read", NULL);
	CHECK_TEXT(buf_text(&buf),
		"# HELP node_load1 1m load average.\n"
		"# TYPE node_load1 gauge\n"
		"node_load1 0.5\n"
		"# HELP t_seconds Time.\n"
		"# TYPE t_seconds summary\n"
		"t_seconds{quantile=\"0.5\",op=\"read\"} 0.001\n"
		"t_seconds_sum 12\n"
		"t_seconds_count{op=\"read\"} 3\n");
	buf_finish(&buf);
}

TEST(help_and_labels_are_escaped) {
	struct buf buf = BUF_INIT;
	struct exposition exposition;
	exposition_init(&exposition, &buf);
	exposition_family(&exposition, "a", "untyped", "x\ny\\z \"q\"");
	exposition_sample(&exposition, NAN, "path", "C:\\ \"q\"\n", NULL);
	exposition_sample(&exposition, INFINITY, "path", "", NULL);
	CHECK_TEXT(buf_text(&buf),
		"# HELP a x\\ny\\\\z \"q\"\n"
		"# TYPE a untyped\n"
		"a{path=\"C:\\\\ \\\"q\\\"\\n\"} NaN\n"
		"a{path=\"\"} +Inf\n");
	buf_finish(&buf);
}

int main(void) {
	return TESTS(RUN(a_family_is_begun_once_and_followed_by_its_samples),
		RUN(help_and_labels_are_escaped));
}
