"""What the doctor looks at in the store, and in what the database knows of it."""
