"""Patterns of PROTOCOL.md: a text, multiplied out where it has braces, then compared component by component."""

import re

from wire import require

MOST, MAGIC = 64, re.compile(r"[*?\[\]{}]")
SET = re.compile(r"\[([!^]?)(\]?[^/\]]*)\]")


def is_glob(text):
    return MAGIC.search(text) is not None


class Glob:
    """One pattern; `matches` tells of a whole path."""

    def __init__(self, pattern, names=False):
        few = len(pattern.encode("utf-16-le")) <= 512 and pattern.count("{") <= 16 and pattern.count("*") <= 32
        require(few, "BAD_PARAMS", "the pattern has too much of something")
        stray = r"[\x00-\x1f\x7f-\x9f]" if names else r"[\x00-\x1f\x7f-\x9f\\]"
        require(not re.search(stray, pattern), "BAD_PATH", "no path has such a character")
        self.pattern, self.at = pattern, 0
        alternatives = self.sequence(False)
        require(self.at == len(pattern), "BAD_PARAMS", "a group has no beginning")
        self.plain = [self.components(one) for one in alternatives]
        first = MAGIC.search(pattern).start()
        self.top = pattern[: max(0, pattern.rfind("/", 0, first))]
        require(names or not re.match("[A-Za-z]:", self.top), "BAD_PATH", "it begins in no path")

    def sequence(self, inner):
        """Alternatives, each a list of what it is made of, up to the end or to what ends it."""
        found = [[]]
        while self.at < len(self.pattern):
            rest = self.pattern[self.at :]
            if rest[0] == "}" or (inner and rest[0] == ","):
                break
            if rest[0] == "{":
                self.at += 1
                group = self.group()
            else:
                token = SET.match(rest) if rest[0] == "[" else re.match(r"[^\]]", rest, re.S)
                require(token is not None, "BAD_PARAMS", "a set has no end or no beginning")
                self.at += token.end()
                group = [[token[0]]]
            found = [[*one, *other] for one in found for other in group]
            require(len(found) <= MOST, "BAD_PARAMS", "it stands for too many")
        return found

    def group(self):
        found, count = [], 0
        while True:
            found += self.sequence(True)
            count += 1
            require(len(found) <= MOST, "BAD_PARAMS", "it stands for too many")
            require(self.at < len(self.pattern), "BAD_PARAMS", "a group has no end")
            self.at += 1
            if self.pattern[self.at - 1] == "}":
                require(count > 1, "BAD_PARAMS", "a group has one alternative")
                return found

    @staticmethod
    def components(tokens):
        """The components of a pattern without braces: a regular expression each, None for `**`."""
        found = [[]]
        for token in tokens:
            if token == "/":
                found.append([])
            else:
                found[-1].append(token)
        require(all("".join(one) not in ("", ".", "..") for one in found), "BAD_PATH", "no path has such a component")
        return [None if one == ["*", "*"] else re.compile("".join(map(regex, one)), re.S) for one in found]

    def matches(self, path):
        return any(match(one, path.split("/")) for one in self.plain)


def regex(token):
    """What one character of a pattern, or a set, is for Python."""
    if token[0] != "[" or token == "[":
        return {"*": ".*", "?": "."}.get(token) or re.escape(token)
    negated, inner = SET.fullmatch(token).groups()
    require(inner != "", "BAD_PARAMS", "a set has no end: its first ] is a member")
    require(not re.search(r"\[[:.=]", inner), "BAD_PARAMS", "a class of characters")
    members, at = [], 0
    while at < len(inner):
        ranged = inner[at + 1 : at + 2] == "-" and at + 2 < len(inner)
        require(inner[at] != "-" or at in (0, len(inner) - 1), "BAD_PARAMS", "a stray - in a set")
        first, last = inner[at], inner[at + 2] if ranged else inner[at]
        require(first <= last, "BAD_PARAMS", "a range ends before it begins")
        members.append(f"{re.escape(first)}-{re.escape(last)}")
        at += 3 if ranged else 1
    return f"[{'^' if negated else ''}{''.join(members)}]"


def match(patterns, names):
    """Whether the components are those of the pattern."""
    if not patterns:
        return not names
    first, rest = patterns[0], patterns[1:]
    if first is None:
        return any(match(rest, names[skipped:]) for skipped in range(len(names) + 1)) if rest else bool(names)
    return bool(names) and first.fullmatch(names[0]) is not None and match(rest, names[1:])
