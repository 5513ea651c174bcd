"""Files: image files, and the files that records are read from."""
