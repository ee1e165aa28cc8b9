// SPDX-License-Identifier: Apache-2.0
// SHA-256 as in FIPS 180-4 §6.2, by the CPU's own instructions where it has them (ten times as
// fast: a reload hashes every byte of the configuration).
#include "base/sha256.h"

#include <string.h>

#if defined(__x86_64__) && !defined(ANNA_PORTABLE)
#include <cpuid.h>
#include <immintrin.h>
#endif

static const uint32_t k[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b,
	0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6,
	0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d,
	0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585,
	0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa,
	0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t right(uint32_t x, int n) {
	return (x >> n) | (x << (32 - n));
}

static void compress_portable(uint32_t h[8], const unsigned char block[64]) {
	uint32_t w[64], v[8];
	for (int i = 0; i < 16; i++) {
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
			(uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	}
	for (int i = 16; i < 64; i++) {
		uint32_t s0 = right(w[i - 15], 7) ^ right(w[i - 15], 18) ^ (w[i - 15] >> 3);
		uint32_t s1 = right(w[i - 2], 17) ^ right(w[i - 2], 19) ^ (w[i - 2] >> 10);
		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
	memcpy(v, h, sizeof(v));
	for (int i = 0; i < 64; i++) {
		uint32_t s1 = right(v[4], 6) ^ right(v[4], 11) ^ right(v[4], 25);
		uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
		uint32_t t1 = v[7] + s1 + choice + k[i] + w[i];
		uint32_t s0 = right(v[0], 2) ^ right(v[0], 13) ^ right(v[0], 22);
		uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += t1;
		v[0] = t1 + s0 + majority;
	}
	for (int i = 0; i < 8; i++) {
		h[i] += v[i];
	}
}

#if defined(__x86_64__) && !defined(ANNA_PORTABLE)
// Four rounds at a time; the state is kept as the instructions want it, ABEF and CDGH
// (Gulley et al., Intel SHA Extensions, 2013).
__attribute__((target("sha,sse4.1"))) static void compress_by_cpu(
	uint32_t h[8], const unsigned char block[64]) {
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)h), 0xb1);
	__m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(h + 4)), 0x1b);
	__m128i abef = _mm_alignr_epi8(low, high, 8);
	__m128i cdgh = _mm_blend_epi16(high, low, 0xf0);
	const __m128i abef_before = abef, cdgh_before = cdgh;
	__m128i w[4];
	for (int i = 0; i < 4; i++) {
		w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + 16 * i)), swap);
	}
	for (int i = 0; i < 16; i++) {
		__m128i now = w[i & 3];
		if (i >= 4) {
			__m128i last = w[(i + 3) & 3];
			now = _mm_sha256msg1_epu32(now, w[(i + 1) & 3]);
			now = _mm_add_epi32(now, _mm_alignr_epi8(last, w[(i + 2) & 3], 4));
			now = _mm_sha256msg2_epu32(now, last);
			w[i & 3] = now;
		}
		__m128i sum = _mm_add_epi32(now, _mm_loadu_si128((const __m128i *)(k + 4 * i)));
		cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
		abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
	}
	abef = _mm_add_epi32(abef, abef_before);
	cdgh = _mm_add_epi32(cdgh, cdgh_before);
	low = _mm_shuffle_epi32(abef, 0x1b);
	high = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((__m128i *)h, _mm_blend_epi16(low, high, 0xf0));
	_mm_storeu_si128((__m128i *)(h + 4), _mm_alignr_epi8(high, low, 8));
}

static void compress(uint32_t h[8], const unsigned char block[64]) {
	// Bit 29 of EBX of leaf 7 (__builtin_cpu_supports does not know "sha" in gcc 12).
	static int has_sha; // 0 not asked yet, 1 yes, 2 no; the same from every thread
	int known = __atomic_load_n(&has_sha, __ATOMIC_RELAXED);
	if (!known) {
		unsigned a, b, c, d;
		bool is_there = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 29)) &&
			__builtin_cpu_supports("sse4.1");
		known = is_there ? 1 : 2;
		__atomic_store_n(&has_sha, known, __ATOMIC_RELAXED);
	}
	if (known == 1) {
		compress_by_cpu(h, block);
	} else {
		compress_portable(h, block);
	}
}
#else
#define compress compress_portable
#endif

void sha256_hex(struct str message, char out_hex[65]) {
	uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
		0x1f83d9ab, 0x5be0cd19};
	size_t whole = message.len / 64 * 64;
	for (size_t i = 0; i < whole; i += 64) {
		compress(h, (const unsigned char *)message.at + i);
	}
	unsigned char tail[128] = {0};
	size_t rest = message.len - whole;
	if (rest) {
		memcpy(tail, message.at + whole, rest);
	}
	tail[rest] = 0x80;
	size_t end = rest < 56 ? 64 : 128;
	uint64_t bits = (uint64_t)message.len * 8;
	for (int i = 0; i < 8; i++) {
		tail[end - 1 - (size_t)i] = (unsigned char)(bits >> (8 * i));
	}
	compress(h, tail);
	if (end == 128) {
		compress(h, tail + 64);
	}
	for (int i = 0; i < 64; i++) {
		out_hex[i] = "0123456789abcdef"[h[i / 8] >> (28 - 4 * (i % 8)) & 15];
	}
	out_hex[64] = '\0';
}
