"""Client of the VideoMaMa server: messages, wire, connection, client, errors, launch.

Runs on Nuke's own Python (3.9 to 3.11) as well as beside the server; needs only pyzmq and msgpack.
"""

__version__ = "0.1.0"
