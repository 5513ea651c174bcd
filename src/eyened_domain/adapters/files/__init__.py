"""Files: images and their formats, thumbnails, legacy annotations, and files of records."""
