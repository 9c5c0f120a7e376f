#!/usr/bin/env python3
"""Writes tests/statistics_table.h: what harness/engine/statistics.c must say, by another way.

Exact rational arithmetic from the definitions, nothing shared with the C code: a share's bound by
bisection over exact binomial sums, the rank test by dealing the values in every possible way (small
groups) or by the Gaussian binomial coefficients (large ones without ties). The table is checked in;
tests/docs.sh makes it again and compares.

usage: tests/statistics_table.py >tests/statistics_table.h
"""
import random
from fractions import Fraction
from itertools import combinations
from math import comb


def at_least(passes, trials, share):
    return sum(comb(trials, i) * share**i * (1 - share) ** (trials - i) for i in range(passes, trials + 1))


def share_low(passes, trials, confidence):
    if passes == 0:
        return Fraction(0)
    low, high = Fraction(0), Fraction(1)
    for _ in range(46):
        middle = (low + high) / 2
        if at_least(passes, trials, middle) <= 1 - confidence:
            low = middle
        else:
            high = middle
    return low


def trials_more(passes, trials, share, confidence, most):
    for more in range(most + 1):
        if at_least(passes + more, trials + more, share) <= 1 - confidence:
            return more
    return most + 1


def twice_u(before, after):
    return sum(2 if a > b else 1 if a == b else 0 for a in after for b in before)


def by_dealing(before, after):
    values = before + after
    seen, at_least_seen, at_most_seen, ways = twice_u(before, after), 0, 0, 0
    for chosen in combinations(range(len(values)), len(after)):
        taken = set(chosen)
        u = twice_u([v for i, v in enumerate(values) if i not in taken], [values[i] for i in chosen])
        ways += 1
        at_least_seen += u >= seen
        at_most_seen += u <= seen
    return Fraction(at_least_seen, ways), Fraction(at_most_seen, ways)


def gaussian_binomial(n, m):
    """Coefficient u: in how many ways two groups of n and m different values have this U."""
    result = [1]
    for i in range(1, m + 1):
        up = [0] * (len(result) + n + i)
        for u, count in enumerate(result):  # times 1 - q^(n + i)
            up[u] += count
            up[u + n + i] -= count
        for u in range(i, len(up)):  # over 1 - q^i
            up[u] += up[u - i]
        result = up[: n * i + 1]
    return result


def number(value):
    return f"{float(value):.15g}"


def rows(name, kind, lines):
    print(f"\nstatic const struct {kind} {name}[] = {{")
    for line in lines:
        print(f"\t{{ {line} }},")
    print("};")


def main():
    print("/*")
    print(" * statistics_table.h - what statistics.c must say; written by tests/statistics_table.py.")
    print(" */")
    print("#ifndef TESTS_STATISTICS_TABLE_H\n#define TESTS_STATISTICS_TABLE_H\n\n#include <stdint.h>\n")
    print("struct share_row { uint64_t passes, trials; int64_t confidence_ppm; double low, high; };")
    print("struct more_row { uint64_t passes, trials; int64_t share_ppm, confidence_ppm; uint64_t more; };")
    print("struct deal_row {\n\tunsigned before_count, after_count;\n\tint before[7], after[7];")
    print("\tdouble p_greater, p_less, shift;\n};")
    print("struct even_row { unsigned before_count, after_count, u; double p_greater, p_less; };")

    lines = []
    for trials in (1, 2, 3, 5, 10, 18, 20, 45, 59, 100):
        for passes in sorted({0, 1, trials // 2, trials - 2, trials - 1, trials} & set(range(trials + 1))):
            for ppm in (500000, 900000, 950000, 990000):
                confidence = Fraction(ppm, 1000000)
                low = share_low(passes, trials, confidence)
                high = 1 - share_low(trials - passes, trials, confidence)
                lines.append(f"{passes}, {trials}, {ppm}, {number(low)}, {number(high)}")
    rows("share_rows", "share_row", lines)

    lines = []
    for passes, trials in ((0, 0), (1, 1), (5, 5), (18, 18), (19, 20), (18, 20), (44, 45), (45, 45)):
        for share in (500000, 800000, 900000, 950000, 990000):
            for ppm in (900000, 950000):
                more = trials_more(passes, trials, Fraction(share, 10**6), Fraction(ppm, 10**6), 400)
                lines.append(f"{passes}, {trials}, {share}, {ppm}, {more}")
    rows("more_rows", "more_row", lines)

    lines = []
    dice = random.Random(20261121)
    for case in range(60):
        top = (4, 9, 1000)[case % 3]  # many ties, some, hardly any
        before = [dice.randrange(top) for _ in range(dice.randint(1, 7))]
        after = [dice.randrange(top) + case % 4 for _ in range(dice.randint(1, 7))]
        greater, less = by_dealing(before, after)
        differences = sorted(a - b for a in after for b in before)
        half = len(differences)
        shift = Fraction(differences[(half - 1) // 2] + differences[half // 2], 2)
        lines.append(
            f"{len(before)}, {len(after)}, {{ {', '.join(map(str, before))} }},\n\t  "
            f"{{ {', '.join(map(str, after))} }}, {number(greater)}, {number(less)}, {number(shift)}"
        )
    rows("deal_rows", "deal_row", lines)

    lines = []
    for n, m in ((3, 3), (5, 8), (10, 10), (20, 20), (40, 40), (30, 12), (50, 50), (100, 60)):
        ways = gaussian_binomial(n, m)
        assert sum(ways) == comb(n + m, m)
        for u in sorted({0, 1, n * m // 4, n * m * 2 // 5, n * m // 2, n * m * 7 // 10, n * m}):
            greater = Fraction(sum(ways[u:]), sum(ways))
            less = Fraction(sum(ways[: u + 1]), sum(ways))
            lines.append(f"{n}, {m}, {u}, {number(greater)}, {number(less)}")
    rows("even_rows", "even_row", lines)
    print("\n#endif")


main()
