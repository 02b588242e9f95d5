"""How languages are called in other languages, and words by which people speak about language at all. Only the beginnings: endings change.

A country counts as its language. A word too many costs nothing but that nothing is judged for a while.
"""

from collections.abc import Iterable

NAMES = {
    "en": "engl engels ingle inglé inglê angla angli angiel ingil angol англ англій енгле britis ameri инглиш inggr großbr",
    "de": "deuts germa alemá alema alemã alleman tedes duits niemie niemc němec němč němc nemec nemčin njemač tysk alman saksa német nemet "
    "німе немец герман нямец jerman allemag",
    "fr": "frenc franz franç franc frans ransk франц френс prancis frankr frankri",
    "es": "spani españ espan espag spagn spaan spain hiszp španě španie španj spanj ispan іспан испан шпан castel espanj",
    "it": "italia italie italy italš italsk włosk włoch talian olasz итал італ итали",
    "pt": "portu португ brazi brasi бразил",
    "nl": "dutch niederl neerla néerl neerl holan holland hollan holend niderl nizozem nederl olande голланд нидерл нідер",
    "pl": "polish polni polsk polac polon pools польс полськ поляк lengyel puola polen polan polog польш",
    "cs": "czech czesk tsche tchèq checo checa ceco tsjech česk češt tjeck tjekk чешс чеськ cseh",
    "sk": "slova slowak словац słowac",
    "sv": "swedi swede schwed suédo sueco svedes zweed szwed švéd svensk шведс isveç",
    "da": "danish dänis danois danés danese deens duńs dánšt dansk датс denma dänem danem dinam дани",
    "no": "norwe norve norvé norueg noorw noors norsk норвеж norwa",
    "fi": "finni finno suomi suome fińsk finsk финск finla",
    "hu": "hungar ungar hongro húngar magyar maďar węgier венгер угорс macar",
    "ro": "romani român rumän rumun румын румун roumai",
    "tr": "turki turkc türki türkç turqu turc turks turec tureč турец турки türke turke",
    "ru": "russ ruso rusk rušt rusç rusia rosyj росій русс руск orosz venäj росси",
    "uk": "ukra ucra укра україн",
    "bg": "bulga болга българ bułga",
    "hr": "croat kroat hrvat chorv chorw хорват serbi serbo srpsk srbsk серб србс сръб bosni",
    "be": "belarus белорус білор белару weißr",
    "id": "indon індон индон malay bahasa",
    "vi": "vietn việt вьетн",
    "kk": "kazak kasach казах қазақ",
    "": "japan japon giapp япон chines china chino chinoi cines китай korea coré corea корейс arab араб greek griech grec гречес hebre "
    "hebrä ebrai иврит hindi хинди latin latei латин латын esperanto эсперанто irish gaelic catalá catala gallego gallegu basque грузин "
    "армян эстон латыш литов eston lituan latvi thai afrik",
}
"""By language, "" for those that are not told apart here."""

WISHES = (
    "transl übers ubers traduc tradui traduz tradur vertaa vertal tłuma przetł přelo překl prelož prekla prevod preved перевод перевед "
    "перевес переклад превод превед пераклад çevir tercüm övers overset oversæ fordít käänn terjem languag sprache fremdspr mutterspr "
    "langue idiom lengua lingua língua taal język jazyk språk sprog язык мова мови мову мовою език jezik limba limbă nyelv kieli kielel "
    "vocab vokab gramma грамма pronunc lyric songtext liedtext quote zitat zitier цитат цитир citat citaz citaç citação"
)
"""What is translated, quoted or spoken of as language may well be answered in another one."""

_WISH = "*"
NAMED = NAMES.keys() - {""}
_SHORTEST = 4


def _by_start() -> dict[str, list[tuple[str, str]]]:
    """Beginnings and what they name, by their first letters: most words are in none of these lists."""
    found: dict[str, list[tuple[str, str]]] = {}
    for language, names in {**NAMES, _WISH: WISHES}.items():
        for beginning in names.split():
            found.setdefault(beginning[:_SHORTEST], []).append((beginning, language))
    return found


_BY_START = _by_start()


def named_in(words: Iterable[str]) -> frozenset[str]:
    """Languages that the words (in lower case) name, "" for some other one, "*" for language itself."""
    candidates = ((word, found) for word in words if (found := _BY_START.get(word[:_SHORTEST])))
    return frozenset(language for word, found in candidates for beginning, language in found if word.startswith(beginning))
