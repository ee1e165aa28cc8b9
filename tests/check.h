// SPDX-License-Identifier: Apache-2.0
// Unit tests: each is a function whose name is a sentence, listed in main with RUN.
//
//	TEST(empty_text_is_not_a_number) { CHECK(!str_to_int64(STR(""), &n)); }
//	int main(void) { return TESTS(RUN(empty_text_is_not_a_number)); }
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

#define TEST(name) static void name(void **state_ __attribute__((unused)))
#define RUN(name) cmocka_unit_test(name)
#define TESTS(...) \
	({ \
		const struct CMUnitTest tests_[] = {__VA_ARGS__}; \
		cmocka_run_group_tests(tests_, NULL, NULL); \
	})

#define CHECK(condition) assert_true(condition)
// Integers of any width; prints both in decimal.
#define CHECK_INT(actual, expected) \
	do { \
		long long a_ = (long long)(actual), e_ = (long long)(expected); \
		if (a_ != e_) { \
			print_error("%s is %lld, expected %lld\n", #actual, a_, e_); \
			_fail(__FILE__, __LINE__); \
		} \
	} while (0)
#define CHECK_DOUBLE(actual, expected) \
	do { \
		double a_ = (actual), e_ = (expected); \
		if (a_ != e_) { \
			print_error("%s is %.17g, expected %.17g\n", #actual, a_, e_); \
			_fail(__FILE__, __LINE__); \
		} \
	} while (0)
// C strings.
#define CHECK_TEXT(actual, expected) \
	do { \
		const char *a_ = (actual), *e_ = (expected); \
		if (!a_ || strcmp(a_, e_) != 0) { \
			print_error("%s is \"%s\", expected \"%s\"\n", #actual, \
				a_ ? a_ : "(null)", e_); \
			_fail(__FILE__, __LINE__); \
		} \
	} while (0)
// A struct str against a C string.
#define CHECK_STR(actual, expected) \
	do { \
		struct str a_ = (actual), e_ = str_from(expected); \
		if (!str_equal(a_, e_)) { \
			print_error( \
				"%s is \"%.*s\", expected \"%s\"\n", #actual, STR_ARG(a_), e_.at); \
			_fail(__FILE__, __LINE__); \
		} \
	} while (0)
