# What characters know about a person: /memory and /forget.

command-memory = What I know about you
command-forget = Make me forget all about you

memory = <b>What { $character } knows about you</b>
memory-nobody-knows = <b>{ $character } knows nothing about you yet.</b>

    Mention something that lasts – your name, where you live, your pets, what you like – and a little later it stands here. Only your own words count, never a guess.
    Moods, questions and small talk are not kept.

    You can also add a fact yourself.
memory-line = <b>{ $number }.</b> { $fact }
memory-line-marked = <b>{ $number }.</b> { $fact } { $marks }
memory-line-asked = <b>{ $number }.</b> { $fact } { $marks }
    <i>contradicts “{ $rival }”</i>
memory-legend-pinned = 📌 pinned
memory-legend-shared = 🌐 all characters
memory-legend-own = ✍️ your words
memory-legend-asked = ❓ which holds?
memory-press-a-number = Press a number to change a fact.
menu-memory = 🧠 Memory
memory-add = ✍️ Add a fact
memory-forget-all = 🗑 Forget everything
memory-back = ‹ Back

memory-fact = <b>{ $fact }</b>
memory-is-pinned = 📌 Pinned: always kept in mind.
memory-is-shared = 🌐 All characters know it.
memory-is-here = 👤 Only { $character } knows it.
memory-is-own = ✍️ You wrote it yourself.
memory-said = 💬 You said so on { $date } – I am { $percent } % sure that I got it right.
memory-heard = 💬 From what you said – I am { $percent } % sure that I got it right.
memory-date = { $day } { $month ->
        [1] January
        [2] February
        [3] March
        [4] April
        [5] May
        [6] June
        [7] July
        [8] August
        [9] September
        [10] October
        [11] November
       *[12] December
    } { $year }
memory-fix = ✏️ Fix
memory-forget = 🗑 Forget
memory-pin = 📌 Pin
memory-unpin = 📌 Unpin
memory-share = 🌐 All characters
memory-keep-here = 👤 Only { $character }

memory-asked = ❓ You said something else before. <b>Which holds?</b>

    Now: { $fact }
    Before: { $rival }
memory-asked-alone = ❓ Is this still so?

    { $fact }
memory-now-holds = Now: { $fact }
memory-before-holds = Before: { $rival }
memory-it-holds = Yes
memory-it-does-not = No

memory-prompt-fix = How should it read? Write it <b>as a reply to this message</b>.

    So far: <a href="{ $link }">{ $fact }</a>
memory-prompt-add = What should { $character } know about you? Write it <b>as a reply to this message</b>, for instance <a href="{ $link }">“I have a cat called Mia.”</a>
memory-prompt-too-long = That did not work: a fact has 1 to { $most } characters. Please try again, <b>as a reply to <a href="{ $link }">this message</a></b>.
memory-prompt-no-words = I can only note words. Please try again, <b>as a reply to <a href="{ $link }">this message</a></b>.
memory-placeholder = 1 to { $most } characters

memory-notice-fixed = ✏️ Noted. From now on I know:
memory-notice-added = ✍️ Noted. From now on I know:
memory-notice-settled = 👍 Settled. From now on I know:
memory-notice-stays = 👍 Settled: it stays as it was before.
memory-notice-forgotten = 🗑 Forgotten. I will not note it from that message again.
memory-notice-gone = That one is no longer here: it was changed or forgotten, or belongs to another character.
memory-notice-kept = Nothing was forgotten.

memory-in-private = What I know about you is between the two of us. Ask me /memory or /forget in our private chat.
memory-open-private = 💬 Open the private chat

forget-ask = <b>Shall everything about you be forgotten?</b>

    • every fact that any character knows about you, pinned ones too
    • the summaries of your talks
    • what you have said so far: every character begins anew with you, also in groups, and no facts are read from it later

    It cannot be taken back. The messages themselves stay, in this chat and in our records, but no character sees them any more.
forget-yes = 🗑 Yes, forget
forget-no = Keep
forgotten-all = { $facts ->
        [0] 🗑 Everything is forgotten.
        [one] 🗑 Forgotten: { $facts } fact.
       *[other] 🗑 Forgotten: { $facts } facts.
    } No character knows anything about you any more, and every talk begins anew.

error-memory_not_found = This fact is no longer here: it was changed or forgotten. /memory shows what I know.
