// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli, RFC 3720 appendix B.4), by the CPU where it can.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Continue with the previous result; begin with 0.
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);
