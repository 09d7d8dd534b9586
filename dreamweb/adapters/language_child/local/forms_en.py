"""Gives the lemmas of English forms that a general lemmatiser gets wrong, or that mean something else in a dream."""

from __future__ import annotations

_WORDS = """
feel: felt feeling; leave: left leaving; break: broke broken; shake: shook shaken; shoot: shot; stairs: stair; glasses:
glasses; woods: woods; parents: parent; stranger: strangers; crossroads: crossroads; ruins: ruin; scissors: scissors;
trousers: trousers; maria: maria; leaf: leaves; think: thought thinking; go: gone; clothes: clothes; thief: thieves;
wife: wives; shelf: shelves; sing: singing; drown: drowning; burn: burning; fall: falling; follow: following; hunt:
hunting; play: playing played; longing: longing; auntie: aunties; sky: skies; granny: grannies; painting: paintings;
cross: crosses; grandma: grandmas; panic: panicked panicking; choke: choking; crawl: crawling; bleed: bleeding; sink:
sinking; dig: digging; climb: climbing; chase: chasing; rise: rising; wedding: weddings; drawing: drawings; building:
buildings; hell: hell; ill: ill; well: well; fly: flies; policeman: policemen; policewoman: policewomen; grandpa:
grandpas
"""


def forms() -> dict[str, str]:
    """The lemma of each form, all in lower case."""
    found: dict[str, str] = {}
    for each in _WORDS.split(";"):
        lemma, _, others = each.partition(":")
        for form in others.split():
            found[form] = lemma.strip()
            found[lemma.strip()] = lemma.strip()
    return found
