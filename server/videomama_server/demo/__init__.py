"""The demo clip: a generated shot whose alpha is known exactly, and the contact sheet that shows a result."""
