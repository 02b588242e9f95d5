# Buttons under a reply, and taking back what was said.

turn-again = 🔄 Another answer
turn-on = ▶ Continue
turn-stop = ⏹ Stop

soft-limit = Today's budget is nearly used up, so for now a simpler model answers.
reply-cut = The reply grew too long and ends here.

busy-later = Too many people are writing at this moment, and I could not get to your message in time. Please send it again in a few minutes.
sorry-model-away = I cannot think of an answer just now, because the model does not respond. Your message is kept: I will answer as soon as I can, within ten minutes.

nothing-to-stop = Nothing is being written at the moment.
nothing-to-undo = There is nothing to take back.
undone = ↩️ Taken back: this message and my reply. I do not remember them any more.
undone-reply = ↩️ Taken back: my last reply. I do not remember it any more.
begun-anew = We begin anew. What would you like to talk about?

error-not_last_turn = The conversation has moved on: this works only under the last reply.
error-turn_not_found = This reply is no part of the conversation any more.
error-useless_reply = I could not find a good answer to that. This message did not count; please try to say it in other words.
error-answered_anew = Another answer is there already; look at it first.
