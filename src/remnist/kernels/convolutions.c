/* Convolutions of 16 images at a time, one image a lane, and the max pool behind them.
 *
 * Images lie in memory in groups of 16, the same pixel and channel of all of them next to each other:
 *
 *     group 0                                                         group 1
 *     | row 0                                       | row 1 | ...     | ...
 *     | column 0                    | column 1 | .. |
 *     | channel 0     | channel 1 | ...             |
 *     | i0 i1 ... i15 | i0 ... i15 | ...            |
 *
 * torch sees a group as one image whose channels come last, of 16 times as many channels. An AVX2 register has 8 lanes, so
 * two of them hold a pixel's channel, and no channel number is padded to a register's width: 1, 10 or 20 channels
 * take as many operations as they need. What an image's lane computes depends on no other image.
 *
 * Each sum has one order, and each operation is written as an intrinsic: a product and its addition are one fused
 * operation, rounded once. Compiled without contraction or reordering (-ffp-contract=off, no -ffast-math) the bits are
 * the same from every compiler, on every processor with AVX2 and FMA.
 */

#include <immintrin.h>

typedef __m256 lanes;

enum { IMAGES = 16, LANES = 8 };                  /* images a group, floats a register */
enum { BLOCK = 5 };                               /* output channels at a time: 2 * 5 sums and 3 operands fit 16 registers */
enum { L1 = 16384 };                              /* bytes of an output's gradient that stay in the first cache */

#define UNROLL _Pragma("GCC unroll 16")           /* without it gcc keeps sums in memory, and takes 1.6 times as long */

static inline long largest(long a, long b) { return a > b ? a : b; }
static inline long smallest(long a, long b) { return a < b ? a : b; }

/* The channels of a convolution that are computed at a time. */
static inline int block_of(int channels) { return channels % BLOCK ? 1 : BLOCK; }

/* A convolution of stride 1. */
typedef struct {
    int groups, inputs, height, width, outputs, kernel, padding;
} shape;

/* Weights (outputs, inputs, kernel, kernel) in the order in which `conv_forward` reads them: for each block of output channels
 * [row][column][input channel][channel of the block]. Turned, they are those of the gradient by the input: channels
 * swapped, rows and columns backwards. */
void pack_weights(const float *weights, float *packed, int outputs, int inputs, int kernel, int turned) {
    int to = turned ? inputs : outputs, from = turned ? outputs : inputs, block = block_of(to);
    for (int o = 0; o < to; o++)
        for (int i = 0; i < from; i++)
            for (int r = 0; r < kernel; r++)
                for (int c = 0; c < kernel; c++) {
                    long at = turned ? (((long)i * inputs + o) * kernel + kernel - 1 - r) * kernel + kernel - 1 - c
                                     : (((long)o * inputs + i) * kernel + r) * kernel + c;
                    long first = (long)(o / block) * kernel * kernel;
                    packed[((first + r * kernel + c) * from + i) * block + o % block] = weights[at];
                }
}

/* A pixel's outputs of a block of channels: bias, then the products row by row, column by column, channel by channel; then
 * the residual, if there is one; then ReLU, if it is asked for. */
#define PIXEL(N)                                                                                                        \
    static inline void pixel_##N(const float *restrict x, const float *restrict w, const float *bias,                   \
                                 const float *residual, float *restrict y, int relu, long row, int rows, int products,   \
                                 long skip) {                                                                           \
        lanes low[N], high[N], zero = _mm256_setzero_ps();                                                              \
        UNROLL for (int o = 0; o < N; o++) low[o] = high[o] = bias ? _mm256_broadcast_ss(bias + o) : zero;              \
        for (int r = 0; r < rows; r++, x += row, w += skip) {                                                           \
            const float *pixel = x, *weight = w;                                                                        \
            for (int i = 0; i < products; i++, pixel += IMAGES, weight += N) {                                          \
                lanes first = _mm256_loadu_ps(pixel), second = _mm256_loadu_ps(pixel + LANES);                          \
                UNROLL for (int o = 0; o < N; o++) {                                                                    \
                    lanes factor = _mm256_broadcast_ss(weight + o);                                                     \
                    low[o] = _mm256_fmadd_ps(factor, first, low[o]);                                                    \
                    high[o] = _mm256_fmadd_ps(factor, second, high[o]);                                                 \
                }                                                                                                       \
            }                                                                                                           \
        }                                                                                                               \
        UNROLL for (int o = 0; o < N; o++) {                                                                            \
            if (residual) {                                                                                             \
                low[o] = _mm256_add_ps(low[o], _mm256_loadu_ps(residual + o * IMAGES));                                 \
                high[o] = _mm256_add_ps(high[o], _mm256_loadu_ps(residual + o * IMAGES + LANES));                       \
            }                                                                                                           \
            /* with NaN the second operand comes out: a network that diverges is to show it */                          \
            _mm256_storeu_ps(y + o * IMAGES, relu ? _mm256_max_ps(zero, low[o]) : low[o]);                              \
            _mm256_storeu_ps(y + o * IMAGES + LANES, relu ? _mm256_max_ps(zero, high[o]) : high[o]);                    \
        }                                                                                                               \
    }
PIXEL(1)
PIXEL(5)

/* y = convolution of x by packed weights [+ bias] [+ residual] [ReLU]. */
void conv_forward(const float *x, const float *packed, const float *bias, const float *residual, float *y, shape s,
                  int relu) {
    int height = s.height + 2 * s.padding - s.kernel + 1, width = s.width + 2 * s.padding - s.kernel + 1;
    long pixel = (long)s.inputs * IMAGES, row = s.width * pixel;
    int block = block_of(s.outputs);
    long taps = (long)s.kernel * s.inputs * block; /* weights of a row of the kernel */
    for (long g = 0; g < s.groups; g++)
        for (int r = 0; r < height; r++) {
            int top = largest(0, s.padding - r), bottom = smallest(s.kernel, s.height + s.padding - r);
            for (int o = 0; o < s.outputs; o += block)
                for (int c = 0; c < width; c++) {
                    int left = largest(0, s.padding - c), right = smallest(s.kernel, s.width + s.padding - c);
                    const float *from = x + (g * s.height + r - s.padding + top) * row + (c - s.padding + left) * pixel;
                    const float *w = packed + (long)o * s.kernel * s.kernel * s.inputs + top * taps
                                     + (long)left * s.inputs * block;
                    long at = (((g * height + r) * width + c) * s.outputs + o) * IMAGES;
                    const float *b = bias ? bias + o : 0, *more = residual ? residual + at : 0;
                    int rows = bottom - top, products = (right - left) * s.inputs;
                    if (block == BLOCK) pixel_5(from, w, b, more, y + at, relu, row, rows, products, taps);
                    else pixel_1(from, w, b, more, y + at, relu, row, rows, products, taps);
                }
        }
}

/* Sums of products of O channels of the output's gradient by I channels of the input, over a rectangle of pixels; each lane has
 * a sum of its own, of 2 images a group. */
#define PRODUCTS(O, I)                                                                                                  \
    static inline void products_##O##_##I(const float *restrict d, long d_pixel, long d_row, const float *restrict x,   \
                                          long x_pixel, long x_row, int rows, int columns, float *restrict sums) {      \
        lanes sum[O][I];                                                                                                \
        UNROLL for (int o = 0; o < O; o++)                                                                              \
            UNROLL for (int i = 0; i < I; i++) sum[o][i] = _mm256_loadu_ps(sums + (o * I + i) * LANES);                 \
        for (int r = 0; r < rows; r++)                                                                                  \
            for (int c = 0; c < columns; c++)                                                                           \
                _Pragma("GCC unroll 1") for (int half = 0; half < IMAGES; half += LANES) {                              \
                    const float *of_d = d + r * d_row + c * d_pixel + half, *of_x = x + r * x_row + c * x_pixel + half; \
                    lanes input[I];                                                                                     \
                    UNROLL for (int i = 0; i < I; i++) input[i] = _mm256_loadu_ps(of_x + i * IMAGES);                   \
                    UNROLL for (int o = 0; o < O; o++) {                                                                \
                        lanes gradient = _mm256_loadu_ps(of_d + o * IMAGES);                                            \
                        UNROLL for (int i = 0; i < I; i++) sum[o][i] = _mm256_fmadd_ps(gradient, input[i], sum[o][i]);  \
                    }                                                                                                   \
                }                                                                                                       \
        UNROLL for (int o = 0; o < O; o++)                                                                              \
            UNROLL for (int i = 0; i < I; i++) _mm256_storeu_ps(sums + (o * I + i) * LANES, sum[o][i]);                 \
    }
PRODUCTS(5, 2)
PRODUCTS(10, 1)
PRODUCTS(1, 1)

/* The sum of 8 lanes, always in this order. */
static float sum_of(const float *a) { return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7])); }

/* The gradients by weights (outputs, inputs, kernel, kernel) and bias, given x and the gradient d by the output. `sums` has room for
 * 8 floats a weight. Rows are taken some at a time, as many as stay in the first cache. */
void conv_weight_gradient(const float *x, const float *d, float *by_weight, float *by_bias, float *sums, shape s) {
    int height = s.height + 2 * s.padding - s.kernel + 1, width = s.width + 2 * s.padding - s.kernel + 1;
    long x_pixel = (long)s.inputs * IMAGES, x_row = s.width * x_pixel;
    long d_pixel = (long)s.outputs * IMAGES, d_row = width * d_pixel;
    int area = s.kernel * s.kernel, os = 1, is = 1; /* channels at a time */
    if (s.inputs % 2 == 0 && s.outputs % 5 == 0) os = 5, is = 2;
    else if (s.outputs % 10 == 0) os = 10;
    long cell = (long)os * is * LANES, count = (long)s.outputs * s.inputs * area;
    int band = largest(1, L1 / (os * width * IMAGES * (long)sizeof(float)));
    for (long i = 0; i < count * LANES; i++) sums[i] = 0;
#define CELL(o, i, tap) (((((long)(o) / os) * area + (tap)) * (s.inputs / is) + (i) / is) * cell)
    for (long g = 0; g < s.groups; g++)
        for (int start = 0; start < height; start += band)
            for (int o = 0; o < s.outputs; o += os)
                for (int r = 0; r < s.kernel; r++) {
                    int top = largest(start, s.padding - r);
                    int bottom = smallest(smallest(start + band, height), s.height + s.padding - r);
                    if (bottom <= top) continue;
                    for (int c = 0; c < s.kernel; c++) {
                        int left = largest(0, s.padding - c), right = smallest(width, s.width + s.padding - c);
                        const float *of_d = d + (g * height + top) * d_row + left * d_pixel + (long)o * IMAGES;
                        for (int i = 0; i < s.inputs; i += is) {
                            const float *of_x = x + (g * s.height + top + r - s.padding) * x_row
                                                + (left + c - s.padding) * x_pixel + (long)i * IMAGES;
                            float *to = sums + CELL(o, i, r * s.kernel + c);
                            int rows = bottom - top, columns = right - left;
                            if (os == 5) products_5_2(of_d, d_pixel, d_row, of_x, x_pixel, x_row, rows, columns, to);
                            else if (os == 10) products_10_1(of_d, d_pixel, d_row, of_x, x_pixel, x_row, rows, columns, to);
                            else products_1_1(of_d, d_pixel, d_row, of_x, x_pixel, x_row, rows, columns, to);
                        }
                    }
                }
    for (int o = 0; o < s.outputs; o++)
        for (int i = 0; i < s.inputs; i++)
            for (int tap = 0; tap < area; tap++)
                by_weight[((long)o * s.inputs + i) * area + tap]
                    = sum_of(sums + CELL(o, i, tap) + ((o % os) * is + i % is) * LANES);
    for (int o = 0; o < s.outputs; o++) {
        float eight[LANES];
        lanes sum = _mm256_setzero_ps();
        const float *of_d = d + (long)o * IMAGES;
        for (long p = 0; p < (long)s.groups * height * width; p++, of_d += d_pixel) {
            sum = _mm256_add_ps(sum, _mm256_loadu_ps(of_d));
            sum = _mm256_add_ps(sum, _mm256_loadu_ps(of_d + LANES));
        }
        _mm256_storeu_ps(eight, sum);
        by_bias[o] = sum_of(eight);
    }
}

/* y = ReLU of the largest of 2 x 2 pixels, each of so many floats; an odd last row or column is left out. */
void pool_forward(const float *x, float *y, int groups, int height, int width, int floats) {
    lanes zero = _mm256_setzero_ps();
    for (long g = 0; g < groups; g++)
        for (int r = 0; r < height / 2; r++)
            for (int c = 0; c < width / 2; c++) {
                const float *above = x + ((g * height + 2 * r) * width + 2 * c) * floats, *below = above + (long)width * floats;
                float *to = y + ((g * (height / 2) + r) * (width / 2) + c) * (long)floats;
                for (int i = 0; i < floats; i += LANES) {
                    lanes first = _mm256_max_ps(_mm256_loadu_ps(above + i), _mm256_loadu_ps(above + floats + i));
                    lanes second = _mm256_max_ps(_mm256_loadu_ps(below + i), _mm256_loadu_ps(below + floats + i));
                    _mm256_storeu_ps(to + i, _mm256_max_ps(zero, _mm256_max_ps(first, second)));
                }
            }
}

/* The gradient by x: the gradient d by y at the first of the four that is the largest, where y is above 0. Pixels that
 * were left out keep what by_x holds. */
void pool_backward(const float *x, const float *y, const float *d, float *by_x, int groups, int height, int width,
                   int floats) {
    lanes zero = _mm256_setzero_ps();
    for (long g = 0; g < groups; g++)
        for (int r = 0; r < height / 2; r++)
            for (int c = 0; c < width / 2; c++) {
                long at = ((g * height + 2 * r) * width + 2 * c) * floats, below = at + (long)width * floats;
                long from = ((g * (height / 2) + r) * (width / 2) + c) * floats, four[] = {at, at + floats, below, below + floats};
                for (int i = 0; i < floats; i += LANES) {
                    lanes most = _mm256_loadu_ps(y + from + i);
                    lanes rest = _mm256_and_ps(_mm256_loadu_ps(d + from + i), _mm256_cmp_ps(most, zero, _CMP_GT_OQ));
                    for (int p = 0; p < 4; p++) {
                        lanes is_it = _mm256_cmp_ps(_mm256_loadu_ps(x + four[p] + i), most, _CMP_EQ_OQ);
                        _mm256_storeu_ps(by_x + four[p] + i, _mm256_and_ps(is_it, rest));
                        rest = _mm256_andnot_ps(is_it, rest);
                    }
                }
            }
}
