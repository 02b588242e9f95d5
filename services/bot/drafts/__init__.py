"""Showing that a reply is on its way: live drafts in private chats, "typing" in groups.

Both are decoration. They stay inside Telegram's budget, never hold a reply up for long, never raise, and have ended before the final
message goes out.
"""

from services.bot.drafts.budget import DraftBudget, DraftBudgets, Timer
from services.bot.drafts.pumps import DraftPump, TypingPump

__all__ = ["DraftBudget", "DraftBudgets", "DraftPump", "Timer", "TypingPump"]
