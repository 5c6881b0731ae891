"""The dockable panel: the server, the jobs of all clients, the cache and the log, without ever blocking Nuke."""
