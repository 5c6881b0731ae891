"""The demo: a generated clip refined through the server, measured, and shown in a contact sheet."""
