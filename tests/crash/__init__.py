"""The whole bot, killed with SIGKILL at random moments, again and again on one data folder.

`siege.py` starts `life.py` (the bot in a simulated Discord, with people who keep asking) in a session of its own,
kills the whole tree, and starts it again. `journal.py` is what Discord remembers across the kills, `town.py` that
Discord, `painter.py` and `piped.py` a light generator in a process of its own. `audit.py` says what must be true.
"""
