"""What the doctor looks at in a SQL database, and in the image files that its rows name."""
