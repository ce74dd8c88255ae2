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
 * torch sees a group as one image whose channels come last, of 16 times as many channels. Two registers of AVX2 hold a
 * pixel's channel, or one of AVX-512, and no channel number is padded to a register's width: 1, 10 or 20 channels take
 * as many operations as they need. What an image's lane computes depends on no other image.
 *
 * Each sum has one order: lanes.h has why the bits are the same everywhere.
 */

#include "lanes.h"

enum { IMAGES = 16 };  /* images a group */
enum { L1 = 32768 };   /* bytes of an output's gradient that stay in the first cache */

/* output channels at a time: with AVX-512 a processor adds to as many sums before the first is there again; with AVX2
 * 2 * 5 sums and their operands fit 16 registers */
enum { BLOCK = WIDE_REGISTERS ? 10 : 5 };

static inline long largest(long a, long b) { return a > b ? a : b; }
static inline long smallest(long a, long b) { return a < b ? a : b; }

/* The channels of a convolution that are computed at a time. */
static inline int block_of(int channels) { return channels % BLOCK ? 1 : BLOCK; }

/* A convolution of stride 1. */
typedef struct {
    int groups, inputs, height, width, outputs, kernel, padding;
} shape;

/* Weights (outputs, inputs, kernel, kernel) in the order in which `conv_forward` reads them: for each block of output
 * channels [row][column][input channel][channel of the block]. Turned, they are those of the gradient by the input:
 * channels swapped, rows and columns backwards. */
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

/* A pixel's outputs of a block of channels: bias, then the products row by row, column by column, channel by channel;
 * then the residual, if there is one; then ReLU, if it is asked for. */
INLINE void pixel(
    const int channels, const float *restrict x, const float *restrict w, const float *bias, const float *residual,
    float *restrict y, int relu, long row, int rows, int products, long taps) {
    sixteen sums[BLOCK];
    UNROLL for (int o = 0; o < channels; o++) sums[o] = all(bias ? bias[o] : 0);
    for (int r = 0; r < rows; r++, x += row, w += taps) {
        const float *from = x, *weight = w;
        for (int i = 0; i < products; i++, from += IMAGES, weight += channels) {
            sixteen images = load(from);
            UNROLL for (int o = 0; o < channels; o++) sums[o] = add_product(sums[o], all(weight[o]), images);
        }
    }
    UNROLL for (int o = 0; o < channels; o++) {
        if (residual) sums[o] = sum(sums[o], load(residual + o * IMAGES));
        if (relu) sums[o] = most(all(0), sums[o]); /* of NaN the second comes out, so that it shows */
        store(y + o * IMAGES, sums[o]);
    }
}

/* y = convolution of x by packed weights [+ bias] [+ residual] [ReLU]. */
void conv_forward(const float *x, const float *packed, const float *bias, const float *residual, float *y, shape s,
                  int relu) {
    int height = s.height + 2 * s.padding - s.kernel + 1, width = s.width + 2 * s.padding - s.kernel + 1;
    long step = (long)s.inputs * IMAGES, row = s.width * step;
    int block = block_of(s.outputs);
    long taps = (long)s.kernel * s.inputs * block; /* weights of a row of the kernel */
    for (long g = 0; g < s.groups; g++)
        for (int r = 0; r < height; r++) {
            int top = largest(0, s.padding - r), bottom = smallest(s.kernel, s.height + s.padding - r);
            for (int o = 0; o < s.outputs; o += block)
                for (int c = 0; c < width; c++) {
                    int left = largest(0, s.padding - c), right = smallest(s.kernel, s.width + s.padding - c);
                    const float *from = x + (g * s.height + r - s.padding + top) * row + (c - s.padding + left) * step;
                    const float *w = packed + (long)o * s.kernel * s.kernel * s.inputs + top * taps
                                     + (long)left * s.inputs * block;
                    long at = (((g * height + r) * width + c) * s.outputs + o) * IMAGES;
                    const float *b = bias ? bias + o : 0, *more = residual ? residual + at : 0;
                    int rows = bottom - top, products = (right - left) * s.inputs;
                    if (block == BLOCK) pixel(BLOCK, from, w, b, more, y + at, relu, row, rows, products, taps);
                    else pixel(1, from, w, b, more, y + at, relu, row, rows, products, taps);
                }
        }
}

/* A rectangle of pixels: of the output's gradient d, and of the input x. */
typedef struct {
    const float *d, *x;
    long d_pixel, d_row, x_pixel, x_row, x_other; /* the last to another channel, or to the next pixel */
    int rows, columns;
} area;

/* Sums of products of some of the gradient's channels by one or two of the input's, or by one at two pixels; each image
 * has a sum of its own. `next` and `other` are the steps to the sums of the next output, and of the second input. */
INLINE void products(const int outputs, const int inputs, area a, float *restrict to, long next, long other) {
    _Pragma("GCC unroll 1") for (int lane = 0; lane < IMAGES; lane += REGISTER) {
        reg sums[BLOCK][2];
        UNROLL for (int o = 0; o < outputs; o++) UNROLL for (int i = 0; i < inputs; i++)
            sums[o][i] = load_register(to + o * next + i * other + lane);
        for (int r = 0; r < a.rows; r++) {
            const float *d = a.d + r * a.d_row + lane, *x = a.x + r * a.x_row + lane;
            for (int c = 0; c < a.columns; c++, d += a.d_pixel, x += a.x_pixel) {
                reg from[2];
                UNROLL for (int i = 0; i < inputs; i++) from[i] = load_register(x + i * a.x_other);
                UNROLL for (int o = 0; o < outputs; o++) {
                    reg by = load_register(d + o * IMAGES);
                    UNROLL for (int i = 0; i < inputs; i++) sums[o][i] = add_product_register(sums[o][i], by, from[i]);
                }
            }
        }
        UNROLL for (int o = 0; o < outputs; o++) UNROLL for (int i = 0; i < inputs; i++)
            store_register(to + o * next + i * other + lane, sums[o][i]);
    }
}

/* The sum of 16 images, always in this order. */
static float sum_of(const float *a) {
    float eight[LANES];
    for (int i = 0; i < LANES; i++) eight[i] = a[i] + a[i + LANES];
    return ((eight[0] + eight[4]) + (eight[2] + eight[6])) + ((eight[1] + eight[5]) + (eight[3] + eight[7]));
}

/* The gradients by weights (outputs, inputs, kernel, kernel) and bias, given x and the gradient d by the output. `sums`
 * has room for 16 floats a weight. Rows are taken some at a time, as many as stay in the first cache. */
void conv_weight_gradient(const float *x, const float *d, float *by_weight, float *by_bias, float *sums, shape s) {
    int height = s.height + 2 * s.padding - s.kernel + 1, width = s.width + 2 * s.padding - s.kernel + 1;
    long x_pixel = (long)s.inputs * IMAGES, x_row = s.width * x_pixel;
    long d_pixel = (long)s.outputs * IMAGES, d_row = width * d_pixel;
    int taps = s.kernel * s.kernel, os = 1, is = 1; /* channels at a time */
    if (s.outputs % BLOCK == 0) os = BLOCK, is = s.inputs % 2 ? 1 : 2;
    long cell = (long)os * is * IMAGES, count = (long)s.outputs * s.inputs * taps;
    int band = largest(1, L1 / (os * width * IMAGES * (long)sizeof(float)));
    for (long i = 0; i < count * IMAGES; i++) sums[i] = 0;
#define CELL(o, i, tap) (((((long)(o) / os) * taps + (tap)) * (s.inputs / is) + (i) / is) * cell)
    for (long g = 0; g < s.groups; g++)
        for (int start = 0; start < height; start += band)
            for (int o = 0; o < s.outputs; o += os)
                for (int r = 0; r < s.kernel; r++) {
                    int top = largest(start, s.padding - r);
                    int bottom = smallest(smallest(start + band, height), s.height + s.padding - r);
                    if (bottom <= top) continue;
                    for (int c = 0, taps_at_once; c < s.kernel; c += taps_at_once) {
                        int left = largest(0, s.padding - c), right = smallest(width, s.width + s.padding - c);
                        taps_at_once = s.inputs == 1 && s.padding == 0 && c + 1 < s.kernel ? 2 : 1;
                        for (int i = 0; i < s.inputs; i += is) {
                            area a = {
                                d + (g * height + top) * d_row + left * d_pixel + (long)o * IMAGES,
                                x + (g * s.height + top + r - s.padding) * x_row + (left + c - s.padding) * x_pixel
                                    + (long)i * IMAGES,
                                d_pixel, d_row, x_pixel, x_row, taps_at_once == 2 ? x_pixel : IMAGES, bottom - top,
                                right - left,
                            };
                            float *to = sums + CELL(o, i, r * s.kernel + c);
                            if (is == 2) products(BLOCK, 2, a, to, 2 * IMAGES, IMAGES);
                            else if (os == BLOCK && taps_at_once == 2) products(BLOCK, 2, a, to, IMAGES, cell);
                            else if (os == BLOCK) products(BLOCK, 1, a, to, IMAGES, 0);
                            else if (taps_at_once == 2) products(1, 2, a, to, IMAGES, cell);
                            else products(1, 1, a, to, IMAGES, 0);
                        }
                    }
                }
    for (int o = 0; o < s.outputs; o++)
        for (int i = 0; i < s.inputs; i++)
            for (int tap = 0; tap < taps; tap++)
                by_weight[((long)o * s.inputs + i) * taps + tap]
                    = sum_of(sums + CELL(o, i, tap) + ((o % os) * is + i % is) * IMAGES);
    for (int o = 0; o < s.outputs; o++) {
        float images[IMAGES];
        sixteen total = all(0);
        const float *of_d = d + (long)o * IMAGES;
        for (long p = 0; p < (long)s.groups * height * width; p++, of_d += d_pixel) total = sum(total, load(of_d));
        store(images, total);
        by_bias[o] = sum_of(images);
    }
}

/* y = ReLU of the largest of 2 x 2 pixels, each of so many floats; an odd last row or column is left out. */
void pool_forward(const float *x, float *y, int groups, int height, int width, int floats) {
    lanes zero = _mm256_setzero_ps();
    for (long g = 0; g < groups; g++)
        for (int r = 0; r < height / 2; r++)
            for (int c = 0; c < width / 2; c++) {
                const float *above = x + ((g * height + 2 * r) * width + 2 * c) * floats;
                const float *below = above + (long)width * floats;
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
                long from = ((g * (height / 2) + r) * (width / 2) + c) * floats;
                long four[] = {at, at + floats, below, below + floats};
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
