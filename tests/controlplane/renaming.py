"""Other words for those of the recorded cases, from a seed: group, version, kind, fields, values and names, in files, commands and answers.

Order is kept, since kubectl and the server sort by name: each letter becomes two, itself and one that the seed chooses for it.
"""

from __future__ import annotations

import base64
import hashlib
import random
import re
from string import ascii_lowercase

_GROUP, _VERSION, _KIND = "conformance.example.dev", "v1alpha1", "Widget"
_WORDS = re.findall(
    r"\S+",
    """
    widget widgets wg gadgets parts colour size code every cron table options quota note count deep anything colr
    red green blue pink north south team tier gold bulk odd nut bolt orders returns big nope bad nothing nowhere shop
    cred conf operator reader leader password user painted painter hold done maybe one two requested-at
    """,
)
_SECRETS = ("andi", "rahasia")
_NUMBERS = ("14", "21", "28", "30", "35", "42", "43", "44")
_KEPT = r'files/[\w-]+\.yaml|--chunk-size|\.size\(\)|"code":410|^count: 1$|<[^>\n]*>'
"""Paths, what belongs to kubectl, CEL or Kubernetes and only looks like one of the words, and types that explain shows."""
_NAME = r'(?P<before>^|\b(?:default|shop|ADDED)  |[Ww]idgets?(?:\.conformance\.example\.dev)?(?:[/ ]| ")|\bwg |\\?"name\\?": ?\\?"|[Nn]ame[:=] *|"Widget" "|The Widget "|event/)'
_NAME += r'(?P<name>[abcf]|m[1-5])(?=$|[ /"\\,}\n]|\.1\b)'
"""An object's name of one letter, or of m and a digit, where such a name may stand."""


class Renaming:
    """Applied to a text, gives it with the words replaced. The same seed gives the same words."""

    def __init__(self, seed: int) -> None:
        chosen = random.Random(seed)
        self._second = {letter: chosen.choice(ascii_lowercase) for letter in ascii_lowercase}
        self.words = self._words(chosen)
        plain = "|".join(sorted(map(re.escape, self.words), key=len, reverse=True))
        self._pattern = re.compile(rf"(?P<kept>{_KEPT})|{_NAME}|(?<![A-Za-z0-9])(?P<word>{plain})(?![A-Za-z0-9])", re.M)
        self._names = {name: f"{name}{self._second[name[0]]}{chosen.randrange(10)}" for name in ("a", "b", "c", "f")}
        tail = "".join(chosen.choice(ascii_lowercase) for _ in range(3))
        self._names |= {f"m{number}": f"m{number}{tail}" for number in range(1, 6)}

    def __call__(self, text: str) -> str:
        """The text in other words."""
        return self._pattern.sub(self._replaced, text)

    def _replaced(self, found: re.Match[str]) -> str:
        if found["kept"]:
            return found["kept"]
        if found["name"]:
            return self(found["before"]) + self._names[found["name"]] if found["before"] else self._names[found["name"]]
        return self.words[found["word"]]

    def _words(self, chosen: random.Random) -> dict[str, str]:
        words = {}
        for word in _WORDS:
            other = self._doubled(word)
            words |= {word: other, word.capitalize(): other.capitalize(), word.upper(): other.upper()}
        words |= {f"{_KIND}List": f"{words[_KIND]}List", "Bad_Name": f"Bad_{words['Bad']}"}
        words["a-name-that-is-longer-than-twenty"] = "a" + "".join(chosen.choice(ascii_lowercase) for _ in range(25))
        words["AB-1"] = "".join(chosen.choice(ascii_lowercase).upper() for _ in range(2)) + f"-{chosen.randrange(1000)}"
        for secret in _SECRETS:
            other = "".join(chosen.choice(ascii_lowercase) for _ in secret)
            words |= {secret: other, _encoded(secret): _encoded(other)}
        words |= dict(zip(_NUMBERS, map(str, sorted(chosen.sample(range(11, 100), len(_NUMBERS)))), strict=True))
        words[_GROUP] = ".".join(self._doubled(part) for part in _GROUP.split("."))
        words[_VERSION] = chosen.choice(["v1alpha4", "v1beta1", "v2", "v3alpha12"])
        words[_hash(_GROUP, _VERSION, _KIND)] = _hash(words[_GROUP], words[_VERSION], words[_KIND])
        return words

    def _doubled(self, word: str) -> str:
        return "".join(letter + self._second.get(letter, "") for letter in word)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _hash(*parts: str) -> str:
    """The hash by which discovery tells in which version objects are stored."""
    return base64.b64encode(hashlib.sha256("/".join(parts).encode()).digest()[:8]).decode()
