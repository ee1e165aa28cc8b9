// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4): names config generations by their content. Not for passwords.
#pragma once

#include "base/str.h"

// Lower-case hexadecimal, NUL-terminated.
void sha256_hex(struct str message, char out_hex[65]);
