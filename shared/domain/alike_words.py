"""Small words by which questions differ however near their meanings are reckoned to be, in ten languages.

A language: the letters it has beside those of its script; words that only show that it is this language; words that turn a question into
another one, by what they do; and beginnings that turn a word into its opposite.
"""

from dataclasses import dataclass, field
from typing import Final

CYRILLIC: Final = frozenset("абвгдежзийклмнопрстуфхцчшщьюя")
LATIN: Final = frozenset("abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class Language:
    """`does` says what a word does: not, who, where, when, why, i, me, my, he, she, they, we; `itself` for one that is like no other.

    `telling` words ask somebody to tell: the "me" after them is nobody's.
    """

    letters: frozenset[str]
    plain: frozenset[str]
    telling: frozenset[str]
    does: dict[str, str] = field(hash=False)
    turning: tuple[str, ...] = ()

    def knows(self, word: str) -> bool:
        return word in self.plain or word in self.does or word in self.telling


def _language(letters: frozenset[str], plain: str, telling: str, does: dict[str, str], turning: str = "") -> Language:
    kinds = {word: kind for kind, words in does.items() for word in words.split()}
    return Language(letters, frozenset(plain.split()), frozenset(telling.split()), kinds, tuple(turning.split()))


LANGUAGES: Final[dict[str, Language]] = {
    "en": _language(
        LATIN | {"é", "ï"},
        """a an the is are am was were be been being do does did done have has had can could will would shall should may might must isn
        aren wasn weren don doesn didn couldn wouldn shouldn hasn haven hadn s re m d ll ve what which how there here this that these
        those it its of in on at to for from with about as by and or but if so you your yours yourself u please hi hello hey ok well just
        really very some any like love name favourite favorite describe explain say talk speak introduce write know think want thing
        things kind sort called""",
        "tell show give help let teach ask make",
        {
            "not": "not no never t nothing nobody nowhere none nor neither without cannot dont doesnt didnt cant couldnt wont wouldnt isnt "
            "arent wasnt shouldnt hardly",
            "who": "who whom whose",
            "where": "where",
            "when": "when",
            "why": "why",
            "i": "i",
            "me": "me myself",
            "my": "my mine",
            "he": "he him his himself",
            "she": "she her hers herself",
            "they": "they them their theirs themselves",
            "we": "we us our ours",
            "itself": """many much more most less least few only also else other another again too before after until since first last next
            later now today tonight tomorrow yesterday morning afternoon evening night week weekend month year always often sometimes soon
            monday tuesday wednesday thursday friday saturday sunday one two three four five six seven eight nine ten eleven twelve twenty
            thirty fifty hundred thousand million half twice good bad better best worse worst hate dislike happy sad right wrong left up
            down out young old big small hot cold open close start stop begin end man men woman women boy girl male female husband wife
            brother sister mother father mom dad son daughter boyfriend girlfriend human real robot bot ai machine person alive dead""",
        },
        "un dis non mis anti ir il",
    ),
    "ru": _language(
        CYRILLIC | {"ё", "ъ", "ы", "э"},
        """а и в во на о об с со у к ко по за из от до для про как что какой какая какое какие каким чем чём чего это этот эта эти то там
        тут здесь ты тебя тебе тобой твой твоя твоё твое твои твоего твоей вы вас вам ваш ваша ваше ваши себя себе собой ли же бы уж есть
        быть был была было были будет можешь можете может хочешь любишь любите люблю знаешь знаете думаешь зовут звать имя пожалуйста
        привет здравствуй здравствуйте ну да вот очень просто самый самая самое любимый любимая любимое любимые опиши говоришь умеешь
        делаешь занимаешься""",
        "расскажи расскажите скажи скажите покажи объясни дай помоги подскажи ответь напиши назови",
        {
            "not": "не ни нет без нельзя никогда никто никого никому ничего ничто нигде никуда никак нечего некому",
            "who": "кто кого кому кем чей чья чьё чье чьи",
            "where": "где куда откуда",
            "when": "когда",
            "why": "почему зачем отчего",
            "i": "я",
            "me": "меня мне мной мною",
            "my": "мой моя моё мое мои моего моей моему моим моих мою",
            "he": "он его ему им нём него",
            "she": "она её ее ей ней неё",
            "they": "они их ими них",
            "we": "мы нас нам нами наш наша наше наши",
            "itself": """сколько больше меньше много мало только тоже также ещё еще другой другая другое другие перед после пока первый
            первая первое последний последняя последнее следующий сейчас теперь сегодня завтра вчера утром утро днём днем вечером вечер
            ночью ночь неделя неделе месяц месяце год году всегда часто иногда скоро понедельник вторник среда среду четверг пятница
            пятницу суббота субботу воскресенье один одна два две три четыре пять шесть семь восемь девять десять двадцать тридцать
            пятьдесят сто тысяча миллион хороший хорошо плохой плохо лучше хуже лучший худший ненавидишь ненавижу счастлив счастлива
            грустно грустишь правый левый молодой старый большой маленький горячий холодный мужчина женщина мальчик девочка девушка парень
            муж жена брат сестра мама мать папа отец сын дочь человек робот бот живой живая машина настоящий настоящая""",
        },
        "не бес без анти",
    ),
    "uk": _language(
        CYRILLIC | {"і", "ї", "є", "ґ"},
        """а і й в у на про з із зі до для від за як що який яка яке які чим це цей ця ці то там тут ти тебе тобі тобою твій твоя твоє
        твої ви вас вам ваш ваша ваше ваші себе собі чи ж би є бути був була було були можеш можете хочеш любиш люблю знаєш думаєш звати
        звуть ім'я ім будь ласка привіт ну так дуже улюблений улюблена улюблене опиши""",
        "розкажи розкажіть скажи скажіть покажи поясни дай допоможи напиши",
        {
            "not": "не ні ані нема немає без ніколи ніхто нікого нічого ніде нікуди",
            "who": "хто кого кому ким чий чия чиє чиї",
            "where": "де куди звідки",
            "when": "коли",
            "why": "чому навіщо",
            "i": "я",
            "me": "мене мені мною",
            "my": "мій моя моє мої мого моєї моїм",
            "he": "він його йому ним нього",
            "she": "вона її їй нею",
            "they": "вони їх їм ними",
            "we": "ми нас нам наш наша наше наші",
            "itself": """скільки більше менше багато мало тільки також ще інший інша інше перед після перший останній наступний зараз тепер
            сьогодні завтра вчора вранці ранок вечір вночі тиждень місяць рік завжди часто іноді скоро один одна два дві три чотири п'ять
            десять сто тисяча добре погано краще гірше ненавидиш молодий старий великий малий чоловік жінка хлопець дівчина брат сестра
            мама тато син дочка людина робот бот жива живий справжня справжній""",
        },
        "не без анти",
    ),
    "de": _language(
        LATIN | set("äöüß"),
        """der die das den dem des ein eine einen einem einer eines ist sind bist bin war waren sein hast hat habe haben kann kannst
        können könntest würdest möchtest willst magst mag wie was welche welcher welches es zu in im an am auf aus bei mit von vom
        für über um und oder aber wenn so du dich dir dein deine deinen deinem deiner sie ihnen bitte hallo hi gern gerne sehr denn
        mal eigentlich etwas heißt heißen beschreibe beschreib erkläre machst name namen lieblings""",
        "erzähl erzähle sag sage zeig zeige gib hilf schreib nenn nenne",
        {
            "not": "nicht nichts nie niemals niemand kein keine keinen keinem keiner nirgends ohne weder noch kaum",
            "who": "wer wen wem wessen",
            "where": "wo wohin woher",
            "when": "wann",
            "why": "warum wieso weshalb wozu",
            "i": "ich",
            "me": "mich mir",
            "my": "mein meine meinen meinem meiner meins",
            "he": "er ihn ihm",
            "she": "ihr ihre ihren ihrem ihrer",
            "we": "wir uns unser unsere unseren",
            "itself": """viel viele mehr weniger wenig nur auch anders andere noch vor nach bis seit erste ersten letzte letzten nächste
            jetzt heute morgen gestern abend nacht immer oft manchmal bald eins zwei drei vier fünf sechs sieben acht neun zehn hundert
            tausend gut schlecht besser schlechter beste schlimmste hasst hasse glücklich traurig richtig falsch jung alt groß klein
            echt""",
        },
        "un miss anti",
    ),
    "fr": _language(
        LATIN | set("àâæçéèêëîïôœùûüÿ"),
        """le la les l un une des du de d au aux est es suis sont êtes était être as ai a avez avoir peux peut pouvez veux voudrais
        comment que qu quoi quel quelle quels quelles ce c cet cette ces ça en dans sur avec pour par et ou mais si tu te t toi ton ta tes
        vous votre vos se s s'il plaît plait bonjour salut appelles appelle aimes aime préféré préférée décris explique fais nom
        y""",
        "dis dites raconte parle montre donne aide",
        {
            "not": "ne n pas jamais rien aucun aucune personne sans ni",
            "who": "qui",
            "where": "où",
            "when": "quand",
            "why": "pourquoi",
            "i": "je j",
            "me": "me m moi",
            "my": "mon ma mes mien mienne",
            "he": "il lui son",
            "she": "elle sa",
            "they": "ils elles leur leurs",
            "we": "nous notre nos on",
            "itself": """combien plus moins beaucoup peu seulement aussi autre autres encore avant après depuis premier première dernier
            dernière prochain prochaine maintenant aujourd hui demain hier matin soir nuit semaine mois année toujours souvent parfois
            bientôt deux trois quatre cinq six sept huit neuf dix cent mille bon bien mal mauvais mieux meilleur pire détestes déteste
            heureux triste vrai faux jeune vieux grand petit homme femme robot humain humaine réel réelle""",
        },
        "anti dé",
    ),
    "es": _language(
        LATIN | set("áéíóúüñ"),
        """el la los las un una unos unas de del al a en con por para y e o u pero si es eres soy son está estás ser estar tienes tiene
        puedes puede quieres qué que cómo como cuál cuáles cual esto este esta eso ese esa lo se te ti tu tus tuyo usted su favor hola
        llamas llama gusta gustan favorito favorita describe explica haces nombre sobre más muy""",
        "dime di cuéntame cuenta habla muéstrame dame ayúdame",
        {
            "not": "no nunca jamás nada nadie ningún ninguna ninguno sin ni tampoco",
            "who": "quién quien quiénes",
            "where": "dónde donde adónde",
            "when": "cuándo cuando",
            "why": "porqué",
            "i": "yo",
            "me": "me mí conmigo",
            "my": "mi mis mío mía",
            "he": "él le",
            "she": "ella",
            "they": "ellos ellas les",
            "we": "nosotros nos nuestro nuestra",
            "itself": """cuánto cuánta cuántos cuántas mucho muchos menos poco solo sólo también otro otra antes después primero primera
            último última próximo próxima ahora hoy mañana ayer noche tarde semana mes año siempre veces pronto uno dos tres cuatro cinco
            seis siete ocho nueve diez cien mil bueno buena bien malo mala mal mejor peor odias odio feliz triste verdad mentira joven
            viejo grande pequeño hombre mujer robot humano humana real""",
        },
        "des anti",
    ),
    "it": _language(
        LATIN | set("àèéìíîòóùú"),
        """il lo la i gli le l un uno una di del della dei a al alla in nel con per da su e o ma se è sono era essere hai ha ho puoi
        può vuoi vorresti che cosa cos come quale quali questo questa quello ti te tu tuo tua tuoi tue si ci favore ciao piace piacciono
        chiami chiama preferito preferita descrivi spiega fai nome molto""",
        "dimmi raccontami racconta parlami parla mostrami dammi aiutami",
        {
            "not": "non no mai niente nulla nessuno nessuna senza né",
            "who": "chi",
            "where": "dove dov",
            "when": "quando",
            "why": "perché perchè",
            "i": "io",
            "me": "mi me",
            "my": "mio mia miei mie",
            "he": "lui suo",
            "she": "lei sua",
            "they": "loro essi",
            "we": "noi nostro nostra",
            "itself": """quanto quanta quanti quante più meno molti poco solo anche altro altra ancora prima dopo primo ultimo prossimo
            adesso ora oggi domani ieri mattina sera notte settimana mese anno sempre spesso presto due tre quattro cinque sei sette otto
            nove dieci cento mille buono bene male meglio peggio migliore peggiore odi odio felice triste vero falso giovane vecchio grande
            piccolo uomo donna robot umano umana reale""",
        },
        "dis anti",
    ),
    "pt": _language(
        LATIN | set("áâãàçéêíóôõú"),
        """o a os as um uma de do da dos das no na nos nas em com por para e ou mas se é és está são ser estar tem tens pode podes quer
        queres que qual quais como isso isto este esta esse essa você vocês te ti tu teu tua seu sua favor olá oi gosta gostas chama
        chamas favorito favorita descreve descreva explica faz fazes nome sobre muito""",
        "diga diz conta conte fala fale mostra mostre",
        {
            "not": "não nunca jamais nada ninguém nenhum nenhuma sem nem",
            "who": "quem",
            "where": "onde aonde",
            "when": "quando",
            "why": "porque porquê",
            "i": "eu",
            "me": "me mim comigo",
            "my": "meu minha meus minhas",
            "he": "ele dele",
            "she": "ela dela",
            "they": "eles elas",
            "we": "nós nosso nossa",
            "itself": """quanto quanta quantos quantas mais menos muitos pouco só também outro outra ainda antes depois primeiro último
            próximo agora hoje amanhã ontem manhã noite tarde semana mês ano sempre vezes logo dois duas três quatro cinco seis sete oito
            nove dez cem mil bom boa bem mau má mal melhor pior odeias odeia feliz triste verdade jovem velho grande pequeno homem mulher
            robô humano humana real""",
        },
        "des anti",
    ),
    "pl": _language(
        LATIN | set("ąćęłńóśźż"),
        """a i w we na o z ze do dla od za po jak co czym jaki jaka jakie jaką to ten ta te tam tu ty ciebie tobie cię ci twój twoja twoje
        pan pani się siebie czy jest jesteś być był była masz ma możesz może chcesz lubisz kochasz wiesz proszę cześć hej bardzo nazywasz
        imię ulubiony ulubiona ulubione opisz wyjaśnij robisz sobie""",
        "powiedz opowiedz pokaż daj pomóż napisz",
        {
            "not": "nie nigdy nikt nikogo nic niczego nigdzie bez ani żaden żadna",
            "who": "kto kogo komu kim czyj czyja czyje",
            "where": "gdzie dokąd skąd",
            "when": "kiedy",
            "why": "dlaczego czemu",
            "i": "ja",
            "me": "mnie mi mną",
            "my": "mój moja moje moi mojego mojej",
            "he": "on jego jemu mu go",
            "she": "ona jej ją",
            "they": "oni one ich im",
            "we": "my nas nam nasz nasza nasze",
            "itself": """ile więcej mniej dużo mało tylko też także jeszcze inny inna przed potem pierwszy ostatni następny teraz dziś
            dzisiaj jutro wczoraj rano wieczór noc tydzień miesiąc rok zawsze często czasem wkrótce jeden dwa trzy cztery pięć sześć siedem
            osiem dziewięć dziesięć sto tysiąc dobry dobrze zły źle lepiej gorzej lepszy gorszy nienawidzisz szczęśliwy smutny młody stary
            duży mały mężczyzna kobieta robot człowiek prawdziwa prawdziwy""",
        },
        "nie anty",
    ),
    "cs": _language(
        LATIN | set("áčďéěíňóřšťúůýž"),
        """a i v ve na o s se z ze do pro od za po u k ke jak co čím jaký jaká jaké jakou to ten ta tam tu ty tebe tobě tě ti tvůj tvoje
        tvá tvé si sebe je jsi jste být byl byla máš má můžeš může chceš ráda rád víš prosím ahoj čau moc jmenuješ jméno oblíbený oblíbená
        oblíbené popiš vysvětli děláš sobě""",
        "řekni pověz povídej ukaž dej pomoz napiš vyprávěj",
        {
            "not": "ne není nikdy nikdo nikoho nic ničeho nikde bez ani žádný žádná",
            "who": "kdo koho komu kým čí",
            "where": "kde kam odkud",
            "when": "kdy",
            "why": "proč",
            "i": "já",
            "me": "mě mně mi mnou",
            "my": "můj moje mého mé",
            "he": "on jeho jemu mu ho",
            "she": "ona její jí",
            "they": "oni ony jejich jim",
            "we": "my nás nám náš naše",
            "itself": """kolik více víc méně míň hodně málo jen také taky ještě jiný jiná před potom první poslední příští teď dnes zítra
            včera ráno večer noc týden měsíc rok vždy často někdy brzy jeden dva tři čtyři pět šest sedm osm devět deset sto tisíc dobrý
            dobře špatný špatně lepší lépe horší hůř nenávidíš šťastný smutný mladý starý velký malý muž žena robot člověk opravdová
            opravdový skutečná""",
        },
        "ne proti",
    ),
}
