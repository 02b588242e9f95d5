"""Words that tell a lasting fact from what is said in passing, in English and Russian."""

import re
from typing import Final

QUESTION_ENDS: Final = "?？؟"
CLAUSE_END = re.compile(r"[.!?？؟…;,\n]")
SENTENCE_START = re.compile(r"[.!?？؟…\n]")

GREETING = re.compile(
    r"\W*(?:(?:hi|hello|hey|good (?:morning|evening|night|day|afternoon)|bye|goodbye|see you|thanks?|thank you|ok(?:ay)?|yes|no|yeah|nope|"
    r"sure|lol|haha\w*|wow|cool|nice|привет\w*|здравствуй\w*|добр\w+ (?:утро|день|вечер)|доброй ночи|пока|спасибо|да|нет|ага|угу|ок|"
    r"окей|ладно|хорошо|понятно|ясно|ха(?:ха)+|класс|круто)\b\W*)+",
    re.IGNORECASE,
)
"""All of a text that says hello, thanks or yes, and nothing else."""

PASSING = re.compile(
    r"\b(?:tired|bored|boring|hungry|thirsty|sleepy|sad|happy|angry|upset|excited|annoyed|fine|great mood|bad mood|"
    r"feel(?:s|ing)? (?:good|bad|great|ok|okay|better|worse|down|sick|like)|устал\w*|скучн\w*|скучаю|голод\w*|хочу (?:есть|спать|пить)|"
    r"груст\w*|рад|рада|злюсь|сонн\w*|настроени\w*|вс[её] (?:хорошо|плохо|нормально))\b",
    re.IGNORECASE,
)

SUPPOSED = re.compile(
    r"\b(?:if|would|could have|imagine|suppose|supposing|pretend|what if|i wish|let'?s say|hypothetically|in (?:a|my) dream|dreamt?|"
    r"если|бы|представь\w*|допустим|предположим|притворись|понарошку|во сне|приснил\w*|вообрази\w*|играем)\b",
    re.IGNORECASE,
)

JOKED = re.compile(
    r"\b(?:just kidding|kidding|jk|joking|just a joke|not really|sarcasm|шучу|шутка|прикалываюсь|ирония)\b|(?:^|\s)/s(?:\s|$)",
    re.IGNORECASE,
)

ORDERED = re.compile(
    r"\W*(?:/\w+|tell me|write|note|explain|translate|describe|give me|show me|help me|repeat|continue|say|stop|ignore|forget|"
    r"расскажи\w*|напиши\w*|объясни\w*|переведи\w*|опиши\w*|дай\w*|покажи\w*|запиши\w*|отметь\w*|помоги\w*|повтори\w*|продолж\w*|скажи\w*|хватит|забудь\w*)\b",
    re.IGNORECASE,
)
"""How a text begins that asks the character to do something."""

INSTRUCTING = re.compile(
    r"\b(?:ignore (?:all|any|the|previous)|disregard|system prompt|previous instructions|your instructions|developer mode|jailbreak|"
    r"you (?:must|are now|have to|should)|always (?:answer|reply|respond|say)|never (?:refuse|answer|reply|say)|"
    r"игнорируй\w*|системн\w+ (?:промпт|инструкци)\w*|твои инструкции|ты (?:должен|должна|обязан\w*|теперь)|всегда (?:отвечай|говори)|"
    r"никогда не (?:отказывай|отвечай|говори)\w*)",
    re.IGNORECASE,
)
"""Words that would tell the character what to do."""
MARKS = re.compile(r"[<>{}]|```")
FORGED = re.compile(r"[{}]|<\s*/?\s*data|```", re.IGNORECASE)
"""What looks like the marks of a prompt, in a fact and in what was said."""

ABOUT_ME = re.compile(r"\b(?:i|i'?m|i'?ve|im|we|я|мы|меня|мне|нам|нас)\b", re.IGNORECASE)
OTHERS_WORDS = re.compile(r"\b(?:he|she|they|his|her|hers|their|он|она|они|его|её|ее|их)\b", re.IGNORECASE)
OTHER_PEOPLE = re.compile(
    r"\b(?:friend\w*|brother\w*|sister\w*|mother\w*|mom|mum|father\w*|dad|wife\w*|husband\w*|son|sons|"
    r"daughter\w*|cousin\w*|uncle|aunt|grand\w+|boss|colleague\w*|neighbou?r\w*|girlfriend\w*|boyfriend\w*|teacher\w*|"
    r"друг\w*|подруг\w*|брат\w*|сестр\w*|мам\w*|мать|матер\w*|пап\w*|отец|отц\w*|жен[аыуе]|муж\w*|сын\w*|доч\w*|"
    r"дяд\w*|тёт\w*|тет[яию]|бабушк\w*|дедушк\w*|начальник\w*|коллег\w*|сосед\w*|девушк\w*|парень|парн\w*|учител\w*)\b",
    re.IGNORECASE,
)

NAMED = re.compile(r"\b(?:my name|my first name|name'?s|i'?m|i am|im|me|this is|меня|мне|зови\w*|имя|я|это)\b", re.IGNORECASE)
"""Without one of these a name is somebody else's: "a cat called Tom"."""

LIVING = re.compile(
    r"\b(?:liv(?:e|es|ing)|moved?|moving|home|based|settled|resid\w+|here|in|at|near|жив\w+|перее\w+|перебра\w+|дом\w*|город\w*|"
    r"в|во|под|возле|около)\b",
    re.IGNORECASE,
)
"""Without one of these nobody has said where they live: "I am from Brno" does not."""
LIVES = re.compile(r"\b(?:lives?|living|жив[её]т|живу)\b", re.IGNORECASE)
BEFORE_LIKING = re.compile(r"(?:\b(?:i|we|do|to|and|not|really|also|still|longer)|n't) $")
"""What stands before the "like" of somebody who likes something; after anything else it compares."""
DENIED = re.compile(
    r"\b(?:not|no|never|nor|don't|doesn't|didn't|can't|cannot|won't|isn't|ain't|hate\w*|dislik\w+|detest\w*|loath\w+|avoid\w*|stopped|quit|"
    r"longer|не|нет|ни|ненави\w+|терпеть|перестал\w*|бросил\w*)\b",
    re.IGNORECASE,
)
PASSING_TOPICS = frozenset(
    ["mood", "moods", "feeling", "feelings", "emotion", "greeting", "weather", "note", "request", "order", "question"]
)

CHANGED = re.compile(
    r"\b(?:moved|now|no longer|not any ?more|anymore|changed?|new|actually|instead|switched|quit|left|became|turned|"
    r"since|переехал\w*|теперь|больше не|уже не|сменил\w*|поменял\w*|нов\w{2,3}|на самом деле|вместо|уволил\w*|"
    r"бросил\w*|стал[аи]?|исполнилось)\b",
    re.IGNORECASE,
)
"""Whoever says so knows that it was otherwise before."""

DICTATED = re.compile(r"\b(?:(?:the|this|that|another|every) user\w*|task:|system:|assistant:|facts?:|пользовател\w*)", re.IGNORECASE)
"""People do not speak so of themselves, but somebody may who tries to have something written down."""

_FRAME: Final = """
a an and are as at be been being born by called calls comes do does for from goes had has have he her his in is it its lives live living
loves likes like dislikes hates hate enjoys enjoy prefers prefer name named names of on or old owns own person plays she studies study
speaks speak that the their them they this to user wants want was were who whose will wishes with works work working year years age aged
favourite favorite job occupation profession city country town language birthday date hobby interested interest allergic allergy pet
married single plan plans planning going learn learns learning birth does not doesn't isn't moved got became
в во и из к как на не но о об от по при с со у за до для его её ее их есть зовут имя имени живёт живет живу работает работаю любит люблю
нравится пользователь пользователя пользователю хочет хочу планирует учится изучает родился родилась день рождения возраст лет год года
город страна язык профессия это он она они был была является имеет говорит играет женат замужем учит учу родом переехал переехала
"""
FRAME: Final = frozenset(_FRAME.split())
"""Words with which a fact may be put though they were not said."""
