/* GELU (Hendrycks, Gimpel 2016): x P(X <= x) of a standard normal X, and its gradient. */

#include "lanes.h"

/* A polynomial, its coefficients from the highest power on. */
#define POLYNOMIAL(x, ...) polynomial(x, (const float[]){__VA_ARGS__}, sizeof((float[]){__VA_ARGS__}) / sizeof(float))
INLINE sixteen polynomial(sixteen x, const float *coefficients, const int n) {
    sixteen y = all(coefficients[0]);
    UNROLL for (int i = 1; i < n; i++) y = add_product(all(coefficients[i]), y, x);
    return y;
}

/* P(X <= x) = (1 + erf(x / sqrt 2)) / 2; erf as x times a ratio of polynomials of x squared up to 4, beyond which it is
 * 1 in float32 (the coefficients are Eigen's). */
INLINE sixteen probability(sixteen x) {
    sixteen z = most(all(-4), least(all(4), times(x, all(0.70710678f)))), square = times(z, z);
    sixteen above = POLYNOMIAL(square, -2.72614225801306e-10f, 2.77068142495902e-08f, -2.10102402082508e-06f,
                               -5.69250639462346e-05f, -7.34990630326855e-04f, -2.95459980854025e-03f,
                               -1.60960333262415e-02f);
    sixteen below = POLYNOMIAL(square, -1.45660718464996e-05f, -2.13374055278905e-04f, -1.68282697438203e-03f,
                               -7.37332916720468e-03f, -1.42647390514189e-02f);
    return add_product(all(0.5f), all(0.5f), divided(times(z, above), below));
}

/* exp(x) for x from -87 to 0: 2^n exp(rest), the rest at most log(2) / 2 away from 0, by its series. */
INLINE sixteen exponential(sixteen x) {
    sixteen n = rounded(times(x, all(1.44269504f)));
    sixteen rest = add_product(add_product(x, n, all(-0.693145752f)), n, all(-1.42860677e-6f));
    sixteen series = POLYNOMIAL(rest, 1.f / 5040, 1.f / 720, 1.f / 120, 1.f / 24, 1.f / 6, 0.5f, 1, 1);
    return times(series, power_of_two(n));
}

/* The gradient: P(X <= x) + x times the density at x. */
INLINE sixteen slope(sixteen x) {
    sixteen exponent = most(all(-87), times(times(x, x), all(-0.5f)));
    return add_product(probability(x), times(x, all(0.39894228f)), exponential(exponent));
}

#define ALL(n, each) \
    for (long i = 0; i < n; i += SIXTEEN) { \
        int count = n - i < SIXTEEN ? (int)(n - i) : SIXTEEN; \
        each \
    }

/* y = GELU of n floats. */
void gelu_forward(const float *x, float *y, long n) {
    ALL(n, sixteen a = load_first(x + i, count); store_first(y + i, times(a, probability(a)), count);)
}

/* The gradient by x, given the one by y; may stand in its place. */
void gelu_backward(const float *x, const float *by_y, float *by_x, long n) {
    ALL(n, sixteen a = load_first(by_y + i, count);
        store_first(by_x + i, times(a, slope(load_first(x + i, count))), count);)
}
