// C++: globals with constructors are symmetric, the generic names are overloads, and the C names are C's.
// As many programs do with a C header.
extern "C" {
#include <shmem.h>
}
#include <complex>
#include <cstdio>
#include <string>
#include <vector>

#define CHECK(what) \
    do { \
        if (!(what)) { \
            std::fprintf(stderr, "PE %d: %s:%d: %s\n", shmem_my_pe(), __FILE__, __LINE__, #what); \
            shmem_global_exit(1); \
        } \
    } while (0)

struct Cell {
    long value;
    Cell() : value(17) {}
};

static Cell cell;                               // constructed before main
static std::string text = "constructed before main, longer than what fits inside";
static std::vector<int> numbers(1000, 3);       // private memory behind a symmetric handle
template <typename T> T inbox[4];               // one of each type
static double sums[2];

template <typename T> static void all_to_next(int next, int before)
{
    T mine[4] = {T(1), T(2), T(3), T(before)};
    const T *constant = mine;
    shmem_put(inbox<T>, constant, 4, next);
    shmem_put(SHMEM_CTX_DEFAULT, inbox<T>, mine, 2, next);
    shmem_barrier_all();
    CHECK(inbox<T>[2] == T(3));
    CHECK(shmem_g(inbox<T> + 1, next) == T(2));
    shmem_barrier_all();
    shmem_p(inbox<T>, T(9), next);
    T got[2];
    shmem_barrier_all();
    shmem_get(got, inbox<T>, 2, next);
    shmem_get_nbi(SHMEM_CTX_DEFAULT, got, inbox<T>, 2, next);
    shmem_quiet();
    CHECK(got[0] == T(9) && got[1] == T(2));
    shmem_barrier_all();
}

// std::complex and C's own type, by the same names.
template <typename T> static void of_complex(int me, int n)
{
    static std::complex<T> out[2], in[2];
    in[0] = std::complex<T>(T(me + 1), T(1));
    in[1] = std::complex<T>(0, 1);
    const std::complex<T> *constant = in;
    CHECK(shmem_sum_reduce(SHMEM_TEAM_WORLD, out, constant, 2) == 0);
    CHECK(out[0] == std::complex<T>(T(n * (n + 1) / 2), T(n)) && out[1] == std::complex<T>(0, T(n)));
    CHECK(shmem_prod_reduce(SHMEM_TEAM_WORLD, out, in, 2) == 0);
    const T re[4] = {1, 0, -1, 0}, im[4] = {0, 1, 0, -1};           // powers of i
    CHECK(out[1] == std::complex<T>(re[n % 4], im[n % 4]));
    CHECK(shmem_sum_inscan(SHMEM_TEAM_WORLD, out, in, 2) == 0);
    CHECK(out[0] == std::complex<T>(T((me + 1) * (me + 2) / 2), T(me + 1)));
    CHECK(shmem_sum_exscan(SHMEM_TEAM_WORLD, out, in, 2) == 0);
    CHECK(out[0] == std::complex<T>(T(me * (me + 1) / 2), T(me)));
    shmem_barrier_all();
}

int main()
{
    shmem_init();
    int me = shmem_my_pe(), n = shmem_n_pes(), next = (me + 1) % n, before = (me + n - 1) % n;
    CHECK(cell.value == 17 && text.size() > 40 && numbers[999] == 3);
    text += " and still mine";
    numbers.push_back(me);

    all_to_next<float>(next, before);
    all_to_next<double>(next, before);
    all_to_next<long double>(next, before);
    all_to_next<char>(next, before);
    all_to_next<short>(next, before);
    all_to_next<int>(next, before);
    all_to_next<long>(next, before);
    all_to_next<long long>(next, before);
    all_to_next<unsigned char>(next, before);
    all_to_next<std::size_t>(next, before);
    all_to_next<std::uint32_t>(next, before);

    of_complex<float>(me, n);
    of_complex<double>(me, n);

    shmem_atomic_add(&cell.value, 5L, 0);
    CHECK(shmem_atomic_fetch(&cell.value, 0) >= 22);
    shmem_barrier_all();
    if (me == 0) CHECK(cell.value == 17 + 5L * n);
    shmem_wait_until(&cell.value, SHMEM_CMP_GE, 17L);
    CHECK(shmem_test(&inbox<int>[1], SHMEM_CMP_EQ, 2) == 1);
    sums[0] = me + 1;
    CHECK(shmem_sync(SHMEM_TEAM_WORLD) == 0);
    CHECK(shmem_sum_reduce(SHMEM_TEAM_WORLD, sums + 1, sums, 1) == 0);
    CHECK(sums[1] == n * (n + 1) / 2.0);
    CHECK(numbers.back() == me && text.substr(text.size() - 4) == "mine");
    shmem_finalize();
    return 0;
}
