# Sentences are Telegram HTML. Every parameter is escaped before it gets here.

menu = <b>You are talking with { $emoji } { $character }.</b>
    Just write to me, or choose:
menu-characters = 🎭 Characters
menu-status = 📊 My status
menu-language = 🌐 Language
menu-help = ❓ Help
menu-back = ‹ Back

command-start = Begin, or see the menu again
command-help = What I can do
command-status = Plan, today's allowance, character
command-language = Choose the language of menus
command-new = Begin the conversation anew
command-undo = Take back the last message and its reply
command-stop = Stop the reply that is being written

help = <b>How this works</b>
    Write whatever you like and the character answers, in any language. It remembers what was said in this chat.

    /start – the menu and the greeting
    /new – begin the conversation anew
    /undo – take back your last message and its reply
    /memory – what I know about you: fix, forget, pin
    /forget – forget everything about you
    /status – your plan and what is left for today
    /language – language of menus and notices
    /settings – your level, and the model that answers
    /stop – stop a reply (or press Stop under it)

    Under a reply, 🔄 gives another answer and ▶ lets the character go on. Correct your last message, and the reply follows.
    In a group, mention me or reply to one of my messages.
    You are talking with a computer program that plays a role, not with a person.

characters = <b>Who would you like to talk with?</b>
    Each one remembers your conversation; you can come back at any time.
character-line = { $emoji } <b>{ $name }</b> – { $tagline }
character-button = { $emoji } { $name }
character-entered = { $emoji } <b>{ $name }</b> is with you. Say something!
character-resumed = { $emoji } <b>{ $name }</b> is back with you, and remembers where you stopped. Go on whenever you like.

status = <b>Your status</b>
    Character: { $emoji } { $character }
    Plan: { $plan ->
        [free] Free
       *[other] { $plan }
    }
    { $limit ->
        [unlimited] Messages today: { $used }, without limit
       *[limited] Messages today: { $used } of { $limit } – { $left ->
            [0] none left
            [one] { $left } left
           *[other] { $left } left
        }
    }
    { $percent ->
        [none] The count starts anew at { $resets } UTC.
       *[spent] Today's budget: { $percent } % used
        The count starts anew at { $resets } UTC.
    }

language = Which language shall I use for menus and notices?
    (The character answers in whatever language you write.)
language-chosen = Done: menus and notices are in English.

health = <b>Health</b>
health-line = { $state ->
        [ok] ✅ { $name } – { $ms } ms
       *[bad] ❌ { $name } – { $problem }
    }
health-inbox = 📥 Inbox: { $depth } waiting, oldest { $age } s
health-denied = This command is for the operators of this bot.

stopped-before-first-word = ⏹ Stopped.

group-hello = Hello! I am <b>{ $name }</b>. Mention me (@{ $username }) or reply to one of my messages, and I will answer.

unknown-content = { $kind ->
        [photo] I can see that you sent a picture, but I cannot look at pictures yet. Tell me in words what is in it?
        [voice] I got your voice message, but I cannot listen yet. Could you write it to me?
        [video] A video! I cannot watch it yet. Tell me about it in words?
        [sticker] Nice sticker! I only understand words so far, so write to me and I will answer.
        [document] I got your file, but I cannot read files yet. Paste the part that matters as text?
        [location] I got the place, but I cannot read maps yet. Tell me about it in words?
       *[other] I do not understand this kind of message yet. Write to me in words, please.
    }
unknown-command = I do not know this command. /help shows those that I know.

error-internal = Something went wrong on our side. Your message is kept; please try again in a minute.
error-model_unavailable = I could not find an answer just now: the model does not respond. This message did not count; please send it again in a minute.
error-daily_turns_spent = You have used all { $limit } messages of today. It goes on at { $resets } UTC – see you then!
error-allowance_spent = Your allowance is used up. It goes on at { $resets } UTC.
error-too_many_turns = That was quick! You can send { $limit } messages a minute; the next one fits in { $seconds ->
    [one] a second
   *[other] { $seconds } seconds
 }.
error-budget_spent = { $scope ->
    [bot] This bot has used up what its answers may cost today, for everybody. It begins anew at { $resets } UTC – see you then!
   *[user] Your answers have used up today's budget. It begins anew at { $resets } UTC; { $choice ->
        [yes] with /settings a simpler model makes it last longer.
       *[no] /status shows your plan.
    }
 }
error-model_choice_not_allowed = Your plan does not include choosing a model.
too-many-updates = That is a lot at once. Give me a few seconds, then go on.
error-registration_closed = This bot does not take new people at the moment. Please try again later.
error-character_not_found = This character is not here any more. Choose another one from /start.
error-dialog_not_found = I lost the thread of this conversation. Please send /start.
error-unavailable = I cannot do that just now. Please try again in a minute.
error-database_unavailable = I cannot do that just now. Please try again in a minute.
error-not_found = I could not find that.
error-invalid_input = I could not understand that. /help shows what I know.
error-conflict = That has changed in the meantime. Please try again.
error-not_allowed = You may not do that.
error-content_rejected = I would rather not answer that. Let us talk about something else.
