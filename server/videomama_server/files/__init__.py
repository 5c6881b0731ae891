"""What every writer of files needs: atomic replace, whose a file is, which paths may be opened."""
