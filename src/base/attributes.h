// SPDX-License-Identifier: Apache-2.0
// The compiler extensions this project allows itself, each under one readable name.
#pragma once

// Runs f(&variable) when the variable leaves scope; see the x_destroyp functions.
#define _cleanup_(f) __attribute__((cleanup(f)))
// Checks printf-style arguments: format is parameter a, the first value is parameter b.
#define _printf_(a, b) __attribute__((format(printf, a, b)))
// The result says whether it worked and may not be dropped.
#define _must_use_ __attribute__((warn_unused_result))
#define _noreturn_ __attribute__((noreturn))
#define _unused_ __attribute__((unused))
