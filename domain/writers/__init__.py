"""Reports as files: rows in, a file out. No words of their own: those come with the data."""
