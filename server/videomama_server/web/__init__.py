"""The local web page: a client of the server for people without Nuke; it computes no alpha itself."""
