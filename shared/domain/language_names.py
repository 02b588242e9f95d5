"""How languages are called in other languages, and words by which people speak about language at all. Only the beginnings: endings change.

A country counts as its language. A word too many costs nothing but that nothing is judged for a while.
"""

from collections.abc import Iterable

NAMES = {
    "en": "engl engels ingle inglé inglê angla angli angiel ingil angol англ англій енгле britis ameri инглиш",
    "de": "deuts germa alemá alema alemã alleman tedes duits niemie niemc němec němč němc nemec nemčin njemač tysk alman saksa német nemet "
    "німе немец герман нямец jerman",
    "fr": "frenc franz franç franc frans ransk франц френс prancis",
    "es": "spani españ espan espag spagn spaan spain hiszp španě španie španj spanj ispan іспан испан шпан castel espanj",
    "it": "itali italy italsk włosk włoch talian olasz итал італ",
    "pt": "portu португ brazi brasi бразил",
    "nl": "dutch niederl neerla néerl neerl holan holland hollan holend niderl nizozem nederl olande голланд нидерл нідер",
    "pl": "polish polni polsk polac polon pools польс полськ поляк lengyel puola",
    "cs": "czech czesk tsche tchèq checo checa ceco tsjech česk češt tjeck tjekk чешс чеськ cseh",
    "sk": "slova slowak словац słowac",
    "sv": "swedi swede schwed suédo sueco svedes zweed szwed švéd svensk шведс isveç",
    "da": "danish dänis danois danés danese deens duńs dánšt dansk датс",
    "no": "norwe norve norvé norueg noorw noors norsk норвеж",
    "fi": "finni finno suomi suome fińsk finsk финск",
    "hu": "hungar ungar hongro húngar magyar maďar węgier венгер угорс macar",
    "ro": "romani român rumän rumun румын румун roumai",
    "tr": "turki turkc türki türkç turqu turc turks turec tureč турец турки",
    "ru": "russ ruso rusk rušt rusç rusia rosyj росій русс руск orosz venäj",
    "uk": "ukra ucra укра",
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
_BEGINNINGS = {beginning: language for language, names in {**NAMES, _WISH: WISHES}.items() for beginning in names.split()}
_LENGTHS = sorted({len(beginning) for beginning in _BEGINNINGS})


def named_in(words: Iterable[str]) -> frozenset[str]:
    """Languages that the words (in lower case) name, "" for some other one, "*" for language itself."""
    return frozenset(found for word in words for length in _LENGTHS if (found := _BEGINNINGS.get(word[:length])) is not None)
