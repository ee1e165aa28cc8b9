// SPDX-License-Identifier: Apache-2.0
// CRC-32C; see crc32c.h.
#include "base/crc32c.h"

#include <string.h>

#if defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

static uint32_t by_table(uint32_t crc, const unsigned char *at, size_t n) {
	static uint32_t table[256];
	static _Atomic int ready;
	if (!ready) { // writing the same values twice from two threads is harmless
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t value = i;
			for (int bit = 0; bit < 8; bit++) {
				value = value & 1 ? (value >> 1) ^ 0x82f63b78u : value >> 1;
			}
			__atomic_store_n(&table[i], value, __ATOMIC_RELAXED);
		}
		ready = 1;
	}
	while (n--) {
		crc = (crc >> 8) ^ __atomic_load_n(&table[(crc ^ *at++) & 0xff], __ATOMIC_RELAXED);
	}
	return crc;
}

#if defined(__x86_64__) && !defined(ANNA_PORTABLE)
__attribute__((target("sse4.2"))) static uint32_t by_cpu(
	uint32_t crc, const unsigned char *at, size_t n) {
	uint64_t wide = crc;
	for (; n >= 8; n -= 8, at += 8) {
		uint64_t word;
		memcpy(&word, at, 8);
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (uint32_t)wide;
	while (n--) {
		crc = __builtin_ia32_crc32qi(crc, *at++);
	}
	return crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *bytes, size_t n) {
	crc = ~crc;
#if defined(__x86_64__) && !defined(ANNA_PORTABLE)
	if (__builtin_cpu_supports("sse4.2")) {
		return ~by_cpu(crc, bytes, n);
	}
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32) && !defined(ANNA_PORTABLE)
	const unsigned char *at = bytes;
	for (; n >= 8; n -= 8, at += 8) {
		uint64_t word;
		memcpy(&word, at, 8);
		crc = __crc32cd(crc, word);
	}
	return ~by_table(crc, at, n);
#endif
	return ~by_table(crc, bytes, n);
}
