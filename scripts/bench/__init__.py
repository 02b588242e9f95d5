"""`make bench`: what the bot costs, beside a bare aiogram bot in the same run."""
