"""Pairs of neighbouring tokens: counting and joining them, which byte-pair training is.

Training asks thousands of times for the most frequent pair in a text. Counting anew
each time would read the text as often; here a merge touches only the words it changes.
"""

import heapq
from collections import Counter, defaultdict
from itertools import pairwise


def join(ids, pair, new):
    """`ids` with `new` in the place of each `pair`, found from left to right."""
    joined = []
    for i in ids:
        if joined and (joined[-1], i) == pair:
            joined[-1] = new
        else:
            joined.append(i)
    return joined


class Pairs:
    """The pairs in some words: `words[i]` is a list of tokens, met `times[i]` times.

    `counts` has the occurrences of each pair, `places` the words that have or had it.
    The heap holds every count a pair has had; an entry is good while `counts` agrees.
    """

    def __init__(self, words, times):
        self.words, self.times = words, times
        self.counts, self.places, self.heap = Counter(), defaultdict(set), []
        change = Counter()
        for i in range(len(words)):
            self.enter(i, change)
        self.update(change)

    def enter(self, i, change):
        for pair in pairwise(self.words[i]):
            change[pair] += self.times[i]
            self.places[pair].add(i)

    def update(self, change):
        for pair, difference in change.items():
            if difference:
                self.counts[pair] += difference
                heapq.heappush(self.heap, (-self.counts[pair], pair))

    def most_frequent(self):
        """The pair with the largest count, of equals the smallest; None without pairs.

        It leaves the heap, so join it next.
        """
        while self.heap:
            negative, pair = heapq.heappop(self.heap)
            if 0 < self.counts[pair] == -negative:
                return pair
        return None

    def join(self, pair, new):
        """Puts `new` in the place of `pair` in all words."""
        change = Counter()
        for i in self.places.pop(pair):
            for gone in pairwise(self.words[i]):
                change[gone] -= self.times[i]
            self.words[i] = join(self.words[i], pair, new)
            self.enter(i, change)
        self.update(change)
