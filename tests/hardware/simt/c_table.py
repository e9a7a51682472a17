"""C expressions and small functions, grouped: each gives the same on both compilers.

A row is "type: expression" or "type: { statements with return }" over the variables

    c, d (signed char)  uc (unsigned char)  s (short)  us (unsigned short)  a, b (int)
    u, v (unsigned)  l, m (long long)  ul (unsigned long long)  f, g (float)
    x, y (double)  k (int, 0 to 7)
"""

# ruff: noqa: E501 -- kernels in strings

HELPERS = """
#define TWICE(z) ((z) + (z))
#define LARGER(p, q) ((p) > (q) ? (p) : (q))
#define WIDTH 5
#define CELLS (WIDTH * WIDTH + 1)
#define SQUARE(z) z * z
#define STEP(total, by) total += by; total ^= by << 1
struct Pair { int first; float second; };
struct Box { struct Pair low; struct Pair high; unsigned char tag; };
FUNCTION int clamped(int z, int low, int high) {
    if (z < low) return low;
    if (z > high) return high;
    return z;
}
FUNCTION int narrow(signed char z) { return z; }
FUNCTION unsigned char wrapped(int z) { return z; }
FUNCTION float halved(float z) { return z / 2; }
FUNCTION long long widened(int z) { return z; }
FUNCTION void swap(int *p, int *q) { int t = *p; *p = *q; *q = t; }
FUNCTION int total(const int *p, int n) {
    int t = 0;
    for (int i = 0; i < n; ++i) t += p[i];
    return t;
}
FUNCTION void fill(int *p, int n, int z) { int *end = p + n; while (p < end) *p++ = z++; }
FUNCTION struct Pair turned(struct Pair p) { p.first = -p.first; p.second *= 2; return p; }
FUNCTION int *further(int *p, int by) { return p + by; }
FUNCTION int steps(unsigned z) {
    int n = 0;
    while (z != 1 && n < 40) { z = z % 2 ? 3 * z + 1 : z / 2; n++; }
    return n;
}
FUNCTION int counted(int *n) { return ++*n; }
FUNCTION int of_grid(int grid[3][4], int i, int j) { return grid[i][j]; }
FUNCTION int twice_clamped(int z) { return clamped(TWICE(z), -100, 100) + clamped(z, 0, 9); }
"""

TABLE = {
    "wrap-around": """
        int: a + b
        int: a - b
        int: a * b
        int: -a
        int: a + 2147483647
        unsigned: u + v
        unsigned: u - v
        unsigned: u * v
        unsigned: -u
        unsigned: u - 1
        long long: l + m
        long long: l * m
        long long: -l
        unsigned long long: ul + 1
        unsigned long long: ul * 3 - 7
        unsigned long long: -ul
        signed char: c + d
        signed char: c * d
        unsigned char: uc + 200
        unsigned char: uc * uc
        short: s + 30000
        short: s * s
        unsigned short: us + us
        unsigned short: us * 3
        { signed char z = c; z += 100; return z; }
        { unsigned char z = uc; z -= 100; return z; }
        { short z = s; z *= 7; return z; }
        { unsigned short z = us; z = z * z; return z; }
    """,
    "promotion and usual conversions": """
        int: c + d
        int: c * d * 1000
        int: uc + uc
        int: uc - 256
        int: ~uc
        int: -uc
        int: ~c
        int: us * 2
        int: s + us
        int: uc << 4
        int: c >> 1
        long long: a + l
        long long: (long long)a * b
        long long: a * b
        long long: u + l
        long long: u - v
        long long: -u
        long long: a + u
        unsigned long long: a + ul
        unsigned long long: u + ul
        unsigned long long: -1 + ul
        unsigned long long: a
        unsigned: a + u
        unsigned: c + u
        unsigned: s * u
        double: a + x
        double: u * x
        double: f + x
        double: f * f
        double: f * g + x
        float: a + f
        float: u * f
        float: l + f
        float: ul * g
        double: l + x
        double: (a + u) * 1.0
        int: !a
        int: !f
        int: !!l
        int: (a > b) + (u > v)
        int: -(a > b)
        int: ~(a > b)
        int: (a < b) * 7
    """,
    "division and remainder": """
        int: a / (k + 1)
        int: a % (k + 1)
        int: a / -(k + 2)
        int: a % -(k + 2)
        int: -7 / 2
        int: -7 % 2
        int: 7 / -2
        int: 7 % -2
        int: a / 7 * 7 + a % 7
        int: c / 3
        int: c % 3
        int: c % -3
        int: s / 100
        int: us / 100 % 10
        unsigned: u / (v | 1)
        unsigned: u % (v | 1)
        unsigned: u / 7
        unsigned: a / 7u
        unsigned: a % 10u
        int: b ? (k - 9) / (b | 64 | (b & 1)) : 5
        long long: l / (k + 1)
        long long: l % (k + 1)
        long long: l / -1000003
        long long: l % -1000003
        long long: m / ((long long)(a | 1) * 4)
        unsigned long long: ul / 10
        unsigned long long: ul % 10
        unsigned long long: ul / (u | 1)
        long long: l / 3u
        int: a / 4 - (a >> 2)
        { int z = a; z /= 3; return z; }
        { int z = a; z %= 1000; return z; }
        { signed char z = c; z /= -2; return z; }
        { unsigned z = u; z /= 3; z %= 100; return z; }
        { long long z = l; z /= k + 3; return z; }
        long long: 9223372036854775807LL / 3
        long long: -9223372036854775807LL % 1000
        unsigned: 4294967295u / 7
        unsigned: -7 / 2u
    """,
    "shifts": """
        int: a << k
        int: a >> k
        int: a >> 31
        int: -1 >> 1
        int: 1 << 31
        int: (a << 3) >> 3
        int: c << 8
        int: c >> k
        int: uc >> 1
        int: (signed char)(uc << 1)
        unsigned: u << k
        unsigned: u >> k
        unsigned: u >> 31
        unsigned: 1u << (k * 4)
        unsigned: (u << 16) | (u >> 16)
        unsigned: (u << (k + 1)) | (u >> (31 - k))
        long long: l << k
        long long: l >> (k * 8)
        long long: 1LL << (k * 9)
        long long: 1ll << 40
        unsigned long long: ul >> 63
        unsigned long long: ul << (k * 8) >> 3
        long long: a << 2
        long long: (long long)a << 20
        long long: u >> 1
        { int z = a; z <<= k; z >>= 2; return z; }
        { signed char z = c; z <<= 2; return z; }
        { unsigned char z = uc; z <<= 3; z >>= 1; return z; }
        int: a << l % 8 * 0
    """,
    "comparisons": """
        int: a < b
        int: a <= b
        int: a > b
        int: a >= b
        int: a == b
        int: a != b
        int: a < u
        int: -1 < u
        int: -1 < 1u
        int: -1 > 0u
        int: c < u
        int: uc > c
        int: us > s
        int: a < l
        int: u > l
        int: l < ul
        int: -1 < ul
        int: a == f
        int: f < x
        int: f == x
        int: 0.1f == 0.1
        int: 0.1f < 0.1
        int: a == 2.5
        int: f != f
        int: a < b < k
        int: a == b == 0
        int: (a > 0) == (b > 0)
        int: u == a
        int: (unsigned char)-1 == 255
        int: (signed char)255 == -1
        int: -1 == 4294967295u
        int: -1LL == 4294967295u
    """,
    "bits": """
        int: a & b
        int: a | b
        int: a ^ b
        int: ~a
        unsigned: u & ~v
        unsigned: u ^ a
        long long: l & a
        long long: l | u
        long long: l ^ 0xff
        unsigned long long: ul & 0xffffffffu
        unsigned long long: ~ul ^ c
        int: a & -a
        unsigned: u & (u - 1)
        int: (a & 1) == 0
        int: a & 1 == 0
        int: c & 0xf0
        int: uc ^ 0xff
        int: (a ^ b) < 0
        unsigned: (u & 0x55555555) + ((u >> 1) & 0x55555555)
        { unsigned z = u; z ^= z << 13; z ^= z >> 17; z ^= z << 5; return z; }
        { int z = a; z &= 0xff; z |= b; z ^= -1; return z; }
        { unsigned char z = uc; z = ~z; return z; }
        { unsigned char z = uc; z ^= 0x1ff; return z; }
    """,
    "casts": """
        int: (signed char)a
        int: (unsigned char)a
        int: (short)a
        int: (unsigned short)a
        int: (int)u
        int: (int)l
        int: (int)ul
        unsigned: (unsigned)a
        unsigned: (unsigned)l
        long long: (long long)u
        long long: (long long)(int)u
        long long: (unsigned)a
        unsigned long long: (unsigned long long)c
        unsigned long long: (unsigned char)c
        int: (int)f
        int: (int)-f
        int: (int)(x * 10)
        long long: (long long)x
        long long: (long long)(f * 1000)
        unsigned: (unsigned)(f * f)
        unsigned char: (unsigned char)(k * 30.9f)
        int: (signed char)(f / 10)
        short: (short)(x * 3)
        float: (float)a
        float: (float)u
        float: (float)l
        float: (float)ul
        float: (float)x
        double: (double)f
        double: (double)l
        double: (double)ul
        double: (float)x
        float: (float)0.1
        double: (double)0.1f
        double: 0.1f
        float: 1 / 3
        float: 1 / 3.0f
        double: (double)1 / 3
        double: (float)1 / 3
        int: (int)3.99
        int: (int)-3.99f
        int: (unsigned char)300
        int: (signed char)200
        int: (_Bool)a
        int: (_Bool)0.5f
        int: (_Bool)(k * 256)
        int: 'A' + k
        int: (int)(float)16777217
        float: (float)16777217
        long long: (long long)1e15
        int: narrow(a)
        int: wrapped(a)
        double: halved(x)
        long long: widened(l)
        float: halved(a)
    """,
    "float and double": """
        float: f + g
        float: f - g
        float: f * g
        float: f / g
        float: -f
        float: f * g + f
        float: f * f - g * g
        float: f + 1
        float: f + 1.0
        float: f * 0.1f
        float: f * 0.1
        double: f * 0.1f
        double: f * 0.1
        double: x + y
        double: x * y - x
        double: x / y
        double: -x
        double: x * 0.1f
        double: 1e10 * x
        float: 1e10f * f
        float: f / 3
        float: f / 3.0
        float: 2.f * f + .5f
        float: 1.5e-3f + f
        double: 1.E3 + x
        float: (f + g) + x
        float: f + (g + x)
        float: a / 2 + f
        float: a / 2.0f + f
        float: f - -g
        double: 1 / 3 * x
        double: 1 / 3. * x
        float: fabsf(f)
        double: fabs(x)
        float: sqrtf(f * f)
        double: sqrt(x * x + 1)
        float: floorf(f)
        float: ceilf(f)
        float: truncf(f)
        float: rintf(f)
        float: roundf(f)
        double: floor(f)
        double: fmod(x, 3)
        float: fmodf(f, 2.5f)
        float: fmaxf(f, g)
        float: fminf(f, 0)
        double: fmax(x, f)
        float: copysignf(f, g)
        float: fmaf(f, g, f)
        int: abs(a | 1)
        { float z = f; z += 0.1; return z; }
        { float z = f; z += 0.1f; z *= 3; return z; }
        { float z = 0; for (int i = 0; i < 10; ++i) z += 0.1f; return z; }
        { double z = 0; for (int i = 0; i < 10; ++i) z += 0.1; return z; }
        { int z = a & 1023; z *= 1.5; return z; }
        { int z = k; z += 0.9; z += 0.9; return z; }
        { unsigned char z = k; z *= 10.7f; return z; }
    """,
    "ternaries": """
        int: a > b ? a : b
        double: a > 0 ? a : x
        double: a > 0 ? f : x
        double: a > 0 ? a : f
        long long: a > 0 ? a : u
        long long: a > 0 ? -1 : 1u
        long long: a > 0 ? c : l
        int: k ? a : b
        int: f ? 1 : 2
        int: a > 0 ? b > 0 ? 1 : 2 : b > 0 ? 3 : 4
        int: (a > b ? a : b) - (a < b ? a : b)
        int: a ? c : uc
        float: f > g ? f - g : g - f
        int: k > 3 ? 100 / k : -1
        int: k ? 100 / k : 7
        int: k ? a % k : a
        int: k ? (k > 1 ? a / (k - 1) : 1) : 2
        { int z = k; int w = z > 3 ? z++ : z--; return z * 100 + w; }
        { int z = 0, w = 0; (k & 1 ? (z = 5) : (w = 7)); return z * 10 + w; }
        { int z = k; return (z > 2 ? (z += 3, z) : (z -= 3)) * 10 + z; }
        int: LARGER(a, b) + LARGER(k, 3)
        int: (a > 0 ? widened(a) : 0) > 5
        { int t[4] = {1, 2, 3, 4}; return k < 4 ? t[k] : -1; }
    """,
    "short circuits": """
        int: a && b
        int: a || b
        int: a && !b || k
        int: a > 0 && b > 0
        int: f && g
        int: k && 10 / k > 2
        int: !k || 10 % k
        int: k > 2 && k < 6 || k == 7
        { int z = 0; (a > 0) && (z = 1); return z; }
        { int z = 0; (a > 0) || (z = 1); return z; }
        { int z = 0; if (k > 3 && ++z) z += 10; return z; }
        { int z = 0; if (k > 3 || ++z) z += 10; return z; }
        { int z = 0, w = 0; int r = z++ || w++; return r * 100 + z * 10 + w; }
        { int z = 1, w = 1; int r = k & 1 && z++ && k & 2 && w++; return r * 100 + z * 10 + w; }
        { int z = k; while (z && z != 3) z--; return z; }
        { int z = k, n = 0; while (z-- && n++ < 3); return z * 10 + n; }
        { int n = 0; int r = (k > 1 && counted(&n)) || (k > 5 && counted(&n)); return r + n * 10; }
        { int n = 0; int r = k > 2 && (counted(&n) > 0 || counted(&n)); return r + n * 10; }
        { int t[3] = {0, 1, 2}; return k < 3 && t[k] == 1; }
        int: (a && b) == (b && a)
        int: !(a && b) == (!a || !b)
        { int z = 0; int r = (z = k) && (z > 4 || (z = 9)); return r * 100 + z; }
    """,
    "steps": """
        { int z = a; return z++; }
        { int z = a; return ++z; }
        { int z = a; z++; z++; --z; return z; }
        { int z = a; int w = z++ + 3; return w ^ z; }
        { int z = a; int w = --z * 3; return w ^ z; }
        { unsigned char z = 255; z++; return z + uc; }
        { signed char z = 127; z++; return z + c; }
        { unsigned char z = uc; return z++; }
        { unsigned char z = uc; return ++z; }
        { unsigned char z = 0; return --z; }
        { unsigned char z = 0; return z--; }
        { float z = f; z++; return z > f; }
        { double z = x; return ++z > x; }
        { unsigned z = 0; z--; return z == 4294967295u; }
        { int t[3] = {5, 6, 7}; int i = 0; int w = t[i++]; w = w * 10 + t[i]; t[i]++; return w * 10 + t[1]; }
        { int t[3] = {5, 6, 7}; int *p = t; int w = *p++; w = w * 10 + *p; ++*p; (*p)++; return w * 10 + t[1]; }
        { int t[3] = {5, 6, 7}; int *p = t + 2; int w = *p--; return w * 10 + *--p; }
        { struct Pair p = {1, 2}; p.first++; ++p.second; --p.first; p.first--; return p.first * 10 + (int)p.second; }
        { short z = 32767; ++z; return z; }
        { long long z = l; z--; return z; }
        { _Bool z = a > 0; z = !z; return z; }
    """,
    "compound assignment and comma": """
        { int z; int w; z = w = a; return z - w + z; }
        { unsigned char z; int w = z = a; return w; }
        { signed char z = 0; int w = (z += 200); return w; }
        { int z = a; z += b -= k; return z ^ b; }
        { int z = 1, w = 2; z = (w++, w * 2); return z * 10 + w; }
        { int z = (a, b, k); return z; }
        { int i, j, t = 0; for (i = 0, j = k; i < j; i++, j--) t += i * j; return t; }
        { int z = k; z = z * 2 + 1, z += 3; return z; }
        { int z = a; z -= z; z |= 1 << k; return z; }
        { int z = a; z *= z; return z; }
        { unsigned z = u; z -= a; z += l; return z; }
        { short z = s / 2; z += 1.5; return z; }
        { float z = f; z -= a % 1000; z /= 4; return z * 8; }
        { int z = a; z += (z > 0) ? 1 : -1; return z; }
        { int t[2] = {1, 2}; t[k & 1] += 5; t[0] *= t[1]; return t[0] * 100 + t[1]; }
        { int t[2] = {1, 2}; int i = 0; t[i++] += 5; return t[0] * 100 + t[1] * 10 + i; }
        { int z = 7; z <<= k & 3; z |= z >> 1; z %= 11; return z; }
        { const int z = a; const float w = f; int r = z > 0; r += w > 0; return r; }
    """,
    "loops": """
        { int t = 0; for (int i = 0; i < k; ++i) t += i * i; return t; }
        { int t = 0; for (int i = k; i > 0; i /= 2) t = t * 10 + i; return t; }
        { int t = 0, i = 0; while (i < k) { t += i; i += 2; } return t * 10 + i; }
        { int t = 0, i = 0; do { t += i; } while (++i < k); return t * 10 + i; }
        { int t = 0; do t++; while (0); return t; }
        { int t = 0; for (;;) { if (t >= k) break; t += 2; } return t; }
        { int t = 0; for (int i = 0; i < 10; ++i) { if (i % 3 == k % 3) continue; t = t * 2 + i; } return t; }
        { int t = 0; for (int i = 0; i < 10; ++i) { if (i == k) break; t += i; } return t; }
        { int t = 0, i = 0; while (1) { if (++i > 20) break; if (i & 1) continue; t += i * k; } return t; }
        { int t = 0, i = 0; do { if (i == k) continue; t += i; } while (++i < 6); return t; }
        { int t = 0, i = 0; do { if (i == k) break; t += i; } while (++i < 6); return t * 10 + i; }
        { int t = 0; for (int i = 0; i < k; ++i) for (int j = i; j < k; ++j) t += i ^ j; return t; }
        { int t = 0; for (int i = 0; i < k; ++i) { for (int j = 0; j < 5; ++j) { if (j == i) break; t += j; } t *= 2; } return t; }
        { int t = 0; for (int i = 0; i < 6; ++i) { for (int j = 0; j < 5; ++j) { if (j == k) continue; if (i * j > 9) return t; t += j; } } return -t; }
        { for (int i = 0; i < 20; ++i) if (i * i > k * 10) return i; return -1; }
        { for (int i = 0; ; ++i) { if ((a >> i & 1) || i == 31) return i; } }
        { int i; for (i = 0; i < 100; i += k + 1) ; return i; }
        { int t = 0; while (t < 50) { int z = t; { int t2 = z * 2; z = t2 + 1; } t = z + k; } return t; }
        { int t = 0; for (unsigned z = u; z; z &= z - 1) ++t; return t; }
        { int t = 0; for (signed char z = 120; z > 0; ++z) ++t; return t; }
        { int t = 0; for (int i = 10; i--;) t = t * 3 + i; return t; }
        { int t = 0; for (int i = 0; i < 4; ++i) { int z = i; for (int i = 0; i < 3; ++i) { z += i * k; } t += z; } return t; }
        { int z = 0; if (a > 0) if (b > 0) z = 1; else z = 2; return z; }
        { int z; if (k == 0) z = 5; else if (k == 1) z = 6; else if (k < 4) { z = 7; } else z = 8; return z; }
        { int z = 1; { int z = 2; { int z = 3; { int z = k; if (z > 90) return z; } if (z != 3) return -1; } if (z != 2) return -2; } return z; }
        { int t = 0; for (int i = 0; i < 8; ++i) { if (i < k) { if (i & 1) continue; t += 10; if (i > 4) break; } t += i; } return t; }
        { int t = 0; for (int i = 0; i < k; ++i) { if (i == 3) return t; while (t < i * 5) { t += 2; if (t == 8) break; } } return -t; }
        int: steps(k + 1)
        int: steps(uc + 1)
        { float t = 1; for (int i = 0; i < k; ++i) { t = (t + f / (t + 2)) / 2; } return (int)(t * 100); }
    """,
    "switch": """
        { switch (k) { case 0: return 10; case 1: return 11; default: return 12; } }
        { int z = 0; switch (k) { case 0: z = 1; break; case 1: z = 2; break; case 5: z = 3; } return z; }
        { int z = 0; switch (k) { case 0: z += 1; case 1: z += 10; case 2: z += 100; break; case 3: z += 1000; } return z; }
        { int z = 0; switch (k) { case 1: z += 1; default: z += 10; case 2: z += 100; break; case 3: z += 1000; } return z; }
        { int z = 0; switch (k) { default: z = 9; break; case 1: case 2: case 3: z = 4; } return z; }
        { int z = 0; switch (k & 3) { case 0: if (a > 0) break; z = 5; case 1: z += 7; break; case 2: z = 1; } return z; }
        { int t = 0; for (int i = 0; i < 6; ++i) { switch (i + k & 3) { case 0: continue; case 1: t += 1; break; default: t += 10; } t *= 2; } return t; }
        { int t = 0; for (int i = 0; i < 6; ++i) { switch (i) { case 4: return t; case 2: t += k; break; } t += 3; } return -t; }
        { int t = 0; switch (k) { case 2: for (int i = 0; i < 5; ++i) { if (i == 3) break; t += i; } t += 50; break; case 3: t = 9; } return t; }
        { int t = 0; switch (k & 1) { case 0: switch (k >> 1) { case 0: t = 1; break; case 1: t = 2; default: t += 4; } t += 100; break; case 1: t = -k; } return t; }
        { switch (c) { case -1: return 1; case 0: return 2; case 127: return 3; case -128: return 4; } return 0; }
        { switch (u) { case 0: return 1; case 4294967295u: return 2; case 1: return 3; default: return 4; } }
        { switch (l) { case 0: return 1; case -1: return 2; case 1LL << 40: return 3; } return 5; }
        { switch (k) { case 1 + 1: return 1; case WIDTH: return 2; case 'A' - 'A': return 3; } return 4; }
        { int z = k, n = 0; while (z > 0) { switch (z % 3) { case 0: z -= 3; n += 1; break; case 1: z -= 1; n += 10; break; case 2: z -= 2; n += 100; } } return n; }
        { int z = 0; switch (k) { case 0: { int w = a; z = w & 7; break; } case 1: { int w = b; z = w & 3; } } return z; }
        { int z = 3; switch (k) { } return z; }
        { switch (a > b) { case 0: return 5; case 1: return 6; } return 7; }
    """,
    "functions": """
        int: clamped(a, -10, 10)
        int: clamped(a, b, b)
        int: clamped(clamped(a, -100, 100) * 3, -50, k)
        int: twice_clamped(a)
        { int p = a, q = b; swap(&p, &q); return p - q * 3; }
        { int p = a, q = b; if (k > 3) swap(&p, &q); return p - q * 3; }
        { int p = a; swap(&p, &p); return p; }
        { int n = 0; for (int i = 0; i < k; ++i) counted(&n); return n; }
        { int n = 5; int z = counted(&n) * 10; return z + n; }
        { int z = k; z = clamped(z, 1, 3) + clamped(z, 4, 6) * 10; return z; }
        double: halved(halved(f))
        int: narrow(wrapped(a))
        { if (clamped(a, 0, 5) == 5 && clamped(b, 0, 5) == 5) return 1; return 0; }
        { int t = 0; for (int i = 0; clamped(i, 0, 4) < 4; ++i) t += i; return t; }
        int: steps(clamped(a, 1, 30)) - steps(k + 2)
    """,
    "pointers and local arrays": """
        { int t[5] = {1, 2, 3, 4, 5}; return total(t, 5); }
        { int t[5] = {1, 2}; return total(t, 5); }
        { int t[] = {4, 5, 6}; return t[k % 3]; }
        { int t[5]; fill(t, 5, k); return total(t + 1, 3); }
        { int t[8]; for (int i = 0; i < 8; ++i) t[i] = i * i; return t[k]; }
        { int t[8]; for (int i = 0; i < 8; ++i) t[i ^ k] = i; return t[0] * 10 + t[5]; }
        { int t[8] = {0}; t[k] = 5; t[7 - k] += 2; return total(t, 8) * 100 + t[k]; }
        { int t[3][4]; for (int i = 0; i < 3; ++i) for (int j = 0; j < 4; ++j) t[i][j] = i * 10 + j; return t[k % 3][k % 4]; }
        { int t[2][3] = {{1, 2, 3}, {4, 5, 6}}; return t[k & 1][k % 3]; }
        { int t[2][3] = {{1}, {2, 3}}; return t[k & 1][k % 3]; }
        { int t[2][3] = {1, 2, 3, 4}; return t[k & 1][k % 3]; }
        { int t[3][4] = {{1, 2}, {3}, {4, 5, 6, 7}}; return of_grid(t, k % 3, k & 3); }
        { int t[2][2][2]; for (int i = 0; i < 8; ++i) t[i >> 2][i >> 1 & 1][i & 1] = i; return t[k >> 2][(k >> 1) & 1][k & 1]; }
        { int t[6] = {3, 1, 4, 1, 5, 9}; int *p = t + 5, *q = t + k % 5; return (int)(p - q) * 10 + *q; }
        { int t[6] = {3, 1, 4, 1, 5, 9}; int *p = t; p += k % 6; return *p * 10 + p[-(k % 6)]; }
        { int t[6] = {3, 1, 4, 1, 5, 9}; int *p = &t[k % 6]; *p = 7; return total(t, 6); }
        { int t[6] = {3, 1, 4, 1, 5, 9}; int *p = t, *end = t + 6; int n = 0; while (p != end) { if (*p++ > k) n++; } return n; }
        { int t[6] = {3, 1, 4, 1, 5, 9}; const int *p = t; int n = 0; for (; p < t + 6 && *p <= k; ++p) n += *p; return n * 10 + (int)(p - t); }
        { int t[6] = {3, 1, 4, 1, 5, 9}; return *further(t, k % 5) + further(t, 2)[1]; }
        { int z = a; int *p = &z; *p += 3; return z; }
        { int z = a, w = b; int *p = &z; *p = w; p = &z; ++*p; return z; }
        { float z = f; float *p = &z; *p = *p * 2 + 1; return z > f; }
        { int t[5] = {5, 3, 1, 4, 2}; for (int i = 0; i < 4; ++i) for (int j = 0; j < 4 - i; ++j) if (t[j] > t[j + 1]) swap(&t[j], &t[j + 1]); int z = 0; for (int i = 0; i < 5; ++i) z = z * 10 + t[i]; return z; }
        { unsigned char t[4] = {250, 251, 252, 253}; t[k & 3] += 10; return t[0] + t[1] + t[2] + t[3]; }
        { short t[3] = {1, 2, 3}; t[k % 3] = a; return t[0] + t[1] + t[2]; }
        { float t[3] = {1, 2.5, 3}; t[k % 3] += f; return (int)(t[0] + t[1] + t[2] > 5); }
        { int t[4]; int n = 0; for (int i = 0; i < k && n < 4; ++i) if (i & 1) t[n++] = i; return n ? t[n - 1] * 10 + n : 0; }
        { int t[CELLS]; for (int i = 0; i < CELLS; ++i) t[i] = SQUARE(i); return t[WIDTH * k % CELLS]; }
        { int t[3] = {1, 2, 3}; int z = 0; for (int r = 0; r < k; ++r) { int t0 = t[0]; t[0] = t[1]; t[1] = t[2]; t[2] = t0 + r; } for (int i = 0; i < 3; ++i) z = z * 7 + t[i]; return z; }
        { int t[2] = {1, 2}; { int t[2] = {3, 4}; { int t[2] = {5, 6}; if (t[0] != 5) return -1; t[0] = 7; } if (t[1] != 4) return -2; t[1] = 0; } return t[0] * 10 + t[1]; }
        { int t[4] = {1, 2, 3, 4}; int *p = k & 1 ? t : t + 2; return p[0] * 10 + p[1]; }
        { int t[4] = {1, 2, 3, 4}; int *p = t; if (k & 1) p = t + 1; if (k & 2) p += 2; return *p; }
        { int t[4][2] = {{1, 2}, {3, 4}, {5, 6}, {7, 8}}; int *row = t[k & 3]; return row[0] * 10 + row[1]; }
        { int t[4][2] = {{1, 2}, {3, 4}, {5, 6}, {7, 8}}; swap(&t[k & 3][0], &t[0][1]); return t[k & 3][0] * 10 + t[0][1]; }
    """,
    "structures": """
        { struct Pair p; p.first = a; p.second = f; return p.first + (p.second > 0); }
        { struct Pair p = {3, 1.5f}; return p.first * 10 + (int)(p.second * 2); }
        { struct Pair p = {3}; return p.first * 10 + (int)p.second; }
        { struct Pair p = {a, f}, q = p; q.first++; return p.first ^ q.first; }
        { struct Pair p = {a, f}; struct Pair q = turned(p); return p.first + q.first * 3; }
        { struct Pair p = {1, 2}; return turned((k > 3, turned(turned(p)))).first; }
        { struct Pair p = {k, 2}; if (k > 3) p = turned(p); return p.first * 10 + (int)p.second; }
        { struct Pair p = {k, 2}; struct Pair *q = &p; q->first += 4; (*q).second = 3; return p.first * 10 + (int)p.second; }
        { struct Pair p = {k, 2}; int *q = &p.first; *q *= 5; return p.first; }
        { struct Pair t[3] = {{1, 2}, {3, 4}, {5, 6}}; return t[k % 3].first * 10 + (int)t[(k + 1) % 3].second; }
        { struct Pair t[3]; for (int i = 0; i < 3; ++i) { t[i].first = i; t[i].second = i * 0.5f; } t[k % 3] = t[0]; return t[0].first * 100 + t[1].first * 10 + t[2].first; }
        { struct Pair t[3] = {{1, 2}, {3, 4}, {5, 6}}; struct Pair *p = t + k % 3; p->first = 9; p = t; int z = 0; for (int i = 0; i < 3; ++i, ++p) z = z * 10 + p->first; return z; }
        { struct Box w; w.low.first = 1; w.low.second = 2; w.high = w.low; w.high.first = a; w.tag = 300; return w.high.first + w.low.first + w.tag; }
        { struct Box w = {{1, 2}, {3, 4}, 5}; struct Box z = w; z.low = z.high; z.low.first += k; return z.low.first * 100 + w.low.first * 10 + z.tag; }
        { struct Pair p = {1, 2}, q = {3, 4}; struct Pair r = k & 1 ? p : q; return r.first; }
        { struct Pair p = {1, 2}; for (int i = 0; i < k; ++i) { p.first += i; if (i == 4) break; p.second += p.first; } return p.first * 1000 + (int)p.second; }
    """,
    "constants, sizes and macros": """
        int: 0x1F + 017 + 0
        int: 0xff
        unsigned: 0xffffffff
        int: 0xffffffff > 0
        long long: 0x100000000
        long long: 4294967296
        long long: 2147483648
        long long: -2147483648
        long long: 0x80000000
        long long: 0x7fffffffffffffffLL
        unsigned long long: 0xffffffffffffffffULL
        unsigned long long: 18446744073709551615ull
        int: 0xffffffffffffffff > 0
        long long: 5000000000u
        long long: 040000000000
        long long: 1u - 2
        long long: 1ul - 2
        int: 10u > -1
        int: 10 > -1
        int: '0' + '9'
        int: 'a'
        int: '\\n' + '\\t' + '\\0' + '\\\\' + '\\''
        int: '\\x41' + '\\101'
        int: '\\xff'
        int: sizeof(char) + sizeof(short) * 10 + sizeof(int) * 100
        int: sizeof(long long) + sizeof(float) * 10 + sizeof(double) * 100
        int: sizeof(struct Pair)
        int: sizeof(struct Box)
        int: sizeof(int *)
        int: sizeof a + sizeof x
        { int t[7]; t[0] = 1; return sizeof(t) / sizeof(t[0]); }
        { short t[3][5]; return sizeof(t) + sizeof(t[0]); }
        unsigned long long: sizeof(int) - 5
        int: TWICE(k)
        int: TWICE(TWICE(k + 1))
        int: SQUARE(k + 1)
        int: CELLS * WIDTH
        int: LARGER(TWICE(k), 7)
        { int z = k; STEP(z, 3); STEP(z, WIDTH); return z; }
        int: 1 ? 2 : 3
        int: 5 > 3 && 2 > 1
        long long: 1 << 4 | 1LL << 33
        int: -5 >> 1
        int: (2 + 3) * 4 - 10 / 3 % 2
        int: ~0
        unsigned: ~0u >> 4
        long long: ~0u
        long long: -1u
        int: - -5
        int: +uc
        int: 2147483647 + 1
        unsigned: 3000000000u * 2
        float: 16777216.0f + 1.0f
        double: 16777216.0 + 1.0
        float: 0.1f + 0.2f
        double: 0.1 + 0.2
        double: 0.1f + 0.2f
        float: 3 * 0.1f
        double: 1.0f / 3
        int: 7 / 2 * 2.0
        int: 0.5f + 0.5
    """,
}


def rows():
    """(group, result type, body of a C function) of each row."""
    for group, text in TABLE.items():
        for line in filter(None, map(str.strip, text.splitlines())):
            if line.startswith("{"):
                yield group, "int", line
            else:
                result, expression = line.split(":", 1)
                yield group, result, f"{{ return {expression}; }}"
