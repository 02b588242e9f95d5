"""Small words that people cannot do without, by language: what languages of one script are told apart by.

Words that two languages have in common may stand in both: they then decide little (see `shared.domain.languages`). So words of content that
look like a small word of a neighbour are listed too (English `die`, `hat`). Of some neighbours only words of their own are listed: they are
here so that nobody takes them for another language.
"""

FUNCTION_WORDS = {
    "en": "the and you that was for are with his they this have from had not but what all were when your can said there each which she how "
    "their if will other about out many then them these some her would make like him into has could come did than been who its now get may "
    "over know my me we he it is of to in on at be do so no an as or by up go us our am any why very here because should really think want "
    "too where don didn isn doesn won wouldn couldn ll ve re good well yes just more most much such only even again always never something "
    "anything nothing die war hat man den bin hut also made fast art gut rat bad wand rock tag gift one sale ten pan son fin met wet dare "
    "pot mine male cane note pace pure dove true does let tell yourself myself being before after while might sure every today hello "
    "yeah day story maybe sounds course thanks please sorry",
    "de": "der die das und ist nicht ich du er sie es wir ihr ein eine einen einem einer eines den dem des zu mit von auf für im in an am "
    "um aus bei nach vor über unter durch wie was wer wo wann warum wenn weil dass aber oder auch noch nur schon sehr mehr hier da dann so "
    "als doch mal ja nein kein keine keinen mir mich dir dich uns euch sich mein meine meinen meiner dein deine deinen deiner sein seine "
    "ihm ihn ihnen habe hast hat haben hatte war waren bin bist sind wird werden wurde kann kannst können muss musst soll will willst "
    "möchte etwas nichts alles immer heute morgen gestern gibt geht gut man vom zum zur beim ohne gegen zwischen diese dieser dieses "
    "diesen jetzt wieder weiß eigentlich vielleicht denn damit davon dazu daran darüber wirklich viel viele bitte ganz hätte wäre würde "
    "tag machst gerade bisschen weißt sag erzähl gehabt worden dieselbe ohnehin genau",
    "nl": "de het een en van ik je jij dat die in te is niet op met voor er zijn maar om hem dan ook als naar wat aan bij nog wel uit zo "
    "zou heb hebt heeft hebben had mij mijn me jouw jullie ze zij we wij ons onze hun deze dit geen door over onder tegen tot toch waar "
    "waarom wie hoe wanneer hier daar nu al alleen alles iets niets altijd nooit weer heel veel meer moet moeten kan kunnen kun wil willen "
    "zal zullen word wordt worden werd was waren ben bent gaan gaat doen doet goed graag misschien omdat want of toen zonder kom weet jou "
    "haar hij eens zoals vandaag natuurlijk dag eigenlijk iemand",
    "sv": "och att det i en jag hon som han på den med var sig för så till är men ett om hade de av mig du henne då sin nu har inte hans "
    "honom skulle hennes där min man ej vid kunde något från ut när efter upp vi dem vara vad över än dig kan här ha mot alla under någon "
    "eller allt mycket sedan ju denna själv detta åt utan varit hur ingen mitt ni bli blev oss din dessa några deras blir samma vilken er "
    "vår dess inom mellan varför varje vilka vem vilket också bara alltid aldrig kanske gör göra vill måste ska får få går gå mer idag "
    "eftersom ditt mina dina gärna tycker dag berätta",
    "da": "og i jeg det at en den til er som på de med han af for ikke der var mig sig men et har om vi min havde ham hun nu over da fra "
    "du ud sin dem os op man hans hvor eller hvad skal selv her alle vil blev kunne ind når være dog noget ville jo deres efter ned skulle "
    "denne end dette mit også under have dig hende mine alt meget sit sine mod disse hvis din nogle hos blive mange bliver hendes været "
    "jer sådan hvorfor hvordan altid aldrig måske kun gør gøre må får få går gå mere nogen hvem ved lige godt igen siden bare sur gik fik "
    "vidste sidste",
    "no": "og i jeg det at en et den til er som på de med han av ikke der så var meg seg men har om vi min mitt ha hadde hun nå over da "
    "ved fra du ut sin dem oss opp man kan hans hvor eller hva skal selv her alle vil bli ble blitt kunne inn når være kom noen noe ville "
    "dere deres kun etter ned skulle denne for deg si sine sitt mot å hvorfor hvordan dette disse uten ingen din ditt blir samme hvilken "
    "hvilke sånn mellom vår hver hvem hvis både bare enn fordi før mange også slik vært alltid aldri kanskje gjør gjøre må får få går gå "
    "mer veldig ganske litt siden sint gikk fikk trøtt",
    "fr": "le la les un une des de du et est en que qui dans pour pas sur avec ce cette ces il elle ils elles je tu nous vous on me te se "
    "mon ma mes ton ta tes son sa ses notre votre leur mais ou où donc ni car ne plus très bien tout tous toute toutes comme si quand "
    "comment pourquoi quoi quel quelle être avoir suis es sommes êtes sont ai as avons avez ont était étais fait faire dit peux peut veux "
    "veut dois doit aussi encore toujours jamais rien quelque chose ça cela ici là au aux par sans sous chez entre après avant parce même "
    "moi toi lui eux qu aujourd hui oui non peu beaucoup trop déjà alors puis voilà merci vraiment maintenant étaient vos nos crois sais "
    "bonjour raconte salut depuis",
    "es": "el la los las un una unos unas de del que en no se por con para su sus lo le les me te nos mi mis tu tus es son está están "
    "estoy estás era ser estar ha he has han hay fue como más pero si sí porque cuando muy sin sobre también hasta desde donde dónde qué "
    "quién cómo cuándo todo todos toda todas nada algo este esta esto ese esa eso aquel yo tú él ella nosotros ellos ellas usted ustedes "
    "ya ahora aquí allí entonces siempre nunca bien mucho mucha muchos poco tengo tienes tiene puedo puedes puede quiero quieres hacer "
    "hace decir vamos voy va soy eres somos hoy otro otra después antes entre gracias contigo conmigo ni sino hacia mientras aunque cada "
    "hola creo dia día estaba gusta ayer",
    "pt": "os as um uma uns umas de do da dos das que em no na nos nas não se por com para seu sua seus suas lhe me te nós meu minha meus "
    "minhas teu tua são está estão estou era ser estar tem tenho há foi como mais mas ou porque quando muito muita sem sobre também até "
    "desde onde qual quem tudo todos toda todas nada algo este esta isto esse essa isso aquele aquilo eu tu ele ela eles elas você vocês "
    "já agora aqui ali então sempre nunca bem pouco posso pode quero quer fazer faz dizer vamos vou vai sou és somos hoje outro outra "
    "depois antes entre obrigado obrigada pelo pela ao aos às num numa dele dela comigo contigo mim ti ainda só estava tinha acho dia dias "
    "fazendo gosto",
    "it": "il lo la gli le un uno una di del dello della dei degli delle che in al allo alla ai agli alle da dal dalla dai con su sul "
    "sulla per tra fra non si mi ti ci vi ne io tu lui lei noi voi loro mio mia miei mie tuo tua suo sua nostro vostro questo questa "
    "questi queste quello quella sono sei siamo siete era ero essere avere ho hai ha abbiamo avete hanno stato fatto fare dire come più ma "
    "se perché quando molto molta senza sopra anche fino dove cosa chi quale tutto tutti tutta niente qualcosa già adesso ora qui allora "
    "sempre mai bene poco posso puoi può voglio vuoi vuole devo deve oggi altro altra dopo prima grazie nel nella nei nelle però cui così "
    "ancora quindi sta sto stai pure credo ciao giorno raccontami",
    "ca": "amb els uns unes dels és són però perquè quan molt sense això jo ell nosaltres vostè ara llavors bé tinc puc vull avui seva "
    "meva aquest aquesta gràcies pel pels cal hi ho li com més fins tots res mai aquí",
    "gl": "unha unhas non súa miña hai máis cando moi sen tamén ata iso isto xa entón ben podo facer hoxe despois grazas pola polo ti eu "
    "os as ao ou foi seu meu",
    "ro": "și în de la cu pe nu este sunt ești eu tu el ea noi voi ei ele un unei unui să sa se că ca care ce din pentru mai dar sau dacă "
    "când cum unde cine am ai are avem aveți au fost era fi fie foarte tot toate toți asta acest această acesta aici acolo acum atunci "
    "mereu niciodată bine mult multe puțin pot poți poate vreau vrei vrea fac face azi alt după înainte între mulțumesc meu mea mei mele "
    "tău lui lor al ale îmi îți își mă te ne vă îl le fără până prin despre deci doar numai decât nimic ceva asa si sint ma daca cand",
    "pl": "na do nie to się że jest jestem jesteś są być był była było ja ty on ona ono my wy oni mnie mi ciebie ci cię jego go jej nas "
    "was ich im co jak kto gdzie kiedy dlaczego czy ale lub albo też także już jeszcze tylko bardzo więcej tu tam teraz potem zawsze nigdy "
    "dobrze dużo mało mogę możesz może chcę chcesz chce mam masz ma mamy macie mają robi dziś dzisiaj od po przed przez przy pod nad za "
    "dla bez ze we ten ta te tego tej tym tych mój moja moje twój twoja twoje nasz bo więc żeby jeśli gdy który która które coś nic "
    "wszystko każdy sobie sam tak no proszę będzie będę by jako sie jestes wiesz niż tobie opowiedz dzień",
    "cs": "na do ne to se že je jsem jsi jsou jsme jste být byl byla bylo já ty on ona ono my vy oni mě mně mi tebe tobě ti tě jeho ho jí "
    "nás vás jim co jak kdo kde kdy proč ale nebo také taky už ještě jen jenom velmi moc víc více tu tam teď pak potom vždy vždycky nikdy "
    "dobře hodně málo mohu můžu můžeš může chci chceš chce mám máš má máme máte mají dělat dělá dnes od po před přes při pod nad za pro "
    "bez ze ve ten ta te toho té tom těch svůj můj moje tvůj tvoje náš protože tak aby jestli když který která které něco nic všechno "
    "každý sobě sám ano prosím bude budu by bych jako než není jeste proc vubec vůbec tady den pořád dneska hrozně trochu",
    "sk": "na do nie to sa že je som si sú sme ste byť bol bola bolo ja ty on ona ono my vy oni ma mňa mi teba tebe ti ťa jeho ho jej nás "
    "vás ich im čo ako kto kde kedy prečo či ale alebo tiež aj už ešte len iba veľmi viac tu tam teraz potom vždy nikdy dobre veľa málo "
    "môžem môžeš môže chcem chceš chce mám máš má máme máte majú robí dnes od po pred cez pri pod nad za pre bez zo vo ten tá te toho tej "
    "tom tých svoj môj moja moje tvoj tvoja náš pretože tak aby ak keď ktorý ktorá ktoré niečo nič všetko každý sebe sám áno prosím "
    "ďakujem bude budem by než tebou stále trochu",
    "hr": "na do ne to se da je sam si su smo ste biti bio bila bilo ja ti on ona ono mi vi oni mene me tebe te njega ga nas vas ih im što "
    "šta kako tko gdje gde kada zašto li ali ili također već još samo vrlo više tu tamo sada onda uvijek uvek nikad nikada dobro puno malo "
    "mogu možeš može hoću želim imam imaš ima imamo imate imaju radi danas od po pred preko pri pod nad za bez iz ovaj ova ovo taj ta svoj "
    "moj moja moje tvoj tvoja naš jer tako ako kad koji koja koje nešto ništa sve svaki sebi hvala će bi nije nisam nego kao",
    "sl": "in ne da je sem so smo jaz mi jih kaj kako kdo kje kdaj zakaj ali pa tudi že še samo zelo več zdaj potem vedno nikoli veliko "
    "lahko želim imam ima čez brez ker če ko ki nekaj vse vsak bo bom bi ni nisem kot iz hvala danes",
    "tr": "ve bir bu da de için çok ben sen biz siz onlar ne mi mı mu mü var yok değil ama gibi daha şu en ile kadar sonra önce şimdi her "
    "hiç şey nasıl neden nerede kim hangi benim senin onun bizim bana sana beni seni ona onu olan olarak oldu olur olsun iyi evet hayır ya "
    "ki çünkü eğer bile sadece bugün zaman yani mısın misin musun diye ise veya göre kendi bunu bunun şöyle böyle öyle tamam lütfen cok "
    "icin degil nasil istiyorum ediyorum olduğunu bence gün miyim anlat",
    "az": "və bu bir üçün çox mən sən biz siz necə deyil var yox amma kimi daha olan olar indi hər niyə sonra mənim sənin ilə",
    "fi": "ja on ei että se en hän oli ovat olla olen olet minä sinä me te he mutta niin kun kuin mitä mikä kuka missä milloin miksi miten "
    "jos tai myös vain jo vielä nyt sitten aina hyvin paljon vähän voi voin voit haluan tämä tuo nämä ne tässä siellä täällä minun sinun "
    "hänen meidän teidän heidän minua sinua sen tämän joka jotka kanssa ilman ennen koska ole ollut mitään kaikki jotain hyvä kiitos kyllä "
    "tänään sinulla minulla minulle sinulle olisi ette emme",
    "et": "ja on ei et see ma sa ta me te nad oli olen oled aga kui mis kes kus miks kuidas või ka ainult veel nüüd siis alati väga palju "
    "saan tahan selle mida minu sinu tema ning seda nii",
    "hu": "az és is nem hogy van volt egy ez én te mi ti ők de ha mint csak már még meg el ki be fel le most akkor mindig soha jó nagyon "
    "sok kell lehet akarok tudok tudom vagyok vagy vagyunk vannak lesz volna lenne mit miért hol mikor hogyan milyen mert pedig ezt azt "
    "ennek annak itt ott ma után előtt között nélkül minden valami semmi igen köszönöm engem téged neked nekem vele velem olyan ilyen ezek "
    "azok szerintem hogyha",
    "id": "yang dan di ini itu dengan untuk tidak dari dalam akan pada saya kamu dia kami kita mereka adalah ada ke bisa sudah juga atau "
    "karena saat apa siapa bagaimana kenapa kapan mana jika kalau tapi tetapi lebih sangat hanya lagi masih belum sekarang selalu pernah "
    "baik banyak sedikit mau ingin harus oleh seperti aku anda bukan telah sebagai hari semua kepada jangan saja",
    "vi": "là và của không có cho trong được với một các những tôi bạn anh em này đó khi thì đã sẽ đang cũng như từ vào nhưng hay vì sao "
    "gì ai đâu rất nhiều nào mình chị",
    "af": "die nie ek jy hy sy ons julle hulle vir sou wees baie nou net hierdie daardie het om by so word sal dankie my jou",
    "lt": "ir yra ne kad tai su kaip bet aš tu jis ji mes jūs jie iš už apie labai ar jei dar tik kas kur buvo man tau mano tavo",
    "lv": "un ir ka tas ar kā bet es tu viņš mēs jūs no uz par ļoti vai ja vēl tikai kas kur bija man tev mans nav lai",
    "ru": "не на что тот быть весь это как она по но они ты из мы за вы так же от этот который еще ещё бы такой только себя какой когда "
    "уже для вот кто да мой моя мои до или если нет ни очень меня тебя него неё их нас вас мне тебе ему ей нам вам им был была было были "
    "есть чтобы где здесь там потом сейчас теперь всегда никогда хорошо много мало могу можешь может хочу хочешь хочет надо нужно сегодня "
    "без под над перед через после тоже также потому почему зачем ничего всё все каждый сам конечно просто тут будет буду этого этой эти "
    "того то при ли во со об этом ведь даже именно пожалуйста он его её твой твоя твои чем чего лучше больше расскажи нибудь дела день "
    "такое какая себе собой про",
    "uk": "не на що той бути із весь це як вона по але вони до ти ми за ви так же від цей який яка яке які про ще би такий тільки себе "
    "коли вже для ось хто та мій моя мої або чи якщо немає ні дуже мене тебе його її їх нас вас мені тобі йому їй нам вам їм був була було "
    "були щоб де тут там потім зараз тепер завжди ніколи добре багато мало можу можеш може хочу хочеш хоче треба потрібно сьогодні без під "
    "над перед через після теж також тому чому навіщо щось нічого все всі кожен сам звичайно просто буде буду цього цієї ці того то при бо "
    "лише навіть саме він твій твоя твої чого краще більше день собою розкажи",
    "bg": "не на аз че да се за от са съм си като по но те към ти ние вие той тя то така този тази това тези който която което един една "
    "още би само кога вече ето кой или ако ни много мен теб него нея тях нас вас ми му им беше бяха има няма къде тук там после сега "
    "винаги никога добре малко мога можеш може искам искаш иска трябва днес без под над пред през след също защото защо нещо нищо всичко "
    "всеки сам благодаря просто ще бъде до при ли във със какво как колко дали обаче ме моя твоя ден",
    "sr": "на до не то се да је сам си су смо сте бити био била било ја ти он она ми ви они мене ме тебе те њега га њој нас вас их им шта "
    "што како ко где када зашто ли али или такође већ још само врло више ту тамо сада онда увек никад добро много мало могу можеш може "
    "хоћу желим имам имаш има данас од по пред преко при под над за без из овај ова ово тај та мој моја моје твој наш јер тако ако кад "
    "који која које нешто ништа све хвала ће није нисам него као са",
    "mk": "во не на јас што да се со за од сум си како по но тие кон ти ние вие тој таа тоа така овој оваа ова овие кој која кое еден една "
    "уште би само кога веќе или ако ги го му ја им беше има нема каде тука таму потоа сега секогаш никогаш добро малку можам можеш може "
    "сакам треба денес без под над пред зошто нешто ништо секој благодарам ќе биде",
    "be": "не на што той быць гэта як яна па але яны да ты мы за вы так жа ад гэты які яшчэ бы толькі сябе калі ўжо для вось хто мой або "
    "ці няма вельмі мяне цябе яго яе іх нас вас мне табе яму нам вам быў была было былі ёсць каб дзе тут там потым цяпер заўсёды ніколі "
    "добра шмат магу можаш можа хачу трэба сёння без пад над праз пасля таксама таму чаму нешта нічога усё ўсё дзякуй будзе гэтага",
    "kk": "және бұл мен сен бар жоқ емес үшін ол біз сіз қалай не деп бір да де бол болып өте көп енді керек неге мені сені",
}
