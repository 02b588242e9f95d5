"""A language is told by its small words; where they do not tell it clearly, nothing is said."""

import time
import tracemalloc

import pytest

from shared.domain.function_words import FUNCTION_WORDS
from shared.domain.languages import language_of

SAID = {
    "en": [
        "Why is the sky blue?",
        "I had such a long day, and nobody asked me how it went.",
        "Don't worry, I'll be there when you need me.",
    ],
    "de": [
        "Kannst du mir sagen, warum der Himmel blau ist?",
        "Ich bin heute so müde, der Tag war wirklich lang.",
        "Wie geht es dir heute?",
        "ich weiss nicht was ich mit meiner schwester machen soll",
    ],
    "fr": [
        "Tu peux me raconter une histoire avec un dragon ?",
        "Je suis très fatigué, la journée a été longue.",
        "Qu’est-ce que tu fais ?",
    ],
    "es": ["No sé qué hacer con mi hermana, siempre está enfadada conmigo.", "Hoy estoy muy cansado, el día fue larguísimo."],
    "pt": ["Você pode me contar uma história sobre um dragão?", "Não sei o que fazer com a minha irmã, ela está sempre zangada comigo."],
    "it": ["Oggi sono molto stanco, è stata una giornata lunga.", "Non so cosa fare con mia sorella, è sempre arrabbiata con me."],
    "nl": ["Kun je mij een verhaal vertellen over een draak?", "Ik ben vandaag zo moe, het was een heel lange dag."],
    "pl": ["Jestem dzisiaj bardzo zmęczony, to był długi dzień.", "Nie wiem, co mam zrobić z moją siostrą, zawsze jest na mnie zła."],
    "cs": ["Proč je nebe modré? Ještě jsem o tom nikdy nepřemýšlel.", "Nevím, co mám dělat se sestrou, pořád se na mě zlobí."],
    "sk": ["Dnes som veľmi unavený, bol to dlhý deň.", "Neviem, čo mám robiť so sestrou, stále sa na mňa hnevá."],
    "sv": ["Jag är så trött idag, det har varit en lång dag.", "Jag vet inte vad jag ska göra med min syster, hon är alltid arg."],
    "da": ["Jeg er så træt i dag, og jeg ved ikke hvad jeg skal gøre ved min søster, hun er altid sur."],
    "no": ["Jeg vet ikke hva jeg skal gjøre med søsteren min, hun er alltid sint på meg."],
    "fi": ["Olen tänään niin väsynyt, päivä oli todella pitkä.", "En tiedä mitä minä teen siskoni kanssa, hän on aina vihainen."],
    "hu": ["Nagyon fáradt vagyok ma, hosszú volt ez a nap.", "Nem tudom, mit csináljak a húgommal, mindig haragszik rám."],
    "ro": ["Sunt foarte obosit azi, a fost o zi lungă.", "Nu știu ce să fac cu sora mea, este mereu supărată pe mine."],
    "tr": ["Bugün çok yorgunum, gün çok uzun geçti.", "Gökyüzü neden mavi? Bunu hiç düşünmedim ama merak ediyorum."],
    "id": ["Saya sangat lelah hari ini, harinya panjang sekali.", "Bisakah kamu menceritakan sebuah kisah tentang naga untuk saya?"],
    "hr": ["Ne znam što da radim sa sestrom, uvijek je ljuta na mene."],
    "vi": ["Tôi không biết phải làm gì với chị gái của tôi."],
    "ru": [
        "Почему небо голубое? Никогда об этом не думал.",
        "Как у тебя дела сегодня?",
        "Не знаю, что делать с сестрой: она всё время злится.",
    ],
    "uk": ["Я сьогодні дуже втомився, день був такий довгий.", "Не знаю, що робити з сестрою: вона завжди на мене сердиться."],
    "bg": ["Днес съм много уморен, денят беше толкова дълъг.", "Не знам какво да правя със сестра ми, тя винаги ми е сърдита."],
    "sr": ["Данас сам баш уморан, дан је био много дуг.", "Не знам шта да радим са сестром, увек је љута на мене."],
    "be": ["Я сёння вельмі стаміўся, дзень быў такі доўгі."],
}

CLOSE = {
    "es": ["La casa es grande y la mesa de la sala es nueva", "No me digas nada", "Una casa blanca en el campo", "¿Cómo te llamas?"],
    "pt": ["A casa é grande e a mesa da sala é nova", "Uma casa branca no campo", "Como se chama a sua prima?", "Por favor, me diga"],
    "gl": ["A casa é grande e a mesa da sala é nova", "Non sei que facer coa miña irmá, sempre está enfadada"],
    "ca": ["No sé què fer amb la meva germana, sempre està enfadada", "La casa és gran i blanca"],
    "cs": ["To je moje mama a to je on", "Kde je ten dům na kopci?", "Mám se dobře a ty?"],
    "sk": ["To je moja mama a to je on", "Kde je ten dom na kopci?", "Mám sa dobre a ty?"],
    "pl": ["To jest moja mama, a to on", "Gdzie jest ten dom?"],
    "hr": ["To je moja mama", "Gdje je ta kuća na brdu?"],
    "ru": ["Мама на работе, папа дома", "Не так, а вот так", "На столе стоит чашка, она для тебя"],
    "uk": ["Мама на роботі, тато вдома", "Не так, а ось так", "На столі стоїть чашка, вона для тебе"],
    "bg": ["Мама е на работа, а татко е вкъщи", "Не така, а ето така"],
    "be": ["Мама на працы, тата дома", "Не так, а вось так"],
    "sr": ["Мама је на послу, тата је код куће", "Не тако, него овако"],
    "da": ["Han har en hund og en kat", "Det er min mor og far", "Vil du have en kop kaffe?"],
    "no": ["Han har en hund og en katt", "Det er min mor og far", "Vil du ha en kopp kaffe?"],
    "sv": ["Han har en hund och en katt", "Det är min mor och far", "Vill du ha en kopp kaffe?"],
    "nl": ["De man was in het water", "Wat was dat?", "Hij is in de stad en zij ook"],
    "de": ["Der Mann war in dem Wasser", "Was war das?", "Er ist in der Stadt und sie auch"],
    "af": ["Die man was in die water en dit was koud", "Ek het nie geweet dat jy hier was nie"],
    "en": ["The man was in the water", "What was that?", "In the wet den a man hat a tag"],
}

UNTOLD = [
    "",
    "ok",
    "Hola",
    "Danke!",
    "Guten Morgen",
    "1 2 3 4 5 6 7",
    "👍👍👍 ha ha ha ha",
    "Paris, London, New York, Tokyo, Berlin",
    "Anna Schmidt, Juan García, Pierre Dupont, Jan Novák, John Smith",
    "lol omg brb afk wtf imho",
    "for item in range(10): print(item, item * 2)",
    "```python\nif you and not the_other or this is None:\n    return what, that, which\n```",
    "`git commit -m 'this is what you should have had'`",
    "https://example.org/what/is/the/best/way/to/do/this/with/your/cat",
    "Der hat gesagt the cat is on the mat und ich so what are you doing",
    "I love you, je t'aime, ich liebe dich, te quiero, ti amo",
    "„Should I stay or should I go when you are not there“ von The Clash",
    '> Why is the sky blue and what can you do with it?\n"This is what they said about you"',
    "the the the the the the the",
    "今日はとても良い天気ですね。散歩に行きましょう。",
    "Γιατί ο ουρανός είναι γαλάζιος;",
]


@pytest.mark.parametrize(("language", "said"), [(language, said) for language, texts in SAID.items() for said in texts])
def test_a_sentence_as_people_write_it_is_recognised(language: str, said: str) -> None:
    assert language_of(said) == language


@pytest.mark.parametrize(("language", "said"), [(language, said) for language, texts in CLOSE.items() for said in texts])
def test_close_languages_are_never_taken_for_each_other(language: str, said: str) -> None:
    assert language_of(said) in {language, None}


@pytest.mark.parametrize("said", UNTOLD)
def test_what_is_short_mixed_quoted_or_no_language_tells_nothing(said: str) -> None:
    assert language_of(said) is None


def test_what_stands_below_a_quotation_is_read() -> None:
    assert language_of("> Why is the sky blue and what can you do with it?\nIch weiß es nicht, aber du kannst mir das sagen.") == "de"


def test_all_that_is_said_in_one_language_together_is_that_language_or_nothing() -> None:
    found = {language: language_of(" ".join([*SAID.get(language, ()), *CLOSE.get(language, ())])) for language in SAID | CLOSE}
    assert {language: told for language, told in found.items() if told not in {language, None}} == {}
    assert {language for language in SAID if found[language] is None} <= {"da"}


def test_every_language_has_enough_words_of_its_own() -> None:
    own = {language: set(words.split()) - _others(language) for language, words in FUNCTION_WORDS.items()}
    assert {language for language, words in own.items() if len(words) < 10} == set()
    assert {word for words in FUNCTION_WORDS.values() for word in words.split() if word != word.lower() or not word.isalpha()} == set()


def _others(language: str) -> set[str]:
    return {word for other, words in FUNCTION_WORDS.items() if other != language for word in words.split()}


def test_2000_characters_are_read_fast_and_leave_nothing_behind() -> None:
    text = (" ".join(SAID["de"] + SAID["en"]) * 20)[:2000]
    spans = []
    for _ in range(30):
        began = time.perf_counter()
        language_of(text)
        spans.append(time.perf_counter() - began)
    tracemalloc.start()
    language_of(text)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert min(spans) < 0.001
    assert kept < 10_000
