"""Forty dreams as they are spoken and transcribed, with the motifs and the mood that a reader expects of each.

All are invented. The expectations were written before the analyser, and `held_out` dreams were never looked at while
it was made better; but whoever wrote the dreams also wrote its lexicons.
"""

from __future__ import annotations

from dataclasses import dataclass

from dreamweb.analysis import MOTIF_TYPES, MotifType


@dataclass(frozen=True)
class Dream:
    language: str
    text: str
    motifs: frozenset[tuple[MotifType, str]]
    """Types and lemmas."""
    mood: str | None
    held_out: bool


def _dream(language: str, text: str, motifs: str, mood: str | None, *, held_out: bool = False) -> Dream:
    """`motifs` are types and lemmas, divided by commas."""
    kinds = {str(each): each for each in MOTIF_TYPES}
    pairs = [each.strip().split(" ", 1) for each in motifs.split(",")]
    return Dream(language, text, frozenset((kinds[kind], lemma) for kind, lemma in pairs), mood, held_out)


_ENGLISH = (
    _dream(
        "en",
        "I was in my grandmother's house, um, but the stairs went on forever. I climbed and climbed and at the top "
        "there was a small door with a golden key in it. I was not afraid at all, it felt calm and warm there, and "
        "somewhere my grandmother was singing in the kitchen.",
        "person grandmother, place house, symbol stairs, symbol door, symbol key, place kitchen, action climb, "
        "action sing, feeling calm",
        "calm",
    ),
    _dream(
        "en",
        "so a man in a black coat was chasing me through the streets of some city I didn't know. I ran as fast as I "
        "could but my legs were so heavy. I tried to scream and nothing came out. I hid behind a car and then I woke "
        "up, my heart was pounding.",
        "person man, place street, place city, symbol car, action run, action scream, action hide, theme being chased",
        "afraid",
    ),
    _dream(
        "en",
        "I was flying over the sea, really low, and I could see whales under the water. At some point I knew I was "
        "dreaming, so I flew higher, up to the clouds. It was so beautiful, I was laughing out loud. I have never "
        "been so happy in a dream.",
        "theme flying, symbol sea, symbol whale, symbol water, symbol cloud, action laugh, feeling joy",
        "joyful",
    ),
    _dream(
        "en",
        "My teeth were falling out one by one. I stood in front of the mirror in the bathroom and held them in my "
        "hand, there was a bit of blood. I was ashamed, because my colleagues from work were waiting outside and I "
        "couldn't smile at them.",
        "symbol tooth, symbol mirror, place bathroom, symbol blood, feeling shame, person colleague, theme losing "
        "teeth",
        "ashamed",
    ),
    _dream(
        "en",
        "I was back at school and there was an exam, mathematics I think, and I hadn't learned anything. I couldn't "
        "find the room. I walked up and down these corridors and the clock kept ticking. The teacher looked at me, "
        "and I was so nervous that I forgot my own name.",
        "place school, theme exam, symbol clock, person teacher, place corridor, theme being lost, feeling fear",
        "afraid",
    ),
    _dream(
        "en",
        "My father, who died three years ago, was sitting at the table as if nothing had happened. We drank coffee. "
        "I knew he was dead and I didn't dare to say it. Then he hugged me and I started to cry. I woke up and I "
        "missed him so much.",
        "person father, symbol table, theme meeting the dead, theme death, action hug, action cry, feeling longing",
        "longing",
    ),
    _dream(
        "en",
        "There was a snake in the garden, a green one, under the apple tree. It didn't do anything, it just looked "
        "at me. My sister wanted to kill it and I got really angry with her, I was shouting at her, and the snake "
        "went quietly away into the grass.",
        "symbol snake, place garden, symbol tree, symbol grass, symbol apple, person sister, feeling anger, action "
        "shout",
        "angry",
    ),
    _dream(
        "en",
        "I was standing in the supermarket and I noticed that I was naked. Completely naked. Nobody said anything "
        "but I was so embarrassed. I tried to cover myself with a newspaper. And then I met Anna, and she was "
        "wearing my dress.",
        "place shop, theme naked in public, feeling shame, symbol newspaper, person Anna, symbol dress",
        "ashamed",
    ),
    _dream(
        "en",
        "We were on a train, me and my brother, and I had, you know, three suitcases. We had to change trains but we "
        "were late and the platform kept moving. The train left without us. My brother just laughed. I don't know "
        "where we wanted to go.",
        "symbol train, person brother, symbol suitcase, theme being late, action laugh, place station",
        None,
    ),
    _dream(
        "en",
        "It rained and rained and the river came into the village. The water was already at the windows. I was "
        "looking for my dog everywhere, I was calling him. In the end I found him on the roof, all wet, and I was so "
        "relieved that I cried and hugged him.",
        "symbol rain, symbol river, place village, symbol water, symbol window, symbol dog, symbol roof, theme "
        "flood, theme searching, feeling relief, action cry, action hug",
        "joyful",
    ),
    _dream(
        "en",
        "I was falling. Just falling, from a very high tower, and there was no ground. At first I was terrified, and "
        "then I noticed that it's quite peaceful, that I can float. There was a moon, a huge one, and a white bird "
        "flew beside me.",
        "theme falling, symbol tower, feeling fear, feeling calm, symbol moon, symbol bird, theme flying",
        "calm",
    ),
    _dream(
        "en",
        "I had a baby, but it was tiny, like a doll, and I kept forgetting it in different places. Once in a drawer, "
        "once on the bus. I felt so guilty. My mother said don't worry, babies are like that, and I didn't "
        "understand anything anymore.",
        "person baby, symbol doll, symbol bus, feeling guilt, person mother",
        "ashamed",
    ),
    _dream(
        "en",
        "I was in an old hospital, at night, and the lights didn't work. A nurse led me down to the basement. There "
        "was a locked door and behind it someone was knocking. I didn't want to open it. I was scared and I couldn't "
        "move, not even a finger.",
        "place hospital, symbol night, symbol light, person nurse, place cellar, symbol door, action knock, feeling "
        "fear, theme being paralysed",
        "afraid",
    ),
    _dream(
        "en",
        "I was dancing with a stranger at a wedding, I think it was my wedding, but I didn't know who I was "
        "marrying. Everybody was there, my friends, my cousins. There was music and a huge cake. It was strange but "
        "it was fun, I was really happy.",
        "action dance, person stranger, theme wedding, person friend, person cousin, symbol music, symbol cake, "
        "feeling joy",
        "joyful",
    ),
    _dream(
        "en",
        "There was a war. Soldiers came to our flat and we had to leave in a minute. I packed the photographs and "
        "the cat. On the bridge my daughter let go of my hand and I lost her in the crowd. I called her name, I was "
        "so sad and desperate, I was crying when I woke up.",
        "theme war, person soldier, place home, symbol photograph, symbol cat, symbol bridge, person daughter, "
        "feeling sadness, action cry, theme losing someone",
        "sad",
    ),
    # --- Held out ---
    _dream(
        "en",
        "I was swimming in a lake at night and there was something below me, something big, maybe a fish. I couldn't "
        "see the shore. I got scared and started swimming faster, and then the lake was suddenly our swimming pool, "
        "and my children were laughing at me.",
        "action swim, symbol lake, symbol night, symbol fish, feeling fear, place shore, place pool, person child, "
        "action laugh",
        "afraid",
        held_out=True,
    ),
    _dream(
        "en",
        "I was in a forest and it was snowing. A wolf came towards me, very slowly, and I wasn't scared. He put his "
        "head on my knee. It was completely quiet. I felt a kind of peace that I can't describe, as if the whole "
        "forest was breathing with me.",
        "place forest, symbol snow, symbol wolf, feeling calm",
        "calm",
        held_out=True,
    ),
    _dream(
        "en",
        "My boss called me into his office and told me I was fired, and everybody was watching. I was furious. I "
        "threw the telephone through the window, and then the whole building started to burn. I took the lift down "
        "but it kept falling and falling.",
        "person boss, place office, feeling anger, symbol telephone, symbol window, theme fire, symbol lift, theme "
        "falling",
        "angry",
        held_out=True,
    ),
    _dream(
        "en",
        "I was in Lisbon with Peter, only it wasn't Lisbon, it was a kind of labyrinth, with little shops. I had "
        "lost my passport. We asked everyone and nobody understood us. I was totally confused, each street led back "
        "to the same square with the fountain.",
        "place Lisbon, person Peter, symbol labyrinth, place shop, symbol passport, theme losing something, feeling "
        "confusion, place street, place square, symbol fountain, theme being lost",
        "confused",
        held_out=True,
    ),
    _dream(
        "en",
        "I saw my old horse again. She was standing on the hill behind the farm where I grew up, and I could hear "
        "the church bells. I wanted to go to her but there was a fence. I felt so homesick. I stayed there until it "
        "got dark.",
        "symbol horse, place hill, place farm, symbol bell, place church, symbol fence, feeling longing, symbol "
        "darkness",
        "longing",
        held_out=True,
    ),
)

_SLOVENIAN = (
    _dream(
        "sl",
        "Bila sem v hiši svoje babice, eee, samo da je bila hiša veliko večja. Po stopnicah sem šla v klet in tam je "
        "bilo polno vode. V vodi so plavale ribe. Nisem se bala, bilo je nekako mirno in toplo, kot da sem doma.",
        "person babica, place hiša, symbol stopnice, place klet, symbol voda, symbol riba, action plavati, feeling "
        "mir, place dom",
        "mir",
    ),
    _dream(
        "sl",
        "nekdo me je lovil po gozdu. tekel sem in tekel, pa so bile noge težke kot svinec. slišal sem psa, kako laja "
        "za mano. hotel sem zavpiti, pa nisem mogel. potem sem padel v neko jamo in se zbudil čisto prestrašen.",
        "theme zasledovanje, place gozd, action teči, symbol pes, action vpiti, theme padanje, place jama, feeling "
        "strah",
        "strah",
    ),
    _dream(
        "sl",
        "Letela sem nad morjem, čisto nizko, in pod mano so bili delfini. Potem sem se zavedla, da sanjam, in sem "
        "poletela še višje, med oblake. Bilo je prekrasno. Smejala sem se na ves glas, tako srečna že dolgo nisem "
        "bila.",
        "theme letenje, symbol morje, symbol delfin, symbol oblak, action smejati se, feeling veselje",
        "veselje",
    ),
    _dream(
        "sl",
        "Izpadali so mi zobje, eden za drugim. Stal sem pred ogledalom v kopalnici in jih pljuval v roko, bilo je "
        "tudi malo krvi. Zunaj so čakali sodelavci in sram me je bilo, ker se nisem mogel nasmehniti.",
        "symbol zob, theme izpadanje zob, symbol ogledalo, place kopalnica, symbol kri, person sodelavec, feeling sram",
        "sram",
    ),
    _dream(
        "sl",
        "Spet sem bila v šoli in pisali smo maturo iz matematike, jaz pa se nisem nič učila. Iskala sem učilnico po "
        "hodnikih, ura na steni je tiktakala. Profesorica me je čakala pri vratih. Bila sem čisto živčna, roke so se "
        "mi tresle.",
        "place šola, theme izpit, theme iskanje, place hodnik, symbol ura, person učitelj, symbol vrata, feeling strah",
        "strah",
    ),
    _dream(
        "sl",
        "Oče, ki je umrl pred tremi leti, je sedel za mizo, kot da ni nič. Pila sva kavo. Vedel sem, da je mrtev, pa "
        "si tega nisem upal povedati. Potem me je objel in sem se zjokal. Ko sem se zbudil, sem ga grozno pogrešal.",
        "person oče, symbol miza, theme srečanje z umrlim, theme smrt, action objeti, action jokati, feeling "
        "hrepenenje",
        "hrepenenje",
    ),
    _dream(
        "sl",
        "Na vrtu pod jablano je ležala kača, zelena, in me je samo gledala. Sestra jo je hotela ubiti. Jaz sem se "
        "tako razjezila nanjo, kričala sem na vso moč, kača pa je, recimo, čisto tiho odšla v travo.",
        "place vrt, symbol jablana, symbol kača, person sestra, feeling jeza, action vpiti, symbol trava",
        "jeza",
    ),
    _dream(
        "sl",
        "Stala sem sredi trgovine in opazila, da sem čisto gola. Nihče ni nič rekel, ampak meni je bilo tako "
        "nerodno. Hotela sem se pokriti s časopisom. Potem sem srečala Mojco, ona pa je imela na sebi mojo obleko.",
        "place trgovina, theme golota v javnosti, feeling sram, symbol časopis, person Mojca, symbol obleka",
        "sram",
    ),
    _dream(
        "sl",
        "Z bratom sva bila na vlaku, imela sva tri kovčke. Morala bi prestopiti, ampak sva zamujala in peron se je "
        "kar premikal. Vlak je odpeljal brez naju. Brat se je samo smejal, ne. Ne vem, kam sva sploh hotela priti.",
        "person brat, symbol vlak, symbol kovček, theme zamujanje, action smejati se, place postaja",
        None,
    ),
    _dream(
        "sl",
        "Deževalo je in deževalo in reka je prišla v vas. Voda je bila že do oken. Povsod sem iskal psa, klical sem "
        "ga. Na koncu sem ga našel na strehi, čisto mokrega, in tako mi je odleglo, da sem jokal od sreče in ga "
        "objel.",
        "symbol dež, symbol reka, place vas, symbol voda, symbol okno, symbol pes, symbol streha, theme poplava, "
        "theme iskanje, feeling olajšanje, action jokati, action objeti, feeling veselje",
        "veselje",
    ),
    _dream(
        "sl",
        "Padala sem. Samo padala, z nekega zelo visokega stolpa, in tal ni bilo. Najprej me je bilo grozno strah, "
        "potem pa sem opazila, da je pravzaprav čisto mirno, da lahko lebdim. Bila je velika luna in zraven mene je "
        "letela bela ptica.",
        "theme padanje, symbol stolp, feeling strah, feeling mir, symbol luna, symbol ptica, theme letenje",
        "mir",
    ),
    _dream(
        "sl",
        "Imela sem dojenčka, ampak je bil čisto majhen, kot punčka iz cunj, in kar naprej sem ga nekje pozabljala. "
        "Enkrat v predalu, enkrat na avtobusu. Počutila sem se tako krivo. Mama je rekla, naj me ne skrbi, jaz pa "
        "nisem nič več razumela.",
        "person dojenček, symbol punčka, symbol avtobus, feeling krivda, person mama",
        "sram",
    ),
    _dream(
        "sl",
        "Bil sem v stari bolnišnici, ponoči, in luči niso delale. Sestra v belem me je peljala v klet. Tam so bila "
        "zaklenjena vrata in nekdo je trkal z druge strani. Nisem hotel odpreti. Bilo me je strah in nisem se mogel "
        "premakniti, niti prsta.",
        "place bolnišnica, symbol noč, symbol luč, person medicinska sestra, place klet, symbol vrata, action "
        "trkati, feeling strah, theme nemoč",
        "strah",
    ),
    _dream(
        "sl",
        "Plesala sem z nekim neznancem na poroki, mislim, da je bila moja poroka, ampak nisem vedela, s kom se "
        "poročam. Vsi so bili tam, prijatelji, sestrične. Igrala je glasba in torta je bila ogromna. Čudno je bilo, "
        "ampak zabavno, res sem bila vesela.",
        "action plesati, person neznanec, theme poroka, person prijatelj, person sestrična, symbol glasba, symbol "
        "torta, feeling veselje",
        "veselje",
    ),
    _dream(
        "sl",
        "Bila je vojna. V stanovanje so prišli vojaki in v eni minuti smo morali oditi. Vzela sem fotografije in "
        "mačko. Na mostu mi je hčerka spustila roko in izgubila sem jo v množici. Klicala sem jo, bila sem žalostna "
        "in obupana, zbudila sem se v joku.",
        "theme vojna, place dom, person vojak, symbol fotografija, symbol mačka, symbol most, person hči, feeling "
        "žalost, action jokati, theme izguba bližnjega",
        "žalost",
    ),
    # --- Held out ---
    _dream(
        "sl",
        "Ponoči sem plavala v jezeru in pod mano je bilo nekaj velikega, mogoče riba. Brega nisem videla. "
        "Prestrašila sem se in plavala hitreje, potem pa je bilo jezero kar naenkrat naš bazen in otroci so se mi "
        "smejali.",
        "symbol noč, action plavati, symbol jezero, symbol riba, place obala, feeling strah, place bazen, person "
        "otrok, action smejati se",
        "strah",
        held_out=True,
    ),
    _dream(
        "sl",
        "Hodil sem po gozdu in snežilo je. Proti meni je prišel volk, zelo počasi, in ni me bilo strah. Glavo mi je "
        "položil na koleno. Vse je bilo tiho. Čutil sem tak mir, da ga ne znam opisati, kot da bi ves gozd dihal z "
        "mano.",
        "place gozd, symbol sneg, symbol volk, feeling mir",
        "mir",
        held_out=True,
    ),
    _dream(
        "sl",
        "Šefica me je poklicala v pisarno in rekla, da sem odpuščena, vsi pa so gledali. Bila sem besna. Telefon sem "
        "vrgla skozi okno, potem pa je cela stavba začela goreti. Z dvigalom sem šla dol, ampak je kar padalo in "
        "padalo.",
        "person šef, place pisarna, feeling jeza, symbol telefon, symbol okno, theme požar, symbol dvigalo, theme "
        "padanje",
        "jeza",
        held_out=True,
    ),
    _dream(
        "sl",
        "S Petrom sva bila v Piranu, samo da to ni bil Piran, ampak nekakšen labirint z majhnimi trgovinami. "
        "Izgubila sem potni list. Spraševala sva ljudi, pa naju nihče ni razumel. Bila sem čisto zmedena, vsaka "
        "ulica je peljala na isti trg z vodnjakom.",
        "person Peter, place Piran, symbol labirint, place trgovina, symbol potni list, theme izguba stvari, feeling "
        "zmeda, place ulica, place trg, symbol vodnjak, theme izgubljenost",
        "zmeda",
        held_out=True,
    ),
    _dream(
        "sl",
        "Spet sem videl svojega starega konja. Stal je na hribu za kmetijo, kjer sem odraščal, in slišali so se "
        "cerkveni zvonovi. Hotel sem k njemu, pa je bila vmes ograja. Tako domotožje me je prijelo. Tam sem ostal, "
        "dokler se ni stemnilo.",
        "symbol konj, place hrib, place kmetija, place cerkev, symbol zvon, symbol ograja, feeling hrepenenje, "
        "symbol tema",
        "hrepenenje",
        held_out=True,
    ),
)

DREAMS = _ENGLISH + _SLOVENIAN
