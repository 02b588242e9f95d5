# Что персонажи знают о человеке: /memory и /forget.

command-memory = Что я о вас знаю
command-forget = Забыть всё, что я о вас знаю

memory = <b>Что { $character } знает о вас</b>
memory-nobody-knows = <b>{ $character } пока ничего о вас не знает.</b>

    Упомяните что-то постоянное – имя, где живёте, питомцев, что любите, – и чуть позже это появится здесь. Считаются только ваши слова, не догадки.
    Настроение, вопросы и болтовня не запоминаются.

    Можно и добавить факт самостоятельно.
memory-line = <b>{ $number }.</b> { $fact }
memory-line-marked = <b>{ $number }.</b> { $fact } { $marks }
memory-line-asked = <b>{ $number }.</b> { $fact } { $marks }
    <i>противоречит «{ $rival }»</i>
memory-legend-pinned = 📌 закреплено
memory-legend-shared = 🌐 все персонажи
memory-legend-own = ✍️ ваши слова
memory-legend-asked = ❓ что верно?
memory-press-a-number = Нажмите номер, чтобы изменить факт.
menu-memory = 🧠 Память
memory-add = ✍️ Добавить факт
memory-forget-all = 🗑 Забыть всё
memory-back = ‹ Назад

memory-fact = <b>{ $fact }</b>
memory-is-pinned = 📌 Закреплено: всегда учитывается.
memory-is-shared = 🌐 Это знают все персонажи.
memory-is-here = 👤 Знает только { $character }.
memory-is-own = ✍️ Вы написали это сами.
memory-said = 💬 Вы сказали это { $date } – уверенность { $percent } %.
memory-heard = 💬 С ваших слов – уверенность { $percent } %.
memory-date = { $day } { $month ->
        [1] января
        [2] февраля
        [3] марта
        [4] апреля
        [5] мая
        [6] июня
        [7] июля
        [8] августа
        [9] сентября
        [10] октября
        [11] ноября
       *[12] декабря
    } { $year } г.
memory-fix = ✏️ Исправить
memory-forget = 🗑 Забыть
memory-pin = 📌 Закрепить
memory-unpin = 📌 Открепить
memory-share = 🌐 Для всех
memory-keep-here = 👤 Только { $character }

memory-asked = ❓ Раньше вы говорили другое. <b>Что верно?</b>

    Сейчас: { $fact }
    Раньше: { $rival }
memory-asked-alone = ❓ Это всё ещё так?

    { $fact }
memory-now-holds = Сейчас: { $fact }
memory-before-holds = Раньше: { $rival }
memory-it-holds = Да
memory-it-does-not = Нет

memory-prompt-fix = Как правильно? Напишите <b>ответом на это сообщение</b>.

    Пока записано: <a href="{ $link }">{ $fact }</a>
memory-prompt-add = Что { $character } стоит знать о вас? Напишите <b>ответом на это сообщение</b>, например <a href="{ $link }">«У меня есть кошка Мия.»</a>
memory-prompt-too-long = Не получилось: в факте от 1 до { $most } символов. Попробуйте ещё раз, <b>ответом на <a href="{ $link }">это сообщение</a></b>.
memory-prompt-no-words = Я могу записать только слова. Попробуйте ещё раз, <b>ответом на <a href="{ $link }">это сообщение</a></b>.
memory-placeholder = от 1 до { $most } символов

memory-notice-fixed = ✏️ Записано. Теперь я знаю:
memory-notice-added = ✍️ Записано. Теперь я знаю:
memory-notice-settled = 👍 Решено. Теперь я знаю:
memory-notice-stays = 👍 Решено: всё остаётся как раньше.
memory-notice-forgotten = 🗑 Забыто. Из того сообщения я это больше не запомню.
memory-notice-gone = Этого факта здесь больше нет: он изменён, забыт или известен другому персонажу.
memory-notice-kept = Ничего не забыто.

memory-in-private = То, что я о вас знаю, останется между нами. Спросите /memory или /forget в личном чате.
memory-open-private = 💬 Открыть личный чат

forget-ask = <b>Забыть о вас всё?</b>

    • каждый факт, который знает о вас любой персонаж, и закреплённые тоже
    • краткие записи ваших бесед
    • всё сказанное до сих пор: каждый персонаж начнёт с вами заново, в группах тоже, и факты из этого больше не берутся

    Это нельзя отменить. Сами сообщения остаются в чате и в наших записях, но персонажи их больше не видят.
forget-yes = 🗑 Да, забыть
forget-no = Оставить
forgotten-all = { $facts ->
        [0] 🗑 Всё забыто.
        [one] 🗑 Забыто: { $facts } факт.
        [few] 🗑 Забыто: { $facts } факта.
       *[many] 🗑 Забыто: { $facts } фактов.
    } Ни один персонаж больше ничего о вас не знает, и каждая беседа начнётся заново.

error-memory_not_found = Этого факта здесь больше нет: он изменён или забыт. /memory покажет, что я знаю.
