// SPDX-License-Identifier: Apache-2.0
// The pages of docs/guide/findings, built into the program (tools/pages), so that they are at hand where
// no documentation is installed.
#pragma once

#include <stddef.h>

struct page {
	const char *id;
	const char *text; // Markdown
};

extern const struct page doctor_pages[];
extern const size_t doctor_page_count;
