"""Lists the English function words: those that are stuttered when they come twice, and that say nothing alone."""

from __future__ import annotations

_FUNCTION_WORDS = """
i you he she it we they me him her us them my your his its our their mine yours the a an this that these those there
here and or but so because if when while as than then in on at to from of for with by about into onto over under up
down out off through is am are was were be been being do did does have has can could will would shall should may might
must not what which who whom whose where why how i'm i've i'd i'll it's he's she's we're they're didn't don't wasn't
couldn't like just some any
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())

_EMPHATIC = "very so no yes had never more again up down over out on off through that's"
EMPHATIC = frozenset(_EMPHATIC.split())
"""Function words that are also said twice on purpose."""

FILLERS = r"u+h?m+|u+h+|e+r+m*|h+m+|m+h*m+|u+hm+|ehm+"
FILLER_PHRASES = "you know|i mean|sort of|kind of|like"
TAGS = ""

_CLAUSE_STARTS = (
    "but and so or because when while then if which who i we he she it they there that where although though as"
)
CLAUSE_STARTS = frozenset(_CLAUSE_STARTS.split())
TURNS = ("then", "suddenly", "later", "next", "after", "and then", "at some point", "in the end", "finally")
_ABBREVIATIONS = "mr mrs ms dr st prof e.g i.e etc vs no"
ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())
