"""Lots, views, voting weight, fold and settled roots (protocol.md, sections 5 to 8)."""
from .encoding import encode, sha256


def weighted_median(values, weights):
    """The least value at which the cumulated weight reaches half of the total; 0 for none."""
    cumulated = 0
    for value, weight in sorted(zip(values, weights)):
        cumulated += weight
        if 2 * cumulated >= sum(weights):
            return value
    return 0


def median_tokens(tokens, weights):
    """By voting weight; each counts one where nobody weighs anything."""
    return weighted_median(tokens, weights if any(weights) else [1] * len(tokens))


def counted(included, weight_of):
    """Author and tokens, for each that trained."""
    trained = [c for c in included if c.trained]
    median = median_tokens([c.tokens for c in trained], [weight_of(c.author) for c in trained])
    return [(c.author, min(c.tokens, median)) for c in trained]


def tickets_of(weight, heaviest):
    return 1 + 63 * weight // heaviest if heaviest else 1


def lot(run, phase, round_number, author, ticket):
    return sha256(f"{run}/{phase}/{round_number}/{author}/{ticket}".encode()).hex()


def least_lot(run, phase, round_number, author, tickets):
    return min(lot(run, phase, round_number, author, ticket) for ticket in range(tickets))


class Rule:
    def __init__(self, run, phase, settle_depth, weight_window, founders):
        self.run, self.phase = run, phase
        self.settle_depth, self.weight_window, self.founders = settle_depth, weight_window, founders


class Contribution:
    def __init__(self, rule, *, id, author, round, parents, evidence, tokens, trained, supports=None):
        self.id, self.author, self.round, self.tokens, self.trained = id, author, round, tokens, trained
        self.supports = supports
        self.convicts = {c.author for c in evidence}
        self.view = View(rule, round, parents)


def single(contributions):
    authors = [c.author for c in contributions]
    return sorted((c for c in contributions if authors.count(c.author) == 1), key=lambda c: c.id)


class View:
    def __init__(self, rule, round_number, parents):
        self.rule, self.round, self.parents = rule, round_number, single(parents)
        self._known = {}

    def _once(self, name, compute):
        if name not in self._known:
            self._known[name] = compute()
        return self._known[name]

    def settled_round(self, round_number=None):
        return max(0, (self.round if round_number is None else round_number) - self.rule.settle_depth)

    def included(self, r):
        if r < 0 or r >= self.round or not self.parents:
            return []
        if r == self.round - 1:
            return self.parents
        return self.voted() if r == self.round - 2 else self.anchor().view.included(r)

    def voted(self):
        return self._once("voted", self._elect)

    def _elect(self):
        votes = self._votes(self.parents)
        total, support = sum(votes.values()), {}
        for d in self.parents:
            for x in d.view.parents:
                support[x] = support.get(x, 0) + votes[d]
        return single([x for x, weight in support.items() if 2 * weight >= total])

    def _votes(self, voters):
        weights = {c: self.voters().get(c.author, 0) for c in voters}
        return weights if any(weights.values()) else dict.fromkeys(voters, 1)

    def anchor(self):
        return self._once("anchor", self._draw) if self.round >= 2 and self.parents else None

    def _draw(self):
        votes = self._votes(self.voted())
        total = sum(votes.values())
        held = {d: sum(votes[x] for x in votes if x in d.view.parents) for d in self.parents}
        enough = [d for d in self.parents if 3 * held[d] >= 2 * total]
        candidates = enough or [d for d in self.parents if held[d] == max(held.values())]
        weight = lambda d: self.voters().get(d.author, 0)
        heaviest = max(map(weight, self.parents))

        def lot_of(d):
            tickets = tickets_of(weight(d), heaviest)
            return least_lot(self.rule.run, self.rule.phase, self.round - 1, d.author, tickets)

        return min(candidates, key=lot_of)

    def voters(self):
        return self._once("voters", self._find_voters)

    def _find_voters(self):
        settled = self.settled_round(self.round - 1)
        if settled > 0:
            return self.table(settled)
        return dict.fromkeys(self.rule.founders or sorted(self._first_authors()), 1)

    def weights_at(self, settled):
        """Voting weights as of a settled round; before any has settled, of those who vote then."""
        if settled > 0:
            return self.table(settled)
        first = self
        while first.round > self.rule.settle_depth + 1:
            first = first.anchor().view
        return dict.fromkeys(self.rule.founders or sorted(first._first_authors()), 1)

    def _first_authors(self):
        if self.round <= 1:
            return {c.author for c in self.parents}
        return self._once("first", lambda: set().union(*(c.view._first_authors() for c in self.parents)))

    def _source(self, r):
        # What P has settled is the same in the views of all parents; the anchor is drawn with these weights.
        is_settled = r < self.settled_round(self.round - 1)
        return self.parents[0].view if is_settled and self.parents else self

    def counted(self, r):
        return counted(self._source(r).included(r), self._judges(r))

    def _judges(self, r):
        """By whose weight the median of S(r) goes."""
        settled, founders = self.settled_round(r), self.rule.founders
        if settled == 0:
            return lambda author: 1 if not founders or author in founders else 0
        table = self.table(settled)
        return lambda author: table.get(author, 0)

    def table(self, settled):
        return self._once(("table", settled), lambda: self._add_up(settled))

    def _add_up(self, settled):
        table = {}
        for r in range(max(0, settled - self.rule.weight_window), settled):
            for author, tokens in self.counted(r):
                table[author] = table.get(author, 0) + tokens
            for c in self._source(r).included(r):
                for author in c.convicts:
                    table.pop(author, None)
        return {author: weight for author, weight in table.items() if weight > 0}

    def included_tokens(self):
        return sum(tokens for r in range(self.round) for _, tokens in self.counted(r))


def carried_at(view, proposal):
    """The settled round at which the proposed successor is carried (section 13); None: not yet."""
    streak = 0
    for r in range(view.settled_round()):
        weights = view.weights_at(view.settled_round(r))
        behind = sum(weights.get(c.author, 0) for c in view.included(r) if c.supports == proposal)
        streak = streak + 1 if weights and behind and 3 * behind >= 2 * sum(weights.values()) else 0
        if streak == view.rule.settle_depth:
            return r + 1
    return None


def factors(tokens, norms, weights, outer_rate):
    """k_j of contributions with a delta."""
    median = median_tokens(tokens, weights)
    works = [min(t, 2 * median) for t in tokens]
    total, median_norm = sum(works), weighted_median(norms, works)
    return [
        outer_rate * work * min(norm, 2 * median_norm) // (total * norm) if norm and total else 0
        for norm, work in zip(norms, works)
    ]


def round_half_to_even(numerator, denominator):
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest == denominator:
        return quotient + quotient % 2
    return quotient + (2 * rest > denominator)


def wrap(number):
    """To int32, modulo 2^32."""
    return (number + 2**31) % 2**32 - 2**31


def fold(weights, deltas):
    """`deltas`: k_j and D_j of each."""
    sums = [0] * len(weights)
    for factor, delta in deltas:
        for i, value in enumerate(delta):
            sums[i] += factor * value
    return [wrap(weight - round_half_to_even(total, 2**20)) for weight, total in zip(weights, sums)]


def settled_root(run, phase, round_number, weights_root, accounts):
    state = {"run": run, "phase": phase, "round": round_number, "weights": weights_root}
    work = [sha256(encode({"counted": w["counted"], "voided": w["voided"]})) for w in accounts["work"]]
    return sha256(encode({**state, "tokens": accounts["tokens"], "table": accounts["table"], "work": work}))
