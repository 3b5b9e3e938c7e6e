/* Put and get of every type, sized and in bytes: blocking, non-blocking, strided, in blocks; on the default context
 * and on one of our own; heap and static objects; nothing at all with null pointers. */
#include "check.h"

enum { LEN = 257, ROOM = 1024 };

/* Puts to the right, gets from the left, in all forms. OBJ has ROOM elements on every PE. */
#define FORMS(P, TYPE, PUT, GET, IPUT, IGET, IBPUT, IBGET, PUT_NBI, GET_NBI, QUIET)                            \
    do {                                                                                                       \
        const int me = shmem_my_pe(), right = right_of(me), left = left_of(me);                               \
        TYPE source[ROOM], got[ROOM];                                                                          \
        for (size_t i = 0; i < ROOM; i++) source[i] = VALUE(TYPE, me, i);                                      \
        const size_t lengths[] = {0, 1, 2, 3, 7, 64, LEN};                                                     \
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {                                        \
            for (int nbi = 0; nbi < 2; nbi++) {                                                                \
                const size_t n = lengths[k];                                                                   \
                memset(P, 0, ROOM * sizeof(TYPE));                                                             \
                shmem_barrier_all();                                                                           \
                if (nbi) PUT_NBI(P + 3, source + 1, n, right);                                                 \
                else PUT(P + 3, source + 1, n, right);                                                         \
                QUIET;                                                                                         \
                shmem_barrier_all();                                                                           \
                for (size_t i = 0; i < ROOM; i++)                                                              \
                    CHECK(P[i] == (i >= 3 && i < 3 + n ? VALUE(TYPE, left, i - 2) : (TYPE)0));                 \
                memset(got, 0, sizeof got);                                                                    \
                if (nbi) GET_NBI(got + 2, P + 3, n, right);                                                    \
                else GET(got + 2, P + 3, n, right);                                                            \
                QUIET;                                                                                         \
                for (size_t i = 0; i < n; i++) CHECK(got[i + 2] == VALUE(TYPE, me, i + 1));                    \
                CHECK(got[1] == (TYPE)0 && got[n + 2] == (TYPE)0);                                             \
                shmem_barrier_all();                                                                           \
            }                                                                                                  \
        }                                                                                                      \
        for (ptrdiff_t d = 1; d <= 3; d++) {                                                                   \
            for (ptrdiff_t s = 1; s <= 3; s++) {                                                               \
                const size_t n = 50;                                                                           \
                memset(P, 0, ROOM * sizeof(TYPE));                                                             \
                shmem_barrier_all();                                                                           \
                IPUT(P, source, d, s, n, right);                                                               \
                QUIET;                                                                                         \
                shmem_barrier_all();                                                                           \
                for (size_t i = 0; i < ROOM; i++)                                                              \
                    CHECK(P[i] == (i % (size_t)d == 0 && i / (size_t)d < n                                     \
                                       ? VALUE(TYPE, left, i / (size_t)d * (size_t)s)                          \
                                       : (TYPE)0));                                                            \
                memset(got, 0, sizeof got);                                                                    \
                IGET(got, P, s, d, n, right);                                                                  \
                for (size_t i = 0; i < n; i++) CHECK(got[i * (size_t)s] == VALUE(TYPE, me, i * (size_t)s));    \
                shmem_barrier_all();                                                                           \
                const size_t block = 3, blocks = 20;                                                           \
                const ptrdiff_t db = d + 2, sb = s + 2;                                                        \
                memset(P, 0, ROOM * sizeof(TYPE));                                                             \
                shmem_barrier_all();                                                                           \
                IBPUT(P, source, db, sb, block, blocks, right);                                                \
                QUIET;                                                                                         \
                shmem_barrier_all();                                                                           \
                for (size_t i = 0; i < ROOM; i++) {                                                            \
                    const size_t b = i / (size_t)db, e = i % (size_t)db;                                       \
                    CHECK(P[i] == (b < blocks && e < block ? VALUE(TYPE, left, b * (size_t)sb + e) : (TYPE)0)); \
                }                                                                                              \
                memset(got, 0, sizeof got);                                                                    \
                IBGET(got, P, sb, db, block, blocks, right);                                                   \
                for (size_t b = 0; b < blocks; b++)                                                            \
                    for (size_t e = 0; e < block; e++)                                                         \
                        CHECK(got[b * (size_t)sb + e] == VALUE(TYPE, me, b * (size_t)sb + e));                 \
                shmem_barrier_all();                                                                           \
            }                                                                                                  \
        }                                                                                                      \
        PUT(NULL, NULL, nothing, right);                                                                       \
        GET(NULL, NULL, nothing, right);                                                                       \
        PUT_NBI(NULL, NULL, nothing, right);                                                                   \
        GET_NBI(NULL, NULL, nothing, right);                                                                   \
        IPUT(NULL, NULL, 1, 1, nothing, right);                                                                \
        IGET(NULL, NULL, 1, 1, nothing, right);                                                                \
        IBPUT(NULL, NULL, 1, 1, 1, nothing, right);                                                            \
        IBGET(NULL, NULL, 1, 1, 1, nothing, right);                                                            \
    } while (0)

static shmem_ctx_t ctx;

#define TYPED(NAME, TYPE, unused)                                                                              \
    static TYPE NAME##_static[ROOM];                                                                           \
    static void of_##NAME(void) {                                                                              \
        TYPE *heap = shmem_malloc(ROOM * sizeof(TYPE));                                                        \
        CHECK(heap != NULL);                                                                                   \
        TYPE *objects[] = {heap, NAME##_static};                                                               \
        for (int k = 0; k < 2; k++) {                                                                          \
            TYPE *p = objects[k];                                                                              \
            FORMS(p, TYPE, shmem_##NAME##_put, shmem_##NAME##_get, shmem_##NAME##_iput, shmem_##NAME##_iget,   \
                  shmem_##NAME##_ibput, shmem_##NAME##_ibget, shmem_##NAME##_put_nbi, shmem_##NAME##_get_nbi,  \
                  shmem_quiet());                                                                              \
            const int me = shmem_my_pe();                                                                      \
            shmem_##NAME##_p(p + 5, VALUE(TYPE, me, 9), right_of(me));                                         \
            shmem_barrier_all();                                                                               \
            CHECK(p[5] == VALUE(TYPE, left_of(me), 9));                                                        \
            CHECK(shmem_##NAME##_g(p + 5, right_of(me)) == VALUE(TYPE, me, 9));                                \
            shmem_barrier_all();                                                                               \
            shmem_ctx_##NAME##_p(ctx, p + 5, VALUE(TYPE, me, 11), right_of(me));                               \
            shmem_ctx_quiet(ctx);                                                                              \
            shmem_barrier_all();                                                                               \
            CHECK(shmem_ctx_##NAME##_g(ctx, p + 5, right_of(me)) == VALUE(TYPE, me, 11));                      \
            shmem_barrier_all();                                                                               \
        }                                                                                                      \
        shmem_free(heap);                                                                                      \
    }
RMA_TYPES(TYPED, )

#define ON_CTX(NAME, TYPE, unused)                                                                             \
    static void cput_##NAME(TYPE *d, const TYPE *s, size_t n, int pe) { shmem_ctx_##NAME##_put(ctx, d, s, n, pe); } \
    static void cget_##NAME(TYPE *d, const TYPE *s, size_t n, int pe) { shmem_ctx_##NAME##_get(ctx, d, s, n, pe); } \
    static void cputn_##NAME(TYPE *d, const TYPE *s, size_t n, int pe) {                                       \
        shmem_ctx_##NAME##_put_nbi(ctx, d, s, n, pe);                                                          \
    }                                                                                                          \
    static void cgetn_##NAME(TYPE *d, const TYPE *s, size_t n, int pe) {                                       \
        shmem_ctx_##NAME##_get_nbi(ctx, d, s, n, pe);                                                          \
    }                                                                                                          \
    static void ciput_##NAME(TYPE *d, const TYPE *s, ptrdiff_t dst, ptrdiff_t sst, size_t n, int pe) {         \
        shmem_ctx_##NAME##_iput(ctx, d, s, dst, sst, n, pe);                                                   \
    }                                                                                                          \
    static void ciget_##NAME(TYPE *d, const TYPE *s, ptrdiff_t dst, ptrdiff_t sst, size_t n, int pe) {         \
        shmem_ctx_##NAME##_iget(ctx, d, s, dst, sst, n, pe);                                                   \
    }                                                                                                          \
    static void cibput_##NAME(TYPE *d, const TYPE *s, ptrdiff_t dst, ptrdiff_t sst, size_t b, size_t n, int pe) { \
        shmem_ctx_##NAME##_ibput(ctx, d, s, dst, sst, b, n, pe);                                               \
    }                                                                                                          \
    static void cibget_##NAME(TYPE *d, const TYPE *s, ptrdiff_t dst, ptrdiff_t sst, size_t b, size_t n, int pe) { \
        shmem_ctx_##NAME##_ibget(ctx, d, s, dst, sst, b, n, pe);                                               \
    }                                                                                                          \
    static void on_ctx_##NAME(void) {                                                                          \
        FORMS(NAME##_static, TYPE, cput_##NAME, cget_##NAME, ciput_##NAME, ciget_##NAME, cibput_##NAME,        \
              cibget_##NAME, cputn_##NAME, cgetn_##NAME, shmem_ctx_quiet(ctx));                                \
    }
RMA_TYPES(ON_CTX, )

/* The sized forms, with an object of that many bits. */
#define SIZED(BITS, TYPE)                                                                                      \
    static TYPE sized_##BITS[ROOM];                                                                            \
    static void of_##BITS(void) {                                                                              \
        FORMS(sized_##BITS, TYPE, shmem_put##BITS, shmem_get##BITS, shmem_iput##BITS, shmem_iget##BITS,        \
              shmem_ibput##BITS, shmem_ibget##BITS, shmem_put##BITS##_nbi, shmem_get##BITS##_nbi, shmem_quiet()); \
    }
SIZED(8, uint8_t)
SIZED(16, uint16_t)
SIZED(32, float)
SIZED(64, double)
SIZED(128, long double)

/* Bytes: any length, any alignment. */
static unsigned char bytes[4096];

static void in_bytes(void) {
    const int me = shmem_my_pe(), right = right_of(me), left = left_of(me);
    unsigned char source[600], got[600];
    for (size_t i = 0; i < sizeof source; i++) source[i] = (unsigned char)(me * 31 + (int)i);
    for (size_t at = 0; at < 9; at++) {
        for (size_t n = 0; n < 520; n += (n < 20 ? 1 : 53)) {
            memset(bytes, 0xee, sizeof bytes);
            shmem_barrier_all();
            switch (n % 4) {
            case 0: shmem_putmem(bytes + at, source + at / 2, n, right); break;
            case 1: shmem_putmem_nbi(bytes + at, source + at / 2, n, right); break;
            case 2: shmem_ctx_putmem(ctx, bytes + at, source + at / 2, n, right); break;
            case 3: shmem_ctx_putmem_nbi(ctx, bytes + at, source + at / 2, n, right); break;
            }
            shmem_ctx_quiet(ctx);
            shmem_barrier_all();
            for (size_t i = 0; i < n; i++) CHECK(bytes[at + i] == (unsigned char)(left * 31 + (int)(at / 2 + i)));
            CHECK(bytes[at + n] == 0xee && (at == 0 || bytes[at - 1] == 0xee));
            memset(got, 0, sizeof got);
            switch (n % 4) {
            case 0: shmem_getmem(got, bytes + at, n, right); break;
            case 1: shmem_getmem_nbi(got, bytes + at, n, right); break;
            case 2: shmem_ctx_getmem(ctx, got, bytes + at, n, right); break;
            case 3: shmem_ctx_getmem_nbi(ctx, got, bytes + at, n, right); break;
            }
            shmem_quiet();
            shmem_ctx_quiet(ctx);
            CHECK(memcmp(got, source + at / 2, n) == 0);
            shmem_barrier_all();
        }
    }
    shmem_putmem(NULL, NULL, nothing, right);
    shmem_getmem(NULL, NULL, nothing, right);
}

int main(void) {
    shmem_init();
    CHECK(shmem_ctx_create(0, &ctx) == 0);
#define CALL(NAME, TYPE, unused) of_##NAME(), on_ctx_##NAME();
    RMA_TYPES(CALL, )
    of_8(), of_16(), of_32(), of_64(), of_128();
    in_bytes();
    shmem_ctx_destroy(ctx);
    if (shmem_my_pe() == 0) puts("rma: passed");
    shmem_finalize();
    return 0;
}
