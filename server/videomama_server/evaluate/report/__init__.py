"""Shows an evaluation: the same tables as Markdown and as one self-contained HTML page with plots and pictures."""
