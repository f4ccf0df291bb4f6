"""A soak of the whole bot: thousands of jobs over real sockets, against a stand-in for Discord that has faults.

`town.py` is that Discord's memory, `rest.py` and `gateway.py` its sockets, and `faults.py` what goes wrong on them.
`people.py` asks for things. `life.py` is the bot, in a process of its own, with `painter.py` as its generator.
`siege.py` runs it all, and `audit.py` says at the end what must be true. SimCord gives the rules of Discord.
"""
