"""Makes the forms of the Slovenian words that dreams are told with, because a general lemmatiser misses many."""

from __future__ import annotations

from collections.abc import Iterator

from dreamweb.adapters.language_child.local import lexicon_sl
from dreamweb.adapters.language_child.local.stopwords_sl import FUNCTION_WORDS

# Infinitive and third person of the present; then the masculine and feminine participle where they are not regular.
_VERBS = """
bati boji; gnusiti gnusi; grmeti grmi; bliskati bliska; bežati beži; boriti bori; brcati brca; čakati čaka; čutiti
čuti; dati da; deževati dežuje; dihati diha; dobiti dobi; dreti dere drl drla; drobiti drobi; dvigati dviga; dvigniti
dvigne; gledati gleda; gnati žene; goniti goni; goreti gori; govoriti govori; gristi grize grizel grizla; hiteti hiti;
hoditi hodi; hrepeneti hrepeni; igrati igra; iskati išče; iti gre šel šla; izginiti izgine; izgubiti izgubi; izgubljati
izgublja; izpadati izpada; izpasti izpade izpadel izpadla; jahati jaha; jeziti jezi; jokati joka; klicati kliče; kopati
koplje; krasti krade kradel kradla; kregati krega; skopati skoplje; izkopati izkoplje; ostati ostane ostal ostala;
nehati neha; prenehati preneha; krušiti kruši; kričati kriči; krvaveti krvavi; kuhati kuha; lajati laja; lebdeti lebdi;
letati leta; leteti leti; lesti leze lezel lezla; ležati leži; loviti lovi; ljubiti ljubi; majati maja; mahati maha;
misliti misli; moči more mogel mogla; moliti moli; morati mora; najti najde našel našla; napasti napade napadel
napadla; naraščati narašča; nesti nese nesel nesla; nositi nosi; objemati objema; objeti objame; oditi odide odšel
odšla; odleteti odleti; odleči odleže odlegel odlegla; odpreti odpre odprl odprla; opaziti opazi; osramotiti osramoti;
padati pada; pasti pade padel padla; peljati pelje; peti poje; pisati piše; piti pije; plakati plaka; plavati plava;
plesati pleše; plezati pleza; pljuvati pljuva; pobegniti pobegne; pogrešati pogreša; poklicati pokliče; poleteti
poleti; poljubiti poljubi; poljubljati poljublja; pomiriti pomiri; poročati poroča; poročiti poroči; potapljati
potaplja; potoniti potone; potopiti potopi; potrkati potrka; povedati pove; pozabiti pozabi; pozabljati pozablja;
preganjati preganja; premikati premika; premakniti premakne; prepirati prepira; prestrašiti prestraši; pretepati
pretepa; pretepsti pretepe pretepel pretepla; priti pride prišel prišla; razbiti razbije; razjeziti razjezi; razumeti
razume; reči reče rekel rekla; rešiti reši; roditi rodi; rušiti ruši; sanjati sanja; sedeti sedi; sesti sede sedel
sedla; skakati skače; skočiti skoči; skriti skrije; skrivati skriva; slišati sliši; smejati smeje; smejati smeji;
snežiti sneži; sovražiti sovraži; spati spi; splezati spleza; spominjati spominja; spoznati spozna; spustiti spusti;
sramovati sramuje; srečati sreča; stati stoji stal stala; stemniti stemni; steči steče stekel stekla; streljati
strelja; teči teče tekel tekla; tekati teka; tepsti tepe tepel tepla; tresti trese tresel tresla; trepetati trepeta;
trkati trka; ubijati ubija; ubiti ubije; ubežati ubeži; udariti udari; ugrizniti ugrizne; ukrasti ukrade ukradel
ukradla; umirati umira; umreti umre umrl umrla; upati upa; ustrašiti ustraši; ustreliti ustreli; utapljati utaplja;
utoniti utone; vdreti vdre vdrl vdrla; veseliti veseli; videti vidi; voditi vodi; voziti vozi; vpiti vpije; vprašati
vpraša; vreči vrže vrgel vrgla; vzleteti vzleti; vzeti vzame; zajeti zajame; zajokati zajoka; zakričati zakriči; zaliti
zalije; zamuditi zamudi; zamujati zamuja; zapeti zapoje; zaplesati zapleše; zardeti zardi; zasledovati zasleduje;
zasmejati zasmeje; zavedati zaveda; zavedeti zave; zavpiti zavpije; zagoreti zagori; zbežati zbeži; zbuditi zbudi;
zjokati zjoka; zleteti zleti; zlomiti zlomi; zmagati zmaga; žalovati žaluje; živeti živi; želeti želi; šepetati šepeta;
zašepetati zašepeta; nasmejati nasmeje; nasmehniti nasmehne; odraščati odrašča; izdati izda; varati vara; ohrometi
ohromi; ganiti gane; osramočati osramoča
"""

# The stem of nouns and adjectives that lose or change a sound when they get an ending.
_STEMS = """
pes ps; vesoljec vesoljc; lonec lonc; svinčnik svinčnik; hlače hlač; smeti smet; kozarec kozarc; bolezen bolezn;
ljubezen ljubezn; konec konc; počitnice počitnic; ime imen; oče očet; veter vetr; dojenček dojenčk; starec starc;
igralec igralc; pevec pevc; lovec lovc; tujec tujc; neznanec neznanc; morilec morilc; vlomilec vlomilc; sodelavec
sodelavc; bratranec bratranc; sošolec sošolc; zajec zajc; kunec kunc; orel orl; oder odr; pesek pesk; kovček kovčk;
deček dečk; psiček psičk; ptiček ptičk; maček mačk; čevelj čevlj; škorenj škornj; kamen kamn; dvojček dvojčk; rešilec
rešilc; kovanec kovanc; bankovec bankovc; boben bobn; pajek pajk; tiger tigr; dedek dedk; krokar krokarj; kuščar
kuščarj; denar denarj; vihar viharj; šofer šoferj; vampir vampirj; klavir klavirj; natakar natakarj; ropar roparj;
zobar zobarj; profesor profesorj; partner partnerj; helikopter helikopterj; televizor televizorj; skedenj skednj; dež
dežj; ogenj ognj; hči hčer; mati mater; kri krv; cerkev cerkv; lestev lestv; pesem pesm; dekle deklet; jagnje jagnjet;
seme semen; drevo dreves; kolo koles; pero peres; nebo nebes; starši starš; stopnice stopnic; škarje škarj; sanje sanj;
vrata vrat; očala očal
"""

# Feminine nouns that end with a consonant, and those of which there is only a plural.
_FEMININE = """
klet luč gos miš nit noč perut pošast pot vas vrv kokoš cerkev lestev pesem hči mati kri smrt bolezen ljubezen žalost
"""
_PLURAL = "počitnice hlače smeti stopnice škarje sanje vrata očala starši"

# Nouns that are told with, beside those of the lexicon.
_NOUNS = """
strah mir veselje jeza žalost sram krivda groza panika tesnoba sreča radost obup bes zadrega zmeda osamljenost
hrepenenje domotožje nostalgija ljubezen olajšanje gnus navdušenje krik jok smeh nasmeh objem poljub solza pogreb
tišina svoboda nevarnost smrt bolezen ljubezen žalost rana bolečina truplo strup poplava požar ogenj izpit matura
poroka nevesta ženin vojna darilo svetloba otroštvo sanje mora luknja oseba žival glava obraz telo strop tla zrak barva
beseda ime prostor zabava počitnice potovanje življenje svet konec
"""

_ADJECTIVES = """
vesel; srečen srečn; žalosten žalostn; jezen jezn; besen besn; miren mirn; spokojen spokojn; prestrašen; zmeden;
zbegan; obupan; nesrečen nesrečn; potrt; osamljen; zapuščen; kriv; osramočen; pomirjen; umirjen; radosten radostn;
navdušen; zaljubljen; živčen živčn; paničen paničn; zaskrbljen; ogorčen; gnusen gnusn; gol; nag; mrtev mrtv; lep;
prelep; prekrasen prekrasn; čudovit; topel topl; varen varn; nežen nežn; tih; svoboden svobodn; zabaven zabavn; čuden
čudn; nenavaden nenavadn; izgubljen; srhljiv; grozljiv; strašen strašn; grozen grozn; nevaren nevarn; temen temn; mrzel
mrzl; hladen hladn; grd; slab; umazan; ujet; ohromljen; svetel svetl; prijeten prijetn; prijazen prijazn; krivičen
krivičn; pokojen pokojn; noseč; prepozen prepozn; razbit; boleč; bolan boln; cerkven; zaklenjen; smešen smešn; mlad;
radoveden radovedn; neroden nerodn; babičin; mamin; očetov; dedkov; sestrin
"""

# Words whose forms follow no rule here, or mean in dreams something else than in a general dictionary.
_WORDS = """
lev: leva levu levom levov; levi: levo leve levega levem levih; mora: moro; morati: mora; vedeti: vedo vedel vedela vem
ve; leto: leta leti let letih letom; vesel: veseli; tat: tatu tatov; sreča: sreče sreči srečo; jok: joka joku jokom;
oko: oči očmi očeh; človek: ljudje ljudi ljudem ljudeh ljudmi; moški: moškega moškemu moškim moške moških; otrok:
otroci; volk: volcje; zob: zobmi; hoteti: hotel hotela hotelo hoteli hotele; strah: straha strahu strahom; tla: tal
tleh tlom; doma: ; ponoči: ; starši: starši starše staršev staršem staršema; sanjati: sanja sanjam sanjaš; tata: tato;
vrteti: vrti; mesto: mesta mestu; življenje: življenja; voda: vodi; val: vali; žena: žene; strah: strahovi
"""

_NOT = {"noče", "nočem", "sem", "tem", "ta", "stan", "kam", "mora", "vam", "dom", "niti", "dol", "gor"} | FUNCTION_WORDS
"""Forms that are nearly always those of other words."""

_MASCULINE_ENDINGS = "a u om em i e ih ov ev oma ema je ovi ove ovih ovom ovoma"
_NEUTER_ENDINGS = "a u om em ih oma ema i"
_FEMININE_ENDINGS = "a e i o ama ah am ami"
_CONSONANT_ENDINGS = "i jo ijo ih eh im em imi mi ma ema emi am ama ah ami e o a"
_PLURAL_ENDINGS = "a e i o ah am ami ama ih ama"
_ADJECTIVE_ENDINGS = "a o e i ega emu em im ih imi ima"
_PARTICIPLE = "a o i e"
_PRESENT = "m š va ta mo te jo"


def forms() -> dict[str, str]:
    """The lemma of each form, all in lower case; the first table that has a form decides."""
    found: dict[str, str] = {}
    for made in (_exceptions(), _noun_names(), _verb_forms(), _adjective_forms(), _noun_forms()):
        for form, lemma in made:
            if form == lemma or form not in _NOT:
                found.setdefault(form, lemma)
    return found


def _exceptions() -> Iterator[tuple[str, str]]:
    for each in _WORDS.split(";"):
        lemma, _, others = each.partition(":")
        for form in (lemma.strip(), *others.split()):
            yield form, lemma.strip()


def _verb_forms() -> Iterator[tuple[str, str]]:
    for each in _VERBS.split(";"):
        infinitive, present, *participles = each.split()
        stem = infinitive.removesuffix("ti")
        masculine, feminine = participles or (f"{stem}l", f"{stem}la")
        yield from ((form, infinitive) for form in (infinitive, masculine))
        yield from ((feminine[:-1] + ending, infinitive) for ending in _PARTICIPLE.split())
        yield from ((present + ending, infinitive) for ending in ("", *_PRESENT.split()))


def _adjective_forms() -> Iterator[tuple[str, str]]:
    for each in _ADJECTIVES.split(";"):
        lemma, *stems = each.split()
        yield lemma, lemma
        yield from ((stem + ending, lemma) for stem in stems or [lemma] for ending in _ADJECTIVE_ENDINGS.split())


def _nouns() -> list[str]:
    tables = (lexicon_sl.SYMBOLS, lexicon_sl.PERSONS, lexicon_sl.PLACES)
    written = " ".join((*tables, _NOUNS)).replace(";", " ").replace("=", " ").split()
    return [word for word in written if "_" not in word and (word == "smeti" or not word.endswith("ti"))]


def _noun_names() -> Iterator[tuple[str, str]]:
    return ((word, word) for word in _nouns())


def _noun_forms() -> Iterator[tuple[str, str]]:
    stems = dict(each.split() for each in _STEMS.split(";"))
    for lemma in _nouns():
        stem = stems.get(lemma)
        if lemma in _PLURAL.split():
            endings = _PLURAL_ENDINGS
        elif lemma in _FEMININE.split() or lemma.endswith("ost"):
            endings = _CONSONANT_ENDINGS
        elif lemma.endswith("a"):
            endings = _FEMININE_ENDINGS
        else:
            endings = _NEUTER_ENDINGS if lemma.endswith(("o", "e")) and lemma != "oče" else _MASCULINE_ENDINGS
        stem = stem or lemma.rstrip("aeo")
        yield from ((stem + ending, lemma) for ending in endings.split())
        if lemma[-1] in "aeo":
            yield from ((form, lemma) for form in _bare(stem) if len(form) > 2)


def _bare(stem: str) -> tuple[str, ...]:
    """The genitive plural, which has no ending: *hiš*, and with a vowel put in, *sester*."""
    if len(stem) > 2 and stem[-1] in "lrnv" and stem[-2] not in "aeiou":
        return (f"{stem[:-1]}e{stem[-1]}",)
    return (stem,)
