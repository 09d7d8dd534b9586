"""Lists the Slovenian words that our rules know, by what they mean in a dream; `lexicon` says how to read the lists."""

from __future__ import annotations

SYMBOLS = """
voda; morje = ocean; val; reka = potok; jezero = ribnik; kanal; luža; dež = deževati; sneg = snežiti; led; megla;
nevihta = neurje vihar orkan; grom = grmeti; strela = blisk; mavrica; oblak; nebo; sonce; luna; zvezda; luč = svetilka;
tema = stemniti; noč = ponoči; senca; veter; potres; vulkan = ognjenik; vodnjak = fontana; slap; blato; pesek; kamen =
skala; zemlja; dim; pepel; sveča; bakla; stopnice = stopnišče; lestev; dvigalo = lift; vrata; ključ; ključavnica; okno;
ogledalo = zrcalo; zid; streha; stolp; most; ograja = plot; tunel = predor; labirint = blodnjak; cesta = avtocesta; pot
= steza; križišče = razpotje; miza; stol; postelja; predal; krožnik; skodelica = kozarec; steklenica; žlica; lonec;
košara; polica; zavesa; preproga; pečica = štedilnik; stranišče; omara; škatla; ura = budilka; zvon; telefon = mobitel;
računalnik; televizija = televizor; radio; hladilnik; kamera = fotoaparat; fotografija; slika; knjiga; svinčnik;
zaslon; pismo; časopis; vozovnica = karta vstopnica; potni_list = poten_list; zemljevid; denar = kovanec bankovec;
denarnica; kovček = prtljaga; torba = nahrbtnik; prstan; ogrlica; zlato; zaklad; krona; maska; punčka = lutka; igrača;
žoga; balon; avto = avtomobil; avtobus; vlak; tramvaj; letalo; čoln; ladja = trajekt; kolo; tovornjak; rešilec; raketa;
helikopter; sidro; nož; pištola = puška; meč; sekira; bomba; smeti; vrv; veriga; igla = šivanka; škarje; kladivo; nit;
metla; obleka = oblačilo; uniforma; hlače; srajca; plašč = jakna; čevelj = škorenj; klobuk = kapa; dežnik; očala; zob;
kri; kost = okostje; lobanja; krilo = perut; jajce; pero; gnezdo; pajčevina; grob; krsta; križ; torta = potica; kruh;
jabolko; sadje; pomaranča; limona; hruška; češnja; grozdje; mleko; vino; drevo = hrast lipa; jablana; roža = cvet
cvetlica; vrtnica; trava; listje; korenina; goba; seme; kača = gad modras; pajek; pes = kuža psiček; mačka = maček muca
muc; konj = kobila; volk; medved; lev; tiger; slon; opica; lisica; jelen = srna; zajec = kunec; miš; podgana; krava;
bik; prašič; ovca = jagnje; koza; ptica = ptič ptiček; vrana = krokar; orel = jastreb; sova; golob; labod; kokoš =
kura; raca; gos; pav; papiga; riba; rak; meduza; kit; delfin; morski_pes; hobotnica; žaba; želva; krokodil; kuščar;
čebela = osa; mravlja; metulj; hrošč; črv; muha; zmaj; samorog; pošast; duh; hudič = demon vrag; angel; čarovnica;
vampir; glasba = melodija; pesem; klavir; violina; kitara; boben; harmonika
"""

PERSONS = """
mama = mati mamica mamin; oče = ati tata očetov; babica = nona babičin star_mama; dedek = ded star_oče nono dedkov;
starši = starš; sestra = sestrin; brat; hči = hčerka; sin; otrok; dojenček; dekle = deklica punca; fant = deček; moški;
ženska; mož; žena; gospa; gospod; vnuk = vnukinja; mačeha; tašča; tast; vesoljec = nezemljan; partner; partnerka;
bivši; prijatelj; prijateljica; teta; stric; bratranec; sestrična; nečak; nečakinja; sosed = soseda; neznanec = tujec;
neznanka; učitelj = učiteljica profesor profesorica; sošolec = sošolka; šef = šefica direktor direktorica; sodelavec =
sodelavka kolega kolegica; zdravnik = zdravnica; medicinska_sestra = medicinski_sestra bolničarka; policist =
policistka; vojak; tat = ropar vlomilec; morilec; duhovnik = župnik; nuna; kralj; kraljica; princ; princesa; igralec =
igralka; pevec = pevka; pilot; voznik = šofer; kapitan; natakar = natakarica; starec; starka; občinstvo = publika;
zbor; množica; družina; dvojček = dvojčica; klovn; zobozdravnik = zobozdravnica zobar; sodnik = sodnica; lovec; menih;
gost
"""

PLACES = """
hiša; dom = doma stanovanje; kuhinja; kopalnica; spalnica; dnevna_soba = dneven_soba; klet; podstrešje; hodnik; soba;
balkon = terasa; vrt; dvorišče; šola; učilnica = razred; fakulteta = univerza; pisarna = služba; delavnica; vrtec;
telovadnica; bolnišnica = bolnica; cerkev = cerkven kapela; pokopališče; grad = palača; zapor = ječa; muzej; knjižnica;
gledališče; kino; trgovina; tržnica; restavracija = gostilna kavarna; hotel; postaja = peron; letališče; pristanišče;
ulica; trg; mesto; vas; gozd = hosta džungla; travnik; njiva = polje; hrib = grič; gora; dolina; prepad = brezno; jama
= votlina; puščava; otok; plaža; obala = breg; močvirje; kmetija; hlev = skedenj; park; igrišče; bazen; tovarna;
živalski_vrt; ruševina; oder; svetilnik; tabor; planet; vesolje
"""

ACTIONS = """
teči = steči tekati; plavati; potapljati_se = potopiti_se; plezati = splezati; skočiti = skakati; skriti_se =
skrivati_se skriti skrivati; plesati = zaplesati; peti = zapeti; vpiti = zavpiti kričati zakričati krik dreti_se;
jokati = zjokati jok zajokati; smejati_se = smejati nasmejati zasmejati smeh; objeti = objemati objem; poljubiti =
poljubljati poljub; boriti_se = boriti; udariti = tepsti pretepati; ustreliti = streljati; ubiti = ubijati; krasti =
ukrasti; kopati = skopati izkopati; voziti; trkati = potrkati; šepetati = zašepetati; moliti; razbiti = zlomiti;
pobegniti = zbežati ubežati; utapljati_se = utoniti utapljati; potoniti; ugrizniti = gristi; krvaveti
"""

FEELINGS = """
strah | strah = strah bati prestrašen prestrašiti ustrašiti groza panika paničen živčen tesnoba zaskrbljen prestrašeno;
mir | mir = mir miren mirno spokojen spokojno spokoj pomirjen pomiriti umirjen; veselje | veselje = veselje vesel
veselo srečen sreča srečno radost radosten navdušen navdušenje veseliti; veselje | olajšanje = olajšanje odleči;
veselje | ljubezen = ljubezen zaljubljen; veselje | začudenje = čudenje občudovanje; žalost | žalost = žalost žalosten
žalostno žalovati obup obupan nesrečen potrt obupno; žalost | osamljenost = osamljen osamljenost; jeza | jeza = jeza
jezen jezno razjeziti jeziti bes besen besno ogorčen; jeza | gnus = gnus gnusen gnusiti; sram | sram = sram osramočen
sramovati nerodno zadrega osramotiti; sram | krivda = kriv krivda krivo; zmeda | zmeda = zmeda zmeden zmedeno zbegan
zmesti; hrepenenje | hrepenenje = hrepeneti hrepenenje domotožje pogrešati nostalgija
"""

MOOD_HINTS = """
strah: vpiti zavpiti kričati zasledovati preganjati loviti trepetati tresti srhljiv grozljiv strašen pošast morilec
bežati pobegniti nevarnost nevaren potiti ohromljen demon bomba grozen
mir: tiho tih tišina nežno nežen topel toplo varen varno počasi
veselje: smejati smeh nasmeh lep prelep prekrasen čudovit zabavno zabaven smešno smešen plesati peti igrati svoboden
svoboda praznovati
žalost: jokati jok solza pogreb sam mrtev grob slovo izgubiti_jo izgubiti_ga
jeza: vpiti kričati prepirati kregati pretepati vreči sovražiti krivičen izdati
sram: gol nag zardeti opravičiti opravičevati
zmeda: čuden čudno nenavaden izgubljen labirint ne_razumeti nihče_razumeti
hrepenenje: ostati mlad spominjati otroštvo odraščati daleč želeti
"""

BRIGHT = """
lep prelep prekrasen čudovit dober dobro super svetel zlat topel svoboden nasmeh smeh smejati ljubezen ljubiti objeti
poljub darilo varen varno zabavno zabaven prijeten prijazen igrati svetloba sonce roža glasba okusen zdrav rešiti
zmagati
"""

DARK = """
grd slab slabo strašen grozen grozno grozljiv temen mrzel hladen kri mrtev umreti smrt ubiti boleti bolečina boleč
bolan rana napasti vpiti zavpiti kričati jokati razbit izgubljen ujet umazan gnil nevarnost nevaren hudoben strup
truplo vojna bomba utoniti utapljati grob pošast goreti strmoglaviti
"""

THEMES = """
zasledovanje = loviti zasledovati preganjati goniti + me naju nas
zasledovanje = teči bežati hoditi iti + za + mano menoj nama nami
zasledovanje = bežati teči + pred + on onim njim njo njimi moški volk pes pošast medved
padanje = padati pasti +3 sem sva smo padam padava padamo
padanje = padati pasti + dvigalo letalo prepad
letenje = leteti poleteti letati odleteti zleteti vzleteti lebdeti +3 sem sva smo lahko letim lebdim
izpadanje zob = zob + izpadati izpasti padati majati drobiti krušiti izgubiti izgubljati pljuvati
golota v javnosti = gol nag + sem bila bil +12 sredi ulica trgovina šola služba človek
golota v javnosti = spodnje + perilo
zamujanje = zamujati zamuditi
zamujanje = prepozen prepozno + priti biti
izpit = izpit matura kolokvij
izpit = test + šola učitelj učiti pisati
poplava = poplava cunami
poplava = val + ogromen velikanski zid
poplava = voda reka morje + priti naraščati dvigati vdreti zaliti + vas hiša okno ulica vrata soba klet mesto
požar = požar
požar = goreti zagoreti + hiša stavba soba gozd streha mesto
požar = ogenj + hiša stavba soba gozd zajeti
smrt = umreti umirati smrt mrtev pogreb truplo
srečanje z umrlim = umreti mrtev pokojen + leto pred + sedeti govoriti stati priti objeti klicati oče mama babica dedek
srečanje z umrlim = pokojen + mama oče babica dedek brat sestra prijatelj
izgubljenost = izgubiti +2 se +3 sem sva smo
izgubljenost = ne nisem nismo nisva +3 najti + pot izhod hiša hotel vrata soba
izgubljenost = labirint blodnjak + izhod ven najti
izgubljenost = cesta ulica pot hodnik + peljati voditi + isti nazaj
izguba stvari = izgubiti + ključ denarnica telefon potni karta kovček prstan torba denar čevelj vozovnica
izguba bližnjega = izgubiti + jo ga jih + množica roka morje
iskanje = iskati
nemoč = nisem nismo nisva + moči + premakniti premikati ganiti
nemoč = ohrometi ohromljen
ujetost = ujet ujeti zaklenjen_v
vojna = vojna vdor bitka
poroka = poroka poročiti poročati nevesta ženin
rojstvo = rojstvo roditi noseč
konec sveta = konec + svet
izdaja = izdati varati + me
"""

NEGATORS = """
ne ni nisem nisi nismo niste niso nisva nista nič nikoli nikdar brez nihče nočem noče niti nimam nima
"""
NEVER_SO = "nikoli"
STRONGLY = "zelo tako res čisto popolnoma totalno grozno strašno neskončno neverjetno močno skrajno povsem hudo"
WEAKLY = "malo rahlo nekoliko skoraj malce"

_DREAM = r",? da (?:zdaj |samo |le |v resnici |to )*(?:sanjam|sanjava|sanjamo|so (?:to )?(?:samo |le )?sanje)\b"
_KNEW = r"(?:ved(?:el|ela)|opazila?|ugotovila?|dojela?|spoznala?|zaved(?:el|ela|la|al|ala))"
LUCID = (
    (4, rf"\b{_KNEW} sem(?: se)?{_DREAM}"),
    (4, rf"\bsem(?: se)?(?: naenkrat| nenadoma| kar)* {_KNEW}{_DREAM}"),
    (4, rf"\b(?:vem|vedoč){_DREAM}"),
    (4, r"\b(?:lucidn|prisebn)\w* sanj\w*"),
    (2, r"\b(?:spraš|vpraš)\w+(?: sem| se)*,? (?:ali|če|a) (?:to |mogoče |morda )*(?:sanjam|so sanje)\b"),
    (2, r"\b(?:ali|a) sanjam\b|\bto so gotovo sanje\b"),
)
NOT_LUCID = rf"\bnisem (?:se )?{_KNEW}{_DREAM}"
IN_CONTROL = (
    r"\b(?:odločila? sem se|sem se odločila?|(?:zato|in) sem (?:polete|vzlete|spremeni|naredi)\w+"
    r"|lahko sem (?:vplival|spreminjal|izbiral)\w*)"
)

NOT_NAMES = """
bog gospod gospa božič velika_noč slovenija jaz ti vi vas vam vaš
"""
PLACE_BEFORE = "v na iz do po skozi blizu"
AND = "in"
STILL = "nehati prenehati"
AT_FIRST = "najprej sprva začetku"
AS_WRITTEN = frozenset({"hotel"})
"""Their dictionary form is another word's."""

MOODS_OF_THEMES = {
    "zasledovanje": "strah 1",
    "padanje": "strah 0.4",
    "letenje": "veselje 0.4",
    "izpadanje zob": "strah 0.3",
    "golota v javnosti": "sram 1",
    "zamujanje": "strah 0.3",
    "izpit": "strah 0.4",
    "poplava": "strah 0.4",
    "požar": "strah 0.4",
    "smrt": "žalost 0.3",
    "srečanje z umrlim": "hrepenenje 0.5",
    "izgubljenost": "zmeda 0.4",
    "izguba bližnjega": "žalost 0.8",
    "nemoč": "strah 0.6",
    "ujetost": "strah 0.8",
    "vojna": "strah 0.4",
    "konec sveta": "strah 0.6",
    "izdaja": "jeza 0.6",
}
NOT_BESIDE = {"padanje": "izpadanje zob"}
"""A theme, and another that has its words for itself."""

CALM, AFRAID = "mir", "strah"

VALENCES = {
    "mir": 0.5,
    "veselje": 1.0,
    "žalost": -0.8,
    "strah": -0.9,
    "jeza": -0.8,
    "sram": -0.6,
    "zmeda": -0.4,
    "hrepenenje": -0.3,
}

QUESTIONS = {
    "strah": "Kaj v budnem življenju te spominja na ta strah?",
    "mir": "Kje ta mir najdeš, kadar ne spiš?",
    "veselje": "Kaj bi lahko nekaj tega veselja prineslo v današnji dan?",
    "žalost": "Katera žalost bi tu morda rada bila slišana?",
    "jeza": "Katero mejo je varovala ta jeza?",
    "sram": "Kdo te sme videti tudi takrat, ko ti je nerodno?",
    "zmeda": "Kaj v življenju ti zdaj ni jasno?",
    "hrepenenje": "Kaj pogrešaš in kaj od tega je še vedno s tabo?",
    "zasledovanje": "Kaj ti hoče povedati tisto, kar te lovi?",
    "padanje": "Kje imaš občutek, da se nimaš česa oprijeti?",
    "letenje": "Česa te to letenje osvobaja?",
    "izpadanje zob": "Kaj se bojiš izgubiti ali povedati na glas?",
    "golota v javnosti": "Kje se počutiš preveč na očeh?",
    "zamujanje": "Za kaj se ti zdi, da ti zmanjkuje časa?",
    "izpit": "Kdo ali kaj te zdaj preizkuša?",
    "poplava": "Katero čustvo narašča in kam bi lahko odteklo?",
    "smrt": "Kaj se je končalo ali se bo kmalu spremenilo?",
    "srečanje z umrlim": "Kaj je med vama ostalo neizrečeno?",
    "izgubljenost": "Pred katero odločitvijo stojiš brez zemljevida?",
    "iskanje": "Kaj v resnici iščeš?",
    "person": "Katero čustvo ti zdaj prebudi oseba »%s«?",
    "place": "Na kaj te spominja kraj »%s«?",
    "symbol": "Kaj ti prvo pride na misel ob besedi »%s«?",
    "any": "Kateri trenutek teh sanj se ti je najbolj vtisnil v spomin?",
    "last": "Kako bi se te sanje lahko nadaljevale?",
}
