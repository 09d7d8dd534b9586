"""Lists the English words that our rules know, by what they mean in a dream; `lexicon` says how to read the lists."""

from __future__ import annotations

SYMBOLS = """
water; sea = ocean; wave; river = stream brook; lake = pond; canal; puddle; rain; snow; ice; fog = mist; storm =
thunderstorm hurricane tornado; thunder; lightning; rainbow; cloud; sky; sun; moon; star; light = lamp; darkness =
dark; night; shadow; wind; earthquake; volcano; fountain; waterfall; mud; sand; stone = rock pebble; earth = soil;
smoke; ash; candle; torch; stairs = stair staircase stairway; ladder; lift = elevator; door = doorway; gate; key; lock;
window; mirror; roof; tower; bridge; fence; tunnel; labyrinth = maze; road = highway motorway; path = trail; crossroads
= crossroad; table; chair; bed; drawer; plate = dish; cup = mug; bottle; spoon; pot = kettle; basket; shelf; curtain;
carpet; oven = stove; toilet; wardrobe = closet cupboard; box; clock = alarm_clock; bell; telephone = phone smartphone;
computer = laptop; television = tv; radio; fridge = refrigerator; camera; photograph = photo; painting; book; pencil =
pen; screen; letter; newspaper; ticket; passport; map; money = coin banknote; wallet = purse; suitcase = luggage
baggage; bag = backpack handbag; ring; necklace; gold; treasure; crown; mask; doll = puppet; toy; ball; balloon; car;
bus; train; tram; plane = aeroplane airplane; boat = rowboat; ship = ferry; bicycle = bike; lorry = truck; ambulance;
rocket; helicopter; anchor; knife; gun = pistol rifle; sword; axe; bomb; wheel; rubbish = garbage; rope; chain; needle;
scissors; hammer; thread; broom; clothes = clothing; uniform; trousers; shirt; dress; coat = jacket; shoe = boot; hat;
umbrella; glasses = spectacles; tooth; blood; bone = skeleton; skull; wing; egg; feather; nest; web = cobweb; grave =
tombstone; coffin; cross; cake; bread; apple; fruit; orange; lemon; pear; cherry; grape; milk; wine; honey; tree = oak;
flower; rose; grass; leaf; root; mushroom; seed; snake = serpent viper; spider; dog = puppy; cat = kitten; horse = mare
pony; wolf; bear; lion; tiger; elephant; monkey; fox; deer = stag; rabbit = hare; mouse; rat; cow; bull; pig; sheep =
lamb; goat; bird; crow = raven; eagle = hawk; owl; dove = pigeon; swan; hen = chicken; duck; goose; peacock; parrot;
fish; crab; jellyfish; whale; dolphin; shark; octopus; frog = toad; turtle = tortoise; crocodile = alligator; lizard;
bee = wasp; ant; butterfly = moth; beetle; worm; dragon; unicorn; monster; ghost = phantom spirit; demon = devil;
angel; witch; vampire; zombie; music = melody; song; piano; violin = fiddle; guitar; drum
"""

PERSONS = """
mother = mum mom mummy mommy mama; father = dad daddy papa; grandmother = grandma granny nan; grandfather = grandpa
granddad; parents = parent; sister; brother; daughter; son; child = kid; baby = infant newborn; girl; boy; man; woman;
husband; wife; boyfriend; girlfriend; partner; friend; ex; lady; grandchild = grandson granddaughter; godmother;
stepmother; stepfather; mother_in_law; alien; aunt = auntie; uncle; cousin; nephew; niece; neighbour = neighbor;
stranger; teacher = professor; classmate = schoolmate; boss; colleague = coworker; doctor; nurse; policeman = police
policewoman officer; guard; soldier; thief = burglar robber; murderer = killer; priest; nun; king; queen; prince;
princess; actor = actress; singer; pilot; driver = bus_driver; captain; waiter = waitress; old_man; old_woman =
old_lady; audience; choir; crowd; family; twin; clown; dentist; judge; hunter; monk; guest
"""

PLACES = """
house; home = flat apartment; kitchen; bathroom; bedroom; living_room; cellar = basement; attic = loft; corridor =
hallway; room = chamber; balcony = terrace; garden = backyard; yard = courtyard; school; classroom; university =
college; office; workshop; hospital; kindergarten; gym; church = chapel; cathedral; cemetery = graveyard; castle =
palace; prison = jail; museum; library; theatre = theater; cinema; shop = store supermarket; market; restaurant = cafe;
hotel; station = railway_station platform; airport; harbour = harbor port; street = alley; square; city = town;
village; forest = woods jungle; meadow; field; hill; mountain; valley; cliff; cave; desert; island; beach = dune; shore
= coast riverbank lakeside; swamp = marsh; farm; barn; park; playground; pool = swimming_pool; factory; zoo; abyss =
chasm precipice; pit; ruins = ruin; stage; lighthouse; camp; planet; space = outer_space; underground
"""

ACTIONS = """
run; swim; dive; climb; jump = leap; hide; dance; sing; scream; shout = yell; cry = weep sob; laugh = giggle; hug =
embrace; kiss; fight = wrestle; hit = punch; shoot; kill = murder; steal; dig; drive; knock; whisper; crawl; pray;
break = smash shatter; escape = flee; drown; sink; bite; bleed
"""

FEELINGS = """
afraid | fear = afraid alarmed scared scare frightened frighten terrified terrify fear fearful terror horror panic
panicked nervous anxious anxiety dread horrified petrified worried; calm | calm = calm peaceful peace serene serenity
relaxed calmness; joyful | joy = happy happiness joy joyful glad delighted cheerful euphoric ecstatic happily
overjoyed; joyful | relief = relieved relief; joyful | love = in_love; joyful | wonder = amazed wonder awe; sad |
sadness = sad sadness sorrow grief unhappy miserable heartbroken desperate despair depressed mourn; sad | loneliness =
lonely loneliness; angry | anger = angry anger furious rage mad_at mad_with outraged annoyed; angry | disgust =
disgusted disgust disgusting; ashamed | shame = ashamed shame embarrassed embarrassment embarrassing humiliated
humiliation; ashamed | guilt = guilty guilt; confused | confusion = confused confusion bewildered disoriented puzzled;
longing | longing = longing homesick homesickness nostalgic nostalgia miss_him miss_her miss_them miss_you yearn
yearning
"""

MOOD_HINTS = """
afraid: scream chase tremble shake shiver creepy scary nightmare pound monster murderer flee escape threaten danger
dangerous sweat paralysed paralyzed horrible demon bomb
calm: quiet quietly silence silent gentle gently soft softly warm safe slowly still
joyful: laugh smile beautiful wonderful lovely fun dance sing amazing hilarious funny play free freedom party
marvellous
sad: cry weep sob tear lose_her lose_him funeral alone dead grave goodbye
angry: shout yell argue quarrel fight throw hit hate unfair slam betray
ashamed: naked blush stare laugh_at_me apologise apologize sorry audience
confused: strange weird odd lost understand_nothing labyrinth maze nobody_understood puzzle not_understand
longing: stay young remember childhood grow_up far_away wish
"""

BRIGHT = """
beautiful wonderful lovely nice good great sweet bright golden warm free smile laugh love kiss hug gift safe fun
pleasant friendly play light sunshine flower music delicious heal rescue save win
"""

DARK = """
ugly bad terrible horrible awful dark cold blood dead die death kill hurt pain painful sick ill wound attack scream cry
broken lost trapped dirty rotten danger evil nasty poison corpse war bomb drown grave monster nightmare burn crash
"""

# Every group of a theme has a word near the words of the others: "a b + c d" is (a or b) near (c or d).
THEMES = """
being chased = chase hunt pursue + me us
being chased = chased hunted pursued + was were being get
being chased = follow run come +3 after +2 me us
being chased = follow + me us + dark man stranger someone somebody
falling = fall +3 i we
falling = fall + lift elevator plane cliff abyss
falling = falling + ground tower endlessly
flying = fly +2 i we me
flying = fly + higher over above
flying = float +3 i we
losing teeth = tooth + fall lose drop break crumble loose wobble spit
naked in public = naked undressed +4 i me +12 street supermarket shop school work public
naked in public = naked undressed +4 i me +12 people everybody everyone nobody
naked in public = underwear + i + street school work public
being late = late + be was were am for too
being late = miss + train bus plane flight exam
being late = train bus plane + leave + without
exam = exam examination
exam = test + school teacher fail learn study
flood = flood tsunami
flood = wave + huge giant enormous gigantic wall
flood = water river sea + come rise rising + village house window street door room city
fire = fire + house building room forest catch engine
fire = burn + house building room forest roof city
death = die dead death funeral corpse
meeting the dead = die dead + year ago + sit speak stand come alive hug call mother father grandmother grandfather
meeting the dead = dead + mother father grandmother grandfather friend + sit speak stand come alive hug call
being lost = get got +2 lost
being lost = lose lost +3 way
being lost = could couldn't can't cannot + find + way room house exit home hotel classroom door
being lost = street road corridor path +2 lead go +2 back
being lost = labyrinth maze + no way out exit lost
losing something = lose +4 passport key wallet phone telephone ticket suitcase ring bag money shoe purse
losing someone = lose +2 her him them + crowd hand sea
searching = look +2 for
searching = search
being paralysed = couldn't can't cannot unable +3 move
being paralysed = could can +2 not +2 move
being trapped = trapped
war = war battle invasion
wedding = wedding marry bride groom
birth = birth pregnant
end of the world = end +3 world
end of the world = apocalypse
being betrayed = betray cheat +3 me
"""

NEGATORS = """
not no never without nobody none don't didn't doesn't wasn't weren't isn't aren't couldn't can't cannot wouldn't won't
hadn't haven't hasn't neither nor
"""
NEVER_SO = "never"
STRONGLY = "very so really extremely totally completely terribly incredibly deeply utterly absolutely such most"
WEAKLY = "bit little slightly somewhat almost kinda"

_DREAM = r"(?:just |only |all )*(?:a dream|dreaming)\b"
_IT_IS = r"(?:that )?(?:i was|i'm|i am|it was|it's|it is|this was|this is|all of it was) "
LUCID = (
    (
        4,
        r"\bi (?:suddenly )?(?:knew|know|noticed|understood|saw|reali[sz]ed|was aware|became aware) " + _IT_IS + _DREAM,
    ),
    (4, r"\b(?:became|become|was|went|got) lucid\b|\blucid dream"),
    (2, r"\bi (?:wondered|wasn't sure|asked myself) (?:if|whether) (?:i was|it was|this was|this is|it is) " + _DREAM),
    (2, r"\b(?:am i|was i) dreaming\b|\bthis must be a dream\b"),
)
NOT_LUCID = r"\bi (?:didn't|did not) (?:know|realise|realize|notice) " + _IT_IS + _DREAM
IN_CONTROL = r"\b(?:i decided to|so i (?:flew|made|changed|jumped|tried)|i could control|i made it)\b"

NOT_NAMES = """
i i'm i'll i've i'd monday tuesday wednesday thursday friday saturday sunday january february march april may june july
august september october november december english slovenian german french italian spanish russian chinese american
european british god ok okay tv christmas easter mum mom dad grandma grandpa mr mrs ms dr
"""
PLACE_BEFORE = "in to from at near through across around"
AND = "and"
STILL = "stop"
AT_FIRST = "first initially beginning"
AS_WRITTEN: frozenset[str] = frozenset()

MOODS_OF_THEMES = {
    "being chased": "afraid 1",
    "falling": "afraid 0.4",
    "flying": "joyful 0.4",
    "losing teeth": "afraid 0.3",
    "naked in public": "ashamed 1",
    "being late": "afraid 0.3",
    "exam": "afraid 0.4",
    "flood": "afraid 0.4",
    "fire": "afraid 0.4",
    "death": "sad 0.3",
    "meeting the dead": "longing 0.5",
    "being lost": "confused 0.4",
    "losing someone": "sad 0.8",
    "being paralysed": "afraid 0.6",
    "being trapped": "afraid 0.8",
    "war": "afraid 0.4",
    "end of the world": "afraid 0.6",
    "being betrayed": "angry 0.6",
}
NOT_BESIDE = {"falling": "losing teeth"}
"""A theme, and another that has its words for itself."""

CALM, AFRAID = "calm", "afraid"

VALENCES = {
    "calm": 0.5,
    "joyful": 1.0,
    "sad": -0.8,
    "afraid": -0.9,
    "angry": -0.8,
    "ashamed": -0.6,
    "confused": -0.4,
    "longing": -0.3,
}

QUESTIONS = {
    "afraid": "What in your waking life asks for the same alertness as this fear?",
    "calm": "Where do you find this calm when you are awake?",
    "joyful": "What would bring a little of this joy into today?",
    "sad": "Which sadness may want to be seen here?",
    "angry": "Which boundary was this anger protecting?",
    "ashamed": "Where could you be a little kinder to yourself?",
    "confused": "What in your life is not clear to you just now?",
    "longing": "What do you miss, and what of it is still with you?",
    "being chased": "What would happen if you stopped and turned around?",
    "falling": "Where do you feel that you have nothing to hold on to?",
    "flying": "From what does this flight free you?",
    "losing teeth": "What are you afraid to lose, or to say aloud?",
    "naked in public": "Where do you feel seen more than you would like?",
    "being late": "What do you feel you are running out of time for?",
    "exam": "By whom do you feel tested at the moment?",
    "flood": "Which feeling is rising, and where could it flow?",
    "death": "What has come to its end, or is about to change?",
    "meeting the dead": "What would you still like to tell this person?",
    "being lost": "Which decision is in front of you without a map?",
    "searching": "What are you really looking for?",
    "person": "Which feeling does “%s” wake in you now?",
    "place": "What does the place “%s” remind you of?",
    "symbol": "What comes to your mind first when you think of “%s”?",
    "any": "Which moment of this dream stays with you most?",
    "last": "How would you like this dream to go on?",
}
