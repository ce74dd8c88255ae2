/* Products of matrices.
 *
 * An element of a product is one sum, in the order of its terms: ((0 + a0 b0) + a1 b1) + ..., then the bias. How many
 * elements are computed at a time decides no bit, so that a processor with AVX-512 takes larger tiles than one with
 * AVX2. A tile is some rows by some sixteens of columns, whose sums stay in registers:
 *
 *                    b's columns, next to each other
 *                    | b0 ... b15 | b16 ... b31 | ...      one term of all columns, loaded at once
 *     a, a column    +------------+-------------+----
 *     of its rows    | sums       | sums        |          each row's element of a, in all lanes, by these
 *
 * Where b's columns are not next to each other, as those of transposed weights, b is first laid out so.
 */

#include "lanes.h"

/* rows and sixteens of a tile: 24 sums of 32 registers, or 12 of 16 */
enum { ROWS = WIDE_REGISTERS ? 8 : 6, WIDE = WIDE_REGISTERS ? 3 : 1 };
enum { TERMS = 256 }; /* terms at a time, whose columns stay in the nearer caches */

/* `count` products of (rows, terms) by (terms, columns), each result row after row, and the steps in memory, in floats;
 * `resumed` where `out` holds the sums of earlier terms. */
typedef struct {
    long count, rows, terms, columns, a_matrix, a_row, a_term, b_matrix, b_term, b_column, resumed;
} matrices;

/* Where some rows and columns begin. */
typedef struct {
    const float *a, *b, *bias;
    float *out;
} corner;

/* A tile, of whose last sixteen so many columns are there. */
INLINE void tile(const int rows, const int wide, const int whole, const corner at, const matrices *s, int last) {
    sixteen sums[ROWS][WIDE];
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < wide; j++) {
        const float *from = at.out + i * s->columns + j * SIXTEEN;
        sums[i][j] = !s->resumed ? all(0) : whole || j < wide - 1 ? load(from) : load_first(from, last);
    }
    const float *a = at.a, *b = at.b;
    for (long term = 0; term < s->terms; term++, a += s->a_term, b += s->b_term) {
        sixteen columns[WIDE];
        UNROLL for (int j = 0; j < wide; j++)
            columns[j] = whole || j < wide - 1 ? load(b + j * SIXTEEN) : load_first(b + j * SIXTEEN, last);
        UNROLL for (int i = 0; i < rows; i++) {
            sixteen row = all(a[i * s->a_row]);
            UNROLL for (int j = 0; j < wide; j++) sums[i][j] = add_product(sums[i][j], row, columns[j]);
        }
    }
    UNROLL for (int j = 0; j < wide; j++) {
        int n = whole || j < wide - 1 ? SIXTEEN : last;
        sixteen bias = at.bias ? load_first(at.bias + j * SIXTEEN, n) : all(0);
        UNROLL for (int i = 0; i < rows; i++) {
            sixteen result = at.bias ? sum(sums[i][j], bias) : sums[i][j];
            float *to = at.out + i * s->columns + j * SIXTEEN;
            if (whole || j < wide - 1) store(to, result);
            else store_first(to, result, n);
        }
    }
}

/* All rows of some sixteens of columns. */
INLINE void strip(const int wide, const int whole, corner at, const matrices *s, int last) {
    long row = 0;
    for (; row + ROWS <= s->rows; row += ROWS, at.a += ROWS * s->a_row, at.out += ROWS * s->columns)
        tile(ROWS, wide, whole, at, s, last);
    for (; row < s->rows; row++, at.a += s->a_row, at.out += s->columns) tile(1, wide, whole, at, s, last);
}

static void strip_of(int wide, corner at, const matrices *s, int last) {
    switch (2 * wide + (last == SIXTEEN)) {
        case 2: strip(1, 0, at, s, last); break;
        case 3: strip(1, 1, at, s, last); break;
#ifdef __AVX512F__
        case 4: strip(2, 0, at, s, last); break;
        case 5: strip(2, 1, at, s, last); break;
        case 6: strip(3, 0, at, s, last); break;
        case 7: strip(3, 1, at, s, last); break;
#endif
    }
}

/* 8 terms of 8 columns, each column's terms next to each other in memory, as 8 columns of each term. */
INLINE void turn(const float *from, long column, float *to, long term) {
    lanes a[LANES], b[LANES];
    UNROLL for (int i = 0; i < LANES; i++) a[i] = _mm256_loadu_ps(from + i * column);
    UNROLL for (int i = 0; i < LANES; i += 2) {
        b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
        b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
    }
    UNROLL for (int i = 0; i < LANES; i += 4) UNROLL for (int j = 0; j < 2; j++) {
        a[i + 2 * j] = _mm256_shuffle_ps(b[i + j], b[i + j + 2], 0x44);
        a[i + 2 * j + 1] = _mm256_shuffle_ps(b[i + j], b[i + j + 2], 0xee);
    }
    UNROLL for (int i = 0; i < 4; i++) {
        _mm256_storeu_ps(to + i * term, _mm256_permute2f128_ps(a[i], a[i + 4], 0x20));
        _mm256_storeu_ps(to + (i + 4) * term, _mm256_permute2f128_ps(a[i], a[i + 4], 0x31));
    }
}

/* Some columns of b, next to each other; those that fill a last sixteen are zeros. */
static void lay_out(const float *b, const matrices *s, long columns, long filled, float *to) {
    long turned = s->b_term == 1 ? columns - columns % LANES : 0, terms = s->terms - s->terms % LANES;
    for (long term = 0; term < terms; term += LANES)
        for (long column = 0; column < turned; column += LANES)
            turn(b + term + column * s->b_column, s->b_column, to + term * filled + column, filled);
    for (long term = 0; term < s->terms; term++)
        for (long column = term < terms ? turned : 0; column < filled; column++)
            to[term * filled + column] = column < columns ? b[term * s->b_term + column * s->b_column] : 0;
}

/* Some terms of out = a b [+ bias], all rows and columns. */
static void add_terms(corner at, const matrices *s, float *scratch) {
    long left = s->columns, sixteens = (left + SIXTEEN - 1) / SIXTEEN;
    for (long strips = (sixteens + WIDE - 1) / WIDE; strips; strips--) { /* as even as can be */
        long wide = (sixteens + strips - 1) / strips, filled = wide * SIXTEEN, columns = left < filled ? left : filled;
        int last = (int)(columns - (wide - 1) * SIXTEEN);
        if (s->b_column == 1) strip_of((int)wide, at, s, last);
        else {
            matrices laid_out = *s;
            laid_out.b_term = filled;
            lay_out(at.b, s, columns, filled, scratch);
            strip_of((int)wide, (corner){at.a, scratch, at.bias, at.out}, &laid_out, last);
        }
        at.b += columns * s->b_column, at.out += columns, left -= columns, sixteens -= wide;
        if (at.bias) at.bias += columns;
    }
}

/* out = a b [+ bias of each column]. */
void multiply(const float *a, const float *b, const float *bias, float *out, matrices s) {
    float scratch[TERMS * WIDE * SIXTEEN];
    for (long i = 0; i < s.count; i++, a += s.a_matrix, b += s.b_matrix, out += s.rows * s.columns)
        for (long term = 0; term == 0 || term < s.terms; term += TERMS) {
            matrices some = s;
            int is_last = s.terms - term <= TERMS;
            some.terms = is_last ? s.terms - term : TERMS, some.resumed = term > 0;
            add_terms((corner){a + term * s.a_term, b + term * s.b_term, is_last ? bias : 0, out}, &some, scratch);
        }
}
