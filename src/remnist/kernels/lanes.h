/* Sixteen floats at a time: one register of AVX-512, or two of AVX2.
 *
 * Each operation is an intrinsic: a product and its addition are one fused operation, rounded once. Compiled without
 * contraction or reordering (-ffp-contract=off, no -ffast-math) the bits are the same from every compiler, for AVX2 and
 * AVX-512, on every processor that has them.
 */

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 32") /* without it gcc keeps sums in memory, and takes 1.6 times as long */

typedef __m256 lanes; /* 8 floats */

enum { LANES = 8, SIXTEEN = 16 }; /* floats of `lanes`, and of `sixteen` */

#ifdef __AVX512F__

typedef __m512 sixteen, reg; /* a register */
enum { WIDE_REGISTERS = 1, REGISTER = 16 }; /* floats of a register */

INLINE reg load_register(const float *a) { return _mm512_loadu_ps(a); }
INLINE void store_register(float *to, reg a) { _mm512_storeu_ps(to, a); }
INLINE reg add_product_register(reg to, reg a, reg b) { return _mm512_fmadd_ps(a, b, to); }

INLINE __mmask16 first(int n) { return (__mmask16)((1u << n) - 1); }
INLINE sixteen load(const float *a) { return _mm512_loadu_ps(a); }
INLINE sixteen load_first(const float *a, int n) { return _mm512_maskz_loadu_ps(first(n), a); }
INLINE sixteen all(float a) { return _mm512_set1_ps(a); }
INLINE void store(float *to, sixteen a) { _mm512_storeu_ps(to, a); }
INLINE void store_first(float *to, sixteen a, int n) { _mm512_mask_storeu_ps(to, first(n), a); }
INLINE sixteen sum(sixteen a, sixteen b) { return _mm512_add_ps(a, b); }
INLINE sixteen most(sixteen a, sixteen b) { return _mm512_max_ps(a, b); }
INLINE sixteen least(sixteen a, sixteen b) { return _mm512_min_ps(a, b); }
INLINE sixteen times(sixteen a, sixteen b) { return _mm512_mul_ps(a, b); }
INLINE sixteen divided(sixteen a, sixteen b) { return _mm512_div_ps(a, b); }
INLINE sixteen add_product(sixteen to, sixteen a, sixteen b) { return _mm512_fmadd_ps(a, b, to); }
/* 2 to the power of whole numbers from -126 to 127 */
INLINE sixteen power_of_two(sixteen a) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(a), _mm512_set1_epi32(127)), 23));
}
INLINE sixteen rounded(sixteen a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

#else

typedef struct { lanes low, high; } sixteen;
typedef __m256 reg;
enum { WIDE_REGISTERS = 0, REGISTER = 8 };

INLINE reg load_register(const float *a) { return _mm256_loadu_ps(a); }
INLINE void store_register(float *to, reg a) { _mm256_storeu_ps(to, a); }
INLINE reg add_product_register(reg to, reg a, reg b) { return _mm256_fmadd_ps(a, b, to); }

INLINE __m256i first(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE sixteen load(const float *a) { return (sixteen){_mm256_loadu_ps(a), _mm256_loadu_ps(a + LANES)}; }
INLINE sixteen load_first(const float *a, int n) {
    return (sixteen){_mm256_maskload_ps(a, first(n)), _mm256_maskload_ps(a + LANES, first(n - LANES))};
}
INLINE sixteen all(float a) { return (sixteen){_mm256_set1_ps(a), _mm256_set1_ps(a)}; }
INLINE void store(float *to, sixteen a) { _mm256_storeu_ps(to, a.low), _mm256_storeu_ps(to + LANES, a.high); }
INLINE void store_first(float *to, sixteen a, int n) {
    _mm256_maskstore_ps(to, first(n), a.low), _mm256_maskstore_ps(to + LANES, first(n - LANES), a.high);
}
INLINE sixteen sum(sixteen a, sixteen b) {
    return (sixteen){_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
INLINE sixteen most(sixteen a, sixteen b) {
    return (sixteen){_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}
INLINE sixteen least(sixteen a, sixteen b) {
    return (sixteen){_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}
INLINE sixteen times(sixteen a, sixteen b) {
    return (sixteen){_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
INLINE sixteen divided(sixteen a, sixteen b) {
    return (sixteen){_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
INLINE sixteen add_product(sixteen to, sixteen a, sixteen b) {
    return (sixteen){_mm256_fmadd_ps(a.low, b.low, to.low), _mm256_fmadd_ps(a.high, b.high, to.high)};
}
/* 2 to the power of whole numbers from -126 to 127 */
INLINE lanes power_of_two_(lanes a) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(a), _mm256_set1_epi32(127)), 23));
}
INLINE sixteen power_of_two(sixteen a) { return (sixteen){power_of_two_(a.low), power_of_two_(a.high)}; }
INLINE lanes rounded_(lanes a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE sixteen rounded(sixteen a) { return (sixteen){rounded_(a.low), rounded_(a.high)}; }

#endif
