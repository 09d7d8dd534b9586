"""Lists the Slovenian function words: those that are stuttered when they come twice, and that say nothing alone."""

from __future__ import annotations

_FUNCTION_WORDS = """
jaz ti on ona ono mi vi midva midve oni one me mene meni mu ji jo ga jih jim nas nam naju nama vas vam mano tabo njim
njo njimi sebe sebi si se moj moja moje mojo mojega mojem moji svoj svoja svoje svojo svojega njegov njegova njen njena
ta tega temu tem to te tisti tista tisto sem sva smo ste so je bil bila bilo bili bile biti bo bom bi nisem ni niso v
na pri pod nad pred za med ob po iz od do z s k h čez skozi brez proti in pa ali ampak ker ko če da ki kot kjer kdaj
kako kaj kdo kam zakaj tam tu tukaj potem nato tudi neki neka neko nek nekega nekem nekdo nekaj pač recimo torej vse
vsi
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())

_EMPHATIC = "po vse nekaj tam čez"
EMPHATIC = frozenset(_EMPHATIC.split())
"""Function words that are also said twice on purpose."""

FILLERS = r"e{1,}m*|h+m+|m+h*m+|u+hm+|u+mm+|ə+m*|ö+|eh+m+|u+h+"
FILLER_PHRASES = "a veš|saj veš|veš|a ne|ane|kao|v bistvu"
TAGS = "ne|a ne|ane"

_CLAUSE_STARTS = """
ampak in pa ali ker ko če da ki kjer kot potem nato samo vendar toda a kateri katera katero jaz sem sva smo bil bila
bilo bili tam
"""
CLAUSE_STARTS = frozenset(_CLAUSE_STARTS.split())
TURNS = ("potem", "nato", "kasneje", "nenadoma", "naenkrat", "kar naenkrat", "na koncu", "zatem", "čez nekaj časa")
_ABBREVIATIONS = "npr oz itd ipd dr prof sv ga g št t.i tj mag tn"
ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())
